"""Messages a second: the linear model, GPT-2, a cascade of both, and their average; and training of the linear model beside
scikit-learn's."""

import json

from harness import BIN, median
from quality import scores
from results import number, row

MESSAGES = {"linear": 200_000, "cascade": 20_000, "model": 4_000, "average": 4_000}


def linear(bench):
    out, _ = scores(bench, "sms-spam", "base", 1)
    model = out / "model"
    directory = bench.out / "linear"
    train = [BIN / "baseline", "--quiet", out / "train.ndjson", "--out", directory, "--force"]
    seconds = [bench.run(*train).seconds for _ in range(bench.runs)]
    ways = {
        "linear": ["--model", directory],
        "model": ["--model", model],
        "cascade": ["--model", model, "--cascade", directory],
        "average": ["--model", model, "--average", directory],
    }
    rates = {}
    for name, options in ways.items():
        count = MESSAGES[name] // (100 if bench.quick else 1)
        path = texts(bench, out, count)
        score = [BIN / "score", "--quiet", *options, path]
        rates[name] = [count / bench.run(*score).seconds for _ in range(bench.runs)]
        bench.say(f"{name}: {number(median(rates[name]))} messages/s")
    rows = [
        row(
            "training of the linear model", {"rate": f"{number(median(seconds))} s, target: 1 s"}, "baseline",
            {"seconds": seconds}, 1 / median(seconds),
        )
    ]  # fmt: skip
    for name, title in (
        ("linear", "linear model"), ("model", "GPT-2 of `pipelines/base`"), ("cascade", "cascade of both, from 0.99"),
        ("average", "average of both"),
    ):  # fmt: skip
        target = ", target: 100,000" if name == "linear" else ""
        command = {"cascade": "score --cascade", "average": "score --average"}.get(name, "score")
        rows.append(
            row(f"score: {title}", {"rate": f"{number(median(rates[name]))} messages/s{target}"}, command, {"rates": rates[name]})
        )
    return rows


def texts(bench, out, count):
    """Test messages, each with a number behind it, because equal ones are computed once."""
    with open(out / "test.ndjson", encoding="utf-8") as file:
        known = [" ".join(json.loads(line)["text"].split()) for line in file]
    path = bench.out / "messages.txt"
    with open(path, "w", encoding="utf-8") as file:
        for number_ in range(count):
            file.write(f"{known[number_ % len(known)]} {number_}\n")
    return path
