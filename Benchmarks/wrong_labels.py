"""Labels that are exchanged on purpose: how many of them are among the first that suspects lists."""

import json
import random
import re

from harness import BIN
from quality import scores
from results import row

SHARE, LOOKED_AT = 0.02, 0.04


def share(events, key, count, exchanged):
    """How many of the exchanged records are among the first `count` events."""
    first = sorted(events, key=key)[:count]
    return len({event["line"] - 1 for event in first} & exchanged) / len(exchanged)


def wrong_labels(bench):
    rows = []
    for pipeline in ("demo", "routing", "sms-spam"):
        out, _ = scores(bench, pipeline, "base", 1)
        options = re.search(r" finetune (.*?)(,? seed \d+)?$", (out / "settings").read_text().strip())[1].split()
        # What decides when finetune evaluates is nothing to suspects.
        for name in ("--eval-every", "--eval-batches"):
            if name in options:
                del options[options.index(name) : options.index(name) + 2]
        found, together = [], []
        for seed in range(1, bench.runs + 1):
            with open(out / "train.ndjson", encoding="utf-8") as file:
                records = [json.loads(line) for line in file]
            labels = sorted({record["label"] for record in records})
            chance = random.Random(seed)
            exchanged = set(chance.sample(range(len(records)), round(SHARE * len(records))))
            for place in exchanged:
                records[place]["label"] = chance.choice([label for label in labels if label != records[place]["label"]])
            path, tokens = bench.out / "exchanged.ndjson", bench.out / "exchanged.tokens"
            path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
            bench.run(BIN / "tokenize-pad", "--quiet", "--tokenizer", "pipelines/base", path, stdout=tokens)
            scored, linear = bench.out / "exchanged.scores", bench.out / "exchanged.linear"
            run = bench.run(
                BIN / "suspects", "--quiet", "--base", "pipelines/base", *options, "--seed", seed, "--all", tokens, stdout=scored
            )
            bench.run(
                BIN / "baseline", "--quiet", path, "--out", bench.out / "exchanged.model", "--force", "--out-of-fold", linear
            )
            both = bench.run(BIN / "suspects", "--quiet", "--scores", scored, "--average", linear, "--all").events()
            with open(scored, encoding="utf-8") as file:
                alone = [event for event in map(json.loads, file) if "rank" in event]
            looked_at = round(LOOKED_AT * len(records))
            found.append(share(alone, lambda event: event["rank"], looked_at, exchanged))
            # Fewer than 4 % are suspected by both together: the others follow by their probability.
            together.append(share(both, lambda event: event["probabilities"][event["expected"]], looked_at, exchanged))
            bench.say(
                f"{pipeline}, seed {seed}: {found[-1]:.0%} of {len(exchanged)} in the first {LOOKED_AT:.0%}, averaged "
                f"{together[-1]:.0%}, {run.seconds:.0f} s"
            )
        cells = {
            "texts, exchanged": f"{len(records):,}, {len(exchanged)}",
            "found in the first 4 %": " ".join(f"{part:.0%}" for part in found),
            "averaged with baseline": " ".join(f"{part:.0%}" for part in together), "target": "80 %",
        }  # fmt: skip
        values = {"found": found, "together": together, "seconds": run.seconds}
        rows.append(row(pipeline, cells, "suspects --base pipelines/base …", values))
    return rows
