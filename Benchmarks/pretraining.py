"""Steps of a language model against the same loop in PyTorch: forward, backward and AdamW over all layers."""

from harness import BIN, median
from results import number, ratio_row

# The shape of a small base: 6 blocks of width 256, 8,192 tokens of vocabulary, 64 rows of 128 tokens a step.
BLOCKS, WIDTH, HEADS, VOCABULARY, LENGTH, ROWS = 6, 256, 4, 8192, 128, 64


def pretraining(bench):
    steps = min(bench.steps, 5)
    shape = [BLOCKS, WIDTH, HEADS, VOCABULARY, LENGTH, ROWS]
    rows = []
    for name in ("f32", "bf16"):
        precision = bench.precision(name)
        if precision is None:
            continue
        ours, torch, within, alone = [], [], [], []
        for turn in range(bench.runs):
            torch.append(bench.torch("pretrain", *shape, "--steps", steps, "--dtype", name)[0]["tokens_per_second"])
            bench.say(f"run {turn + 1} of {bench.runs}: PyTorch {number(torch[-1])} tokens/s in {name}")
            run = bench.run(BIN / "measure", "pretraining", "--steps", steps, *precision).events()[-1]
            ours.append(run["tokens_per_second"])
            within.append(run["gflops"])
            products = ["--blocks", BLOCKS, "--width", WIDTH, "--seconds", "0.5" if bench.quick else "3"]
            alone.append(bench.run(BIN / "measure", "matmul", *products, *precision).events()[-1]["gflops"])
            bench.say(
                f"run {turn + 1} of {bench.runs}: {name} {number(ours[-1])} tokens/s, {number(within[-1])} of "
                f"{number(alone[-1])} GFLOP/s"
            )
        share = median(within) / median(alone)
        command = f"measure pretraining --precision {name}"
        result = ratio_row(
            f"pretraining, {name}", ours, torch, bench.torch_name, 1.6, command, unit="tokens/s", higher=True,
            data={"within": within, "alone": alone, "share": share},
        )  # fmt: skip
        result["cells"]["of oneDNN's own rate"] = (
            f"{share:.0%} ({number(median(within))} of {number(median(alone))} GFLOP/s; target: 65 %)"
        )
        rows.append(result)
    return rows
