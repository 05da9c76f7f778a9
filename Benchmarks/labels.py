"""How accuracy grows with the tokens that a base was pretrained on, and with labelled texts.

    BASES='none=random:pipelines/base/config.json 5M=DIR 15M=DIR' make bench ONLY=labels

Every base is fine-tuned on the first 50, 200 and all training texts of routing, shuffled by a seed, with the pipeline's own
options, and TF-IDF with a linear SVM on the same texts.
"""

import json
import random
import re
import shutil
import statistics
import subprocess
from pathlib import Path

from harness import BIN
from results import row

COUNTS = (50, 200, None)
SEEDS = (1, 2, 3)
PIPELINE = "routing"


def lines(path):
    return Path(path).read_bytes().splitlines(keepends=True)


def accuracy(path):
    records = [json.loads(line) for line in lines(path)]
    return statistics.fmean(record["label"] == record["expected"] for record in records)


def subset(parts, out, count, seed):
    """The first `count` training texts in an order of their own."""
    records = lines(parts / "train.ndjson")
    random.Random(seed).shuffle(records)
    path = out / f"train-{count or len(records)}-{seed}.ndjson"
    path.write_bytes(b"".join(records[:count]))
    return path


def finetuned(bench, parts, train, base, options, out, seed):
    """The accuracy of a base that is fine-tuned on `train`."""
    shards = {part: out / f"{part}.tokens" for part in ("train", "validation")}
    # Random weights have no tokenizer of their own.
    tokenizer = "pipelines/base" if base.startswith("random:") else base
    tokenize = [BIN / "tokenize-pad", "--quiet", "--tokenizer", tokenizer]
    bench.run(*tokenize, train, stdout=shards["train"])
    more = ["--length", shards["train"], "--labels-from", shards["train"]]
    bench.run(*tokenize, *more, parts / "validation.ndjson", stdout=shards["validation"])
    bench.run(
        BIN / "finetune", "--quiet", "--base", base, "--tokenizer", tokenizer, *options, "--seed", seed, "--validation", shards["validation"],
        "--out", out / "model", "--force", stdin=shards["train"],
    )  # fmt: skip
    score = [BIN / "score", "--quiet", "--model", out / "model", "--input", "ndjson", parts / "test.ndjson"]
    bench.run(*score, stdout=out / "scores.ndjson")
    return accuracy(out / "scores.ndjson")


def labels(bench):
    named = bench.bases()
    out = bench.out / "labels"
    parts = out / "parts"
    wanted = [parts / f"{part}.ndjson" for part in ("train", "validation", "test")]
    bench.make(PIPELINE, *wanted, parts / "settings", out=parts, settings=["BASE=pipelines/base"])
    options = re.search(r" finetune (.*)", (parts / "settings").read_text())[1].split()
    rows = []
    for count in COUNTS:
        texts = count or len(lines(parts / "train.ndjson"))
        found = {name: [] for name, _ in named} | {"TF-IDF + SVM": []}
        for seed in SEEDS[: 1 if bench.quick else None]:
            train = subset(parts, out, count, seed)
            for name, base in named:
                found[name].append(finetuned(bench, parts, train, base, options, out, seed))
            tfidf = [bench.python, "pipelines/common/tfidf.py", train]
            bench.run(*tfidf, stdin=parts / "test.ndjson", stdout=out / "tfidf.ndjson")
            found["TF-IDF + SVM"].append(accuracy(out / "tfidf.ndjson"))
            bench.say(f"{texts} texts, seed {seed}: " + ", ".join(f"{name} {values[-1]:.1%}" for name, values in found.items()))
        cells = {
            f"{name}": f"{100 * statistics.fmean(values):.1f}"
            + (f" ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else "")
            for name, values in found.items()
        }
        rows.append(row(f"{texts} labelled texts", cells, "make bench ONLY=labels BASES=…", {"texts": texts, "found": found}))
    draw(bench, rows)
    return rows


def draw(bench, rows):
    if not shutil.which("gnuplot"):
        return
    table = bench.out / "labels.tsv"
    names = list(rows[0]["data"]["found"])
    text = "texts\t" + "\t".join(f'"{name}"' for name in names) + "\n"
    for item in rows:
        values = [100 * statistics.fmean(item["data"]["found"][name]) for name in names]
        text += f"{item['data']['texts']}\t" + "\t".join(f"{value:.2f}" for value in values) + "\n"
    table.write_text(text, encoding="utf-8")
    target = (bench.out if bench.quick else Path("Benchmarks")) / "labels.svg"
    command = ["gnuplot", "-e", f"input='{table}'; output='{target}'; columns={len(names) + 1}", "Benchmarks/labels.gnuplot"]
    subprocess.run(command, check=True)
