"""GPT-2 and the linear model, alone and together, on the test parts: accuracies, and each against the linear model on the same
texts, as `evaluate --compare` tests it; messages a second of each."""

import json

from harness import BIN, median
from linear import texts
from quality import averaged, baseline, scores
from results import number, row

MESSAGES = {"linear": 40_000, "cascade": 2_000, "model": 2_000, "average": 2_000}


def together(bench):
    rows = []
    for pipeline in ("demo", "routing", "sms-spam"):
        linear_scores = None
        for start, title in (("base", "GPT-2"), ("adapted", "GPT-2, adapted")):
            out, found = scores(bench, pipeline, start, 1)
            weight, _ = averaged(found, baseline(bench, out))  # chosen on validation
            share_of_linear = f"{1 - weight:.2f}"
            gpt2, ngrams = ["--model", out / "model", "--raw"], out / "linear"
            if not linear_scores:
                linear_scores = out / "linear-scores.ndjson"
                rows.append(measured(bench, out, pipeline, "linear", "linear model", ["--model", ngrams]))
            for way, name, options in (
                ("model", title, gpt2),
                ("cascade", f"{title}, asked where the linear model is below 0.99", [*gpt2, "--cascade", ngrams]),
                (
                    "average", f"{title}, averaged with {share_of_linear} of the linear model",
                    [*gpt2, "--average", ngrams, "--average-share", share_of_linear],
                ),
            ):  # fmt: skip
                rows.append(measured(bench, out, pipeline, way, name, options, linear_scores))
    return rows


def measured(bench, out, pipeline, way, name, options, compared=None):
    """A row about one way of scoring, beside the scores that it is compared with."""
    scored = out / f"{way}-scores.ndjson"
    run = [BIN / "score", "--quiet", *options]
    bench.run(*run, "--input", "ndjson", out / "test.ndjson", stdout=scored)
    compare = ["--compare", compared] if compared else []
    result = json.loads(bench.run(BIN / "evaluate", "--quiet", "--format", "json", scored, *compare).output)
    count = MESSAGES[way] // (20 if bench.quick else 1)
    path = texts(bench, out, count)
    rates = [count / bench.run(*run, path).seconds for _ in range(bench.runs)]
    cells = {"model": name, "accuracy": share(result["accuracy"], result["intervals"]["accuracy"])}
    if compared:
        pair = result["comparison"]
        difference = pair["accuracy_difference"]
        low, high = (100 * difference["interval"][end] for end in ("low", "high"))
        cells["than the linear model"] = f"{100 * difference['value']:+.1f} ({low:+.1f} to {high:+.1f})"
        cells["right where the other is wrong, and the reverse"] = f"{pair['only_this']}, {pair['only_other']}"
        cells["McNemar's p"] = f"{pair['mcnemar_p']:.2g}"
    cells["messages/s"] = number(median(rates))
    bench.say(f"{pipeline}, {name}: {cells['accuracy']}, {cells['messages/s']} messages/s")
    return row(pipeline, cells, f"score {way}; evaluate --compare", {"rates": rates, "correct": result["correct"]})


def share(value, interval):
    return f"{100 * value:.1f} ({100 * interval['low']:.1f} to {100 * interval['high']:.1f})"
