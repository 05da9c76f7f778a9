"""Fine-tuning GPT-2 124M against the chapter's loop in PyTorch, from the same weights, rows and order."""

import json

from harness import BIN, median
from results import number, ratio_row, row


def start(bench, classes):
    directory = bench.out / "start"
    if not (directory / "model.safetensors").exists():
        bench.say("writing starting weights")
        bench.torch("start", directory, classes, *([bench.base] if bench.base else []))
    return directory


def finetune(bench, data, base, *options, stdin="train.safetensors"):
    """One run here; its process, its events, and its command for the table."""
    out = bench.out / "trained"
    command = [
        BIN / "finetune", "--quiet", "--base", base, "--tokenizer", bench.tokenizer, *options, "--shuffle", "none",
        "--validation", data / "validation.safetensors", "--test", data / "test.safetensors", "--out", out, "--force",
    ]  # fmt: skip
    process = bench.run(*command, stdin=data / stdin)
    events = process.events()
    return process, {"start": events[0], "end": events[-1], "losses": [e["loss"] for e in events if e["event"] == "step"]}


def training(bench, what, pipeline, options, theirs, target):
    """Rows for f32 and, where the CPU has it, bf16: whole runs here, in turn with PyTorch's."""
    data = bench.messages(pipeline)
    classes = len({json.loads(line)["label"] for line in open(data / "train.ndjson", encoding="utf-8")})
    base = start(bench, classes)
    precisions = [name for name in target if bench.precision(name) is not None]
    ours, torch = {name: [] for name in precisions}, []
    for turn in range(bench.runs):
        other = bench.torch("train", base, data, *theirs, *([] if bench.full else ["--steps", bench.steps]))[0]
        torch.append(other)
        bench.say(f"run {turn + 1} of {bench.runs}: PyTorch {number(other['seconds'])} s")
        for name in precisions:
            _, run = finetune(bench, data, base, *options, *bench.precision(name))
            ours[name].append(run)
            bench.say(f"run {turn + 1} of {bench.runs}: {name} {number(run['end']['seconds'])} s")
    other = torch[0]
    note = (
        "" if bench.full else f"projected from {other['timed_steps']} of {other['steps']} steps and as many of "
        f"{other['evaluation_batches']} evaluation batches"
    )
    rows = []
    for name in precisions:
        first = ours[name][0]
        assert first["end"]["steps"] == other["steps"], "both sides make the same steps"
        difference = max(abs(a - b) for a, b in zip(first["losses"], other["losses"]))
        phases = {
            phase: median([run["end"]["seconds_by_phase"][phase] for run in ours[name]])
            for phase in first["end"]["seconds_by_phase"]
        }
        result = ratio_row(
            f"{what}, {name}", [run["end"]["seconds"] for run in ours[name]], [run["seconds"] for run in torch],
            bench.torch_name, target[name], " ".join(["finetune", *options, *bench.precision(name)]),
            note=note, data={"phases": phases, "loss_difference": difference, "compared_steps": len(other["losses"])},
        )  # fmt: skip
        result["cells"]["frozen, training, evaluation"] = ", ".join(number(x) for x in phases.values()) + " s"
        result["cells"]["loss"] = f"within {difference:.1e} over {len(other['losses'])} steps"
        rows.append(result)
    return rows


def last_token(bench):
    """The settings of pipelines/sms-spam.mk."""
    options = ["--trainable", "last-1", "--pool", "last-token", "--epochs", "5"]
    theirs = ["--trainable", "last-1", "--pool", "last-token"]
    return training(bench, "last block, last token", "sms-spam", options, theirs, {"f32": 60, "bf16": 60})


def chapter(bench):
    """The settings of pipelines/book.mk."""
    options = ["--trainable", "last-1", "--pool", "last-position", "--epochs", "5"]
    theirs = ["--trainable", "last-1", "--pool", "last-position"]
    return training(bench, "exactly as in the chapter", "book", options, theirs, {"f32": 10, "bf16": 20})


