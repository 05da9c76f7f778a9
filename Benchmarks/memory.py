"""Peak memory: of fine-tuning above what it must hold, and of scoring as the input grows."""

import json
from pathlib import Path

from finetuning import finetune
from harness import BIN
from results import number, row

MEBIBYTE = 2**20


def memory(bench):
    data = bench.messages("sms-spam")
    process, run = finetune(bench, data, bench.model(), "--epochs", "1")
    weights = 4 * run["start"]["parameters"] / MEBIBYTE
    features = 4 * run["start"]["tokens"] * 768 / MEBIBYTE
    peak = process.peak_bytes / MEBIBYTE
    above = peak - weights - features
    cells = {
        "peak": f"{number(peak)} MiB", "of which": f"weights {number(weights)}, features {number(features)}",
        "result": f"{number(above)} MiB above them", "target": "≤ 300 MiB",
    }  # fmt: skip
    bench.say(f"finetune: {number(peak)} MiB")
    kept = {"peak": peak, "weights": weights, "features": features}
    rows = [row("finetune, memory", cells, "finetune --epochs 1", kept, 300 / max(above, 1))]

    model, peaks = bench.small_model(), {}
    demo = Path("build/bench/pipelines/demo")
    bench.make("demo", demo / "records.ndjson", out=demo)
    records = open(demo / "records.ndjson", encoding="utf-8").read().splitlines()
    texts = [json.loads(line)["text"] for line in records]
    for count in (1000, 10_000) if bench.quick else (100_000, 1_000_000):
        path = bench.out / "lines.txt"
        with open(path, "w", encoding="utf-8") as file:
            for index in range(count):
                file.write(f"{texts[index % len(texts)]} {index}\n")
        process = bench.run(BIN / "score", "--quiet", "--model", model, path, stdout=bench.out / "scores.ndjson")
        with open(bench.out / "scores.ndjson", "rb") as file:
            written = sum(1 for _ in file)
        assert written == count, f"{written} scores for {count} lines"
        peaks[count] = process.peak_bytes / MEBIBYTE
        bench.say(f"score: {count} lines in {number(process.seconds)} s: {number(peaks[count])} MiB")
        (bench.out / "scores.ndjson").unlink()
        path.unlink()
    few, many = peaks
    growth = peaks[many] - peaks[few]
    cells = {
        "peak": f"{number(peaks[many])} MiB", "of which": f"{number(peaks[few])} at {few:,} lines",
        "result": f"{growth:+.1f} MiB", "target": "constant (≤ 16 MiB)",
    }  # fmt: skip
    command = f"score --model {model} (the demo's configuration, last token)"
    rows.append(row(f"score, {many:,} lines, memory", cells, command, {"peaks": peaks}, 16 / max(growth, 1)))
    return rows
