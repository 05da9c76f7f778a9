"""score with GPT-2 124M, against PyTorch and against itself."""

import json

import quality
from harness import BIN, cpu_has_bf16, median
from results import number, ratio_row, row


def run_score(bench, model, texts, *options):
    """The process, and the label and probabilities of every line."""
    process = bench.run(BIN / "score", "--quiet", "--model", model, *options, texts)
    return process, process.events()


def score(bench):
    """Messages per second, loading excluded on both sides: here by taking off the time of one message."""
    texts, model = bench.texts(32 if bench.quick else None), bench.model()
    one = bench.texts(1)
    config = json.loads((model / "config.json").read_text())
    labels = [config["id2label"][str(index)] for index in range(len(config["id2label"]))]
    precisions = [name for name in ("f32", "bf16") if bench.precision(name) is not None]
    sides = {  # PyTorch's settings
        "batch 1, f32": ["--batch", 1, "--dtype", "f32", "--batches", 8 if bench.quick else 0 if bench.full else 200],
        "sorted batches of 32, f32": ["--batch", 32, "--sort", "--dtype", "f32"],
    }
    if cpu_has_bf16() or bench.full:  # elsewhere PyTorch emulates it, many times slower
        sides["sorted batches of 32, bf16"] = ["--batch", 32, "--sort", "--dtype", "bf16"]
    ours, theirs, other = {name: [] for name in precisions}, {name: [] for name in sides}, {}
    for turn in range(bench.runs):
        for name, options in sides.items():
            other[name] = bench.torch("score", model, texts, *options)[0]
            theirs[name].append(other[name]["messages"] / other[name]["seconds"])
            bench.say(f"run {turn + 1} of {bench.runs}: PyTorch, {name}: {number(theirs[name][-1])}/s")
        for name in precisions:
            options = bench.precision(name)
            loading = run_score(bench, model, one, *options)[0].seconds
            process, scores = run_score(bench, model, texts, *options)
            ours[name].append(len(scores) / (process.seconds - loading))
            bench.say(f"run {turn + 1} of {bench.runs}: {name}: {number(ours[name][-1])}/s")
            if name == "f32":
                worst = difference(scores, other["batch 1, f32"]["probabilities"], labels)
    best = max((name for name in sides if "sorted" in name), key=lambda name: median(theirs[name]))
    rows = []
    for name in precisions:
        for side, target in (("batch 1, f32", 10), (best, 2.5)):
            timed, batches = other[side]["timed_batches"], other[side]["batches"]
            result = ratio_row(
                f"score {name}, {len(scores)} messages; {side}", ours[name], theirs[side], bench.torch_name, target,
                " ".join(["score", "--model", str(model), *bench.precision(name)]), unit="messages/s",
                note="" if timed == batches else f"projected from {timed} of {batches} batches", higher=True,
                data={"all_sides": theirs, "probability_difference": worst},
            )  # fmt: skip
            if name == "f32":
                result["cells"]["target"] += " (of bf16)"
            result["cells"]["largest Δp, f32"] = f"{worst:.1e}"
            rows.append(result)
    return rows


def difference(scores, probabilities, labels):
    """The largest difference of a probability from PyTorch's, over the texts that it scored."""
    return max(
        abs(scores[int(index)]["probabilities"][label] - p)
        for index, row in probabilities.items()
        for label, p in zip(labels, row)
    )


def int8(bench):
    """int8 against the fastest floating point that the CPU has, with a model whose labels mean something."""
    other = "bf16" if cpu_has_bf16() else "f32"
    texts, model, one = bench.texts(32 if bench.quick else None), bench.classifier(), bench.texts(1)
    rates, labels = {"int8": [], other: []}, {}
    for turn in range(bench.runs):
        for name in rates:
            loading = run_score(bench, model, one, "--precision", name)[0].seconds
            process, scores = run_score(bench, model, texts, "--precision", name)
            rates[name].append(len(scores) / (process.seconds - loading))
            labels[name] = [score["label"] for score in scores]
            bench.say(f"run {turn + 1} of {bench.runs}: {name}: {number(rates[name][-1])}/s")
    same = sum(a == b for a, b in zip(labels["int8"], labels[other])) / len(labels["int8"])
    result = ratio_row(
        f"score int8, {len(scores)} messages", rates["int8"], rates[other], other, 1.5,
        f"score --model {model} --precision int8", unit="messages/s", higher=True, data={"same_labels": same},
    )  # fmt: skip
    result["cells"]["labels as with " + other] = f"{same:.2%} (target 99.5 %)"
    return [result, row("labels as without int8", {"ratio": f"{same:.2%}", "target": "99.5 %"},
                        f"score --model {model} --precision int8", {"share": same}, same / 0.995)]  # fmt: skip


def startup(bench):
    """One short message, the whole process, its files in the page cache; without and with a prepacked copy of the weights."""
    one = bench.texts(1)
    demo = quality.scores(bench, "demo", "base", 1)[0] / "model"
    rows = []
    for name, model, target, target_prepacked in (
        ("GPT-2 124M", bench.model(), 0.5, 0.15), ("the demo's model from `pipelines/base`", demo, None, 0.025),
    ):  # fmt: skip
        (model / "prepacked.safetensors").unlink(missing_ok=True)
        rows.append(started(bench, name, model, one, target))
        run_score(bench, model, one, "--prepack")
        rows.append(started(bench, f"{name}, prepacked", model, one, target_prepacked))
    return rows


def started(bench, name, model, one, target):
    run_score(bench, model, one)
    runs = [run_score(bench, model, one)[0] for _ in range(max(bench.runs, 2 if bench.quick else 31))]
    seconds = median([run.seconds for run in runs])
    cells = {
        "model": name, "seconds": number(seconds), "target": f"≤ {target}" if target else "",
        "CPU seconds": number(median([run.cpu_seconds for run in runs])),
        "fastest, slowest": f"{number(min(r.seconds for r in runs))}, {number(max(r.seconds for r in runs))}",
        "peak memory": f"{number(median([run.peak_bytes for run in runs]) / 2**20)} MiB",
    }  # fmt: skip
    share = target / seconds if target else None
    command = f"score --model {model} < one message"
    return row("score, one short message, whole process", cells, command, {"seconds": [r.seconds for r in runs]}, share)