def all_layers(bench):
    """The same steps on both sides, without evaluations: a whole run of either takes too long to be repeated."""
    data = bench.messages("sms-spam")
    base = start(bench, 2)
    options = ["--trainable", "all", "--pool", "last-token", "--eval-every", 10**6, "--eval-batches", 1]
    precisions = {"f32": 8, "bf16": 10}
    names = [name for name in precisions if bench.precision(name) is not None]
    ours, torch, losses = {name: [] for name in names}, [], {name: [] for name in names}
    for turn in range(bench.runs):
        other = bench.torch("train", base, data, "--trainable", "all", "--pool", "last-token", "--steps", bench.steps)[0]
        torch.append(other["step_seconds"])
        bench.say(f"run {turn + 1} of {bench.runs}: PyTorch {number(torch[-1])} s a step")
        steps = len(other["losses"])
        for name in names:
            _, run = finetune(bench, data, base, *options, "--max-steps", steps, "--training-precision", name)
            ours[name].append(run["end"]["seconds_by_phase"]["training"] / steps)
            losses[name].append(max(abs(a - b) for a, b in zip(run["losses"], other["losses"])))
            bench.say(f"run {turn + 1} of {bench.runs}: {name} {number(ours[name][-1])} s a step")
    rows = []
    for name in names:
        command = ["finetune", *options, "--max-steps", steps, "--training-precision", name]
        result = ratio_row(
            f"all layers, last token, {name}: a step", ours[name], torch, bench.torch_name, precisions[name],
            " ".join(map(str, command)), note=f"{steps} steps",
            data={"loss_difference": max(losses[name]), "compared_steps": steps},
        )  # fmt: skip
        result["cells"]["loss"] = f"within {max(losses[name]):.1e} over {steps} steps"
        rows.append(result)
    return rows


def random_base(bench):
    return bench.base or "random:gpt2"


def frozen(bench):
    """How much of the rate that oneDNN's matrix products reach alone is left of them in the pass over the texts."""
    rows, data = [], bench.messages("sms-spam")
    blocks = 11
    for name in ("f32", "bf16"):
        precision = bench.precision(name)
        if precision is None:
            continue
        alone, within = [], []
        for turn in range(bench.runs):
            seconds = ["--seconds", "0.5"] if bench.quick else []
            alone.append(bench.run(BIN / "measure", "matmul", *precision, *seconds).events()[-1]["gflops"])
            options = ["--trainable", "last-1", "--pool", "last-token", "--epochs", "1", *precision]
            _, run = finetune(bench, data, random_base(bench), *options)
            operations = 2 * 12 * 768**2 * blocks * run["start"]["tokens"]
            within.append(operations / run["end"]["seconds_by_phase"]["frozen"] / 1e9)
            bench.say(f"run {turn + 1} of {bench.runs}: {name}: alone {number(alone[-1])}, within {number(within[-1])} GFLOP/s")
        share = median(within) / median(alone)
        cells = {
            "matmul alone": f"{number(median(alone))} GFLOP/s", "frozen blocks": f"{number(median(within))} GFLOP/s",
            "share": f"{share:.0%}", "target": "75 %",
        }  # fmt: skip
        command = "measure matmul; finetune --epochs 1"
        kept = {"alone": alone, "within": within, "tokens": run["start"]["tokens"]}
        rows.append(row(f"frozen pass, {name}", cells, command, kept, share / 0.75))
    return rows


def search(bench):
    """Many trials over the same features against one run."""
    data, trials = bench.messages("sms-spam"), 3 if bench.quick else 50
    space = ["--search", "lr=1e-5..1e-3,weight-decay=0..0.3,epochs=2..10", "--trials", str(trials)]
    one, many = [], []
    for turn in range(bench.runs):
        one.append(finetune(bench, data, random_base(bench), "--epochs", "5")[0].seconds)
        many.append(finetune(bench, data, random_base(bench), *space)[0].seconds)
        bench.say(f"run {turn + 1} of {bench.runs}: one run {number(one[-1])} s, {trials} trials {number(many[-1])} s")
    times = median(many) / median(one)
    cells = {
        "search": f"{number(median(many))} s", "one run": f"{number(median(one))} s", "times": number(times),
        "target": "≤ 2",
    }  # fmt: skip
    return [row(f"search, {trials} trials", cells, " ".join(["finetune", *space]), {"one": one, "many": many}, 2 / times)]
