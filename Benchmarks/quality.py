"""How good the pipelines' models are on their test parts: from random weights, from the base, from the base adapted to the
task's texts, beside scikit-learn's TF-IDF and the filter `baseline`, and averaged with that. Nothing is chosen here but the weight of the average, on validation.
"""

import json
import math
import random
import statistics

from harness import BIN
from results import row

SEEDS = 5
STARTS = {"random weights": "random", "base": "base", "base, adapted": "adapted"}
# The targets of the model alone, and averaged with the baseline.
ASKED = {"demo": ("≥ 96.5 %", "≥ 97 %"), "routing": ("≥ 80 %", "≥ 82 %"), "sms-spam": ("≥ 98.5 %", "≥ 98.9 %")}


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def settings(pipeline, start):
    """What make is told to start from these weights."""
    if start != "random":
        return ["BASE=pipelines/base", "ADAPT=" + (ADAPT if start == "adapted" else "")]
    base = "pipelines/base" if pipeline == "sms-spam" else f"pipelines/{pipeline}"
    more = ["TOKENIZER=pipelines/base", "FINETUNE=" + RANDOM] if pipeline == "sms-spam" else []
    return [f"BASE=random:{base}/config.json", "ADAPT="] + more


# What pipelines/common/adapt.mk does where there are texts without labels: here on the training texts alone.
ADAPT = "--epochs 5 --batch-rows 16 --lr 5e-4 --schedule linear --warmup 0.1 --precision auto"
RANDOM = "--trainable all --pool mean-text --epochs 10 --batch 16 --lr 1e-3 --schedule linear --warmup 0.1 --training-precision auto"


def scores(bench, pipeline, start, seed):
    """What a run's model says of validation and test."""
    out = bench.out / "quality" / pipeline / f"{start}-{seed}"
    parts = [out / "validation-scores.ndjson", out / "scores.ndjson"]
    if not all(path.exists() for path in parts):
        bench.say(f"{pipeline}, {start}, seed {seed}")
        bench.make(pipeline, *parts, out=out, settings=[f"SEED={seed}", *settings(pipeline, start)])
    return out, [read(path) for path in parts]


def tfidf(bench, out):
    """What scikit-learn's TF-IDF with a linear SVM says of test."""
    return bench.run(bench.python, "pipelines/common/tfidf.py", out / "train.ndjson", stdin=out / "test.ndjson").events()


def baseline(bench, out):
    """What the filter's model says of validation and test."""
    bench.run(BIN / "baseline", "--quiet", out / "train.ndjson", "--out", out / "linear", "--force")
    score = [BIN / "score", "--quiet", "--model", out / "linear", "--input", "ndjson"]
    return [bench.run(*score, out / f"{part}.ndjson").events() for part in ("validation", "test")]


def averaged(model, ngrams):
    """The labels of test after a weighted mean of log-probabilities, with the weight of the least loss on validation."""

    def mixed(weight, part):
        result = []
        for ours, theirs in zip(model[part], ngrams[part]):
            logs = {
                label: weight * math.log(max(p, 1e-9)) + (1 - weight) * math.log(max(theirs["probabilities"][label], 1e-9))
                for label, p in ours["probabilities"].items()
            }
            top = max(logs.values())
            total = math.log(sum(math.exp(x - top) for x in logs.values())) + top
            result.append({label: x - total for label, x in logs.items()})
        return result

    def loss(weight):
        return -sum(logs[record["expected"]] for logs, record in zip(mixed(weight, 0), ngrams[0]))

    weight = min((step / 20 for step in range(21)), key=loss)
    return weight, [max(logs, key=logs.get) for logs in mixed(weight, 1)]


def measures(labels, expected):
    """Accuracy, balanced accuracy, and F1 of spam where there is such a label."""
    classes = sorted(set(expected))
    hits = [label == wanted for label, wanted in zip(labels, expected)]
    recalls = [statistics.fmean(hit for hit, wanted in zip(hits, expected) if wanted == name) for name in classes]
    result = {"accuracy": statistics.fmean(hits), "balanced": statistics.fmean(recalls)}
    if "spam" in classes:
        both = sum(label == wanted == "spam" for label, wanted in zip(labels, expected))
        result["F1 of spam"] = 2 * both / (labels.count("spam") + expected.count("spam"))
    return result


def difference(runs, others, expected):
    """How much better the runs are than the others on the same texts: mean, and a 95 % interval over the texts."""
    def share(runs, i):
        return statistics.fmean(run[i] == expected[i] for run in runs)

    gains = [share(runs, i) - share(others, i) for i in range(len(expected))]
    chance = random.Random(1)
    means = sorted(statistics.fmean(chance.choices(gains, k=len(gains))) for _ in range(2000))
    return statistics.fmean(gains), means[50], means[1949]


def points(value):
    return f"{100 * value:+.1f}"


def cells(name, runs, expected, others, target):
    found = [measures(labels, expected) for labels in runs]
    result = {}
    for measure in found[0]:
        values = [100 * item[measure] for item in found]
        result[measure] = f"{statistics.fmean(values):.1f} ± {statistics.stdev(values):.1f}" if len(values) > 1 else f"{values[0]:.1f}"
    if others is not None:
        mean, low, high = difference(runs, others, expected)
        result["than TF-IDF + SVM"] = f"{points(mean)} ({points(low)} to {points(high)})"
    return {"model": name} | result | {"target": target}


def quality(bench):
    bench.need_sklearn()
    rows = []
    for pipeline, (alone, together) in ASKED.items():
        out, (_, test) = scores(bench, pipeline, "base", 1)
        expected = [record["label"] for record in read(out / "test.ndjson")]
        svm = [record["label"] for record in tfidf(bench, out)]
        ngrams = baseline(bench, out)
        table = [("TF-IDF + SVM", [svm], None, ""), ("baseline", [[r["label"] for r in ngrams[1]]], [svm], "")]
        for name, start in STARTS.items():
            runs, means = [], []
            for seed in range(1, (2 if bench.quick else SEEDS) + 1):
                _, found = scores(bench, pipeline, start, seed)
                runs.append([record["label"] for record in found[1]])
                means.append(averaged(found, ngrams)[1])
            table.append((name, runs, [svm], alone if start != "random" else ""))
            table.append((f"{name}, averaged with baseline", means, [svm], together if start != "random" else ""))
        for name, runs, others, target in table:
            values = cells(name, runs, expected, others, target)
            once = {"TF-IDF + SVM": "pipelines/common/tfidf.py", "baseline": f"make baseline PIPELINE={pipeline}"}
            command = once.get(name, f"make all PIPELINE={pipeline} SEED=1 … {len(runs)}")
            rows.append(row(pipeline, values, command, {"accuracies": [measures(run, expected)["accuracy"] for run in runs]}))
    return rows
