"""How long an explanation takes, and whether the words that it names first are those that the label hangs on: deleted in its order,
they lower the score faster than in a random order."""

import json
import math
import random
import shutil
import statistics
import subprocess
from pathlib import Path

from harness import BIN, median
from quality import scores
from results import number, row

STEPS = 10
TEXTS = 200


def remaining(text, words, count):
    """The text without some of its words, given as byte ranges."""
    data, gone = text.encode(), sorted(words[:count], key=lambda word: word["start"])
    kept, place = [], 0
    for word in gone:
        kept.append(data[place : word["start"]])
        place = word["end"]
    return " ".join(b"".join([*kept, data[place:]]).decode().split())


def explanations(bench):
    out, (_, test) = scores(bench, "sms-spam", "base", 1)
    model, count = out / "model", 20 if bench.quick else TEXTS
    chosen = random.Random(1).sample(
        [record for record in test if record["label"] == "spam" and len(record["text"].split()) > 5],
        min(count, 60 if bench.quick else 100),
    )
    path = bench.out / "explained.ndjson"
    path.write_text("".join(json.dumps({"text": record["text"]}) + "\n" for record in chosen), encoding="utf-8")
    command = [BIN / "explain", "--quiet", "--model", model, "--input", "ndjson", "--label", "spam", path]
    explained = bench.run(*command).events()
    orders = {
        "by weight": [sorted(item["words"], key=lambda word: -word["weight"]) for item in explained],
        "at random": [random.Random(i).sample(item["words"], len(item["words"])) for i, item in enumerate(explained)],
    }
    curves = {}
    for name, words in orders.items():
        texts = bench.out / "shorter.txt"
        lines = [
            remaining(item["text"], order, round(step / STEPS * len(order)))
            for item, order in zip(explained, words) for step in range(STEPS)
        ]  # fmt: skip
        texts.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        p = [
            event["probabilities"]["spam"]
            for event in bench.run(BIN / "score", "--quiet", "--raw", "--model", model, texts).events()
        ]
        odds = [math.log(max(x, 1e-7) / max(1 - x, 1e-7)) for x in p]
        curves[name] = [statistics.fmean(odds[step::STEPS]) for step in range(STEPS)]
        bench.say(f"{name}: {[round(x, 2) for x in curves[name]]}")
    table = bench.out / "explanations.tsv"
    table.write_text(
        "deleted\t"
        + "\t".join(f'"{name}"' for name in curves)
        + "\n"
        + "".join(f"{step / STEPS}\t" + "\t".join(f"{curves[name][step]:.4f}" for name in curves) + "\n" for step in range(STEPS)),
        encoding="utf-8",
    )
    if shutil.which("gnuplot"):
        target = (bench.out if bench.quick else Path("Benchmarks")) / "explanations.svg"
        subprocess.run(["gnuplot", "-e", f"input='{table}'; output='{target}'", "Benchmarks/explanations.gnuplot"], check=True)
    rows = [
        row(
            "log-odds of spam, 20 % and 50 % of the words deleted",
            {"by weight": f"{curves['by weight'][2]:.2f}, {curves['by weight'][5]:.2f}", "at random": f"{curves['at random'][2]:.2f}, {curves['at random'][5]:.2f}", "whole text": f"{curves['by weight'][0]:.2f}"},
            "explain --label spam", curves,
        )
    ]  # fmt: skip
    for name, directory, texts in (("base", model, len(chosen)), ("124M", bench.model(), min(20, len(chosen)))):
        few = bench.out / "few.ndjson"
        few.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:texts]))
        runs = [
            bench.run(BIN / "explain", "--quiet", "--model", directory, "--input", "ndjson", few).seconds for _ in range(bench.runs)
        ]
        words = sum(len(item["words"]) for item in explained[:texts]) / texts
        cells = {"seconds a text": f"{number(median(runs) / texts)}, {words:.0f} words on average, starting included"}
        rows.append(row(f"explain, {name}", cells, "explain", {"seconds": runs, "texts": texts}))
    return rows
