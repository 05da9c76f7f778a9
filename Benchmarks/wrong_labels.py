"""Labels that are exchanged on purpose: how many of them are among the first that suspects lists."""

import json
import random
import re

from harness import BIN
from quality import scores
from results import row

SHARE, LOOKED_AT = 0.02, 0.04


def wrong_labels(bench):
    rows = []
    for pipeline in ("demo", "routing", "sms-spam"):
        out, _ = scores(bench, pipeline, "base", 1)
        options = re.search(r" finetune (.*?)(,? seed \d+)?$", (out / "settings").read_text().strip())[1].split()
        # What decides when finetune evaluates is nothing to suspects.
        for name in ("--eval-every", "--eval-batches"):
            if name in options:
                del options[options.index(name) : options.index(name) + 2]
        found = []
        for seed in range(1, bench.runs + 1):
            with open(out / "train.ndjson", encoding="utf-8") as file:
                records = [json.loads(line) for line in file]
            labels = sorted({record["label"] for record in records})
            chance = random.Random(seed)
            exchanged = set(chance.sample(range(len(records)), round(SHARE * len(records))))
            for place in exchanged:
                records[place]["label"] = chance.choice([label for label in labels if label != records[place]["label"]])
            path = bench.out / "exchanged.ndjson"
            path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
            bench.run(BIN / "tokenize-pad", "--quiet", "--tokenizer", "pipelines/base", path, stdout=bench.out / "exchanged.tokens")
            run = bench.run(
                BIN / "suspects", "--quiet", "--base", "pipelines/base", *options, "--seed", seed, bench.out / "exchanged.tokens"
            )
            first = {event["line"] - 1 for event in run.events()[: round(LOOKED_AT * len(records))]}
            found.append(len(first & exchanged) / len(exchanged))
            bench.say(
                f"{pipeline}, seed {seed}: {found[-1]:.0%} of {len(exchanged)} in the first {LOOKED_AT:.0%}, {run.seconds:.0f} s"
            )
        cells = {
            "texts, exchanged": f"{len(records):,}, {len(exchanged)}",
            "found in the first 4 %": " ".join(f"{share:.0%}" for share in found), "asked": "80 %",
        }  # fmt: skip
        rows.append(row(pipeline, cells, "suspects --base pipelines/base …", {"found": found, "seconds": run.seconds}))
    return rows
