"""What calibrate promises, on random halves of labelled texts that the model wasn't trained on: fitted on one, counted on the other."""

import json
import math
import random
import shutil
import statistics

from harness import BIN
from quality import baseline, read, scores
from results import row

SPLITS = 200
THRESHOLD = ("--positive", "spam", "--max-fpr", "0.01")


def applied(decision, probabilities):
    """Calibrated probabilities, as docs/formats.md has them."""
    powers = {
        label: max(p, 1e-300) ** (1 / decision["temperature"]) * decision["ratios"][label] for label, p in probabilities.items()
    }
    total = sum(powers.values())
    return {label: power / total for label, power in powers.items()}


def calibration_error(rows):
    """Expected calibration error over 15 bins, of (probabilities, expected label)."""
    bins = {}
    for probabilities, expected in rows:
        top = max(probabilities, key=probabilities.get)
        bins.setdefault(max(1, math.ceil(probabilities[top] * 15)), []).append((probabilities[top], top == expected))
    return sum(abs(sum(p - right for p, right in bin)) for bin in bins.values()) / len(rows)


def fitted(bench, model, records, *options):
    path = bench.out / "half.ndjson"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    bench.run(BIN / "calibrate", "--quiet", model, *options, path)
    return json.loads((model / "decision.json").read_text(encoding="utf-8"))


def without_shares(model, copy):
    """A copy of a model directory that doesn't tell the shares of the labels in training, which aren't those of other models."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(model, copy)
    config = json.loads((copy / "config.json").read_text(encoding="utf-8"))
    config["gpt2kit"].pop("label_shares", None)
    (copy / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return copy


def decisions(bench):
    out, parts = scores(bench, "sms-spam", "base", 1)
    rows = []
    linear = without_shares(out / "model", bench.out / "without-shares")
    for name, model, parts in (("GPT-2", out / "model", parts), ("baseline", linear, baseline(bench, out))):
        records = [record for part in parts for record in part]
        held, promised, rates, coverages, before, after = [], [], [], [], [], []
        for seed in range(10 if bench.quick else SPLITS):
            order = records[:]
            random.Random(seed).shuffle(order)
            half, other = order[: len(order) // 2], order[len(order) // 2 :]
            decision = fitted(bench, model, half, *THRESHOLD, "--coverage", "0.95")
            calibrated = [(applied(decision, record["probabilities"]), record["expected"]) for record in other]
            bound = decision["threshold"]["probability"]
            ham = [p["spam"] >= bound for p, expected in calibrated if expected == "ham"]
            rates.append(statistics.fmean(ham))
            held.append(rates[-1] <= 0.01)
            bound = fitted(bench, model, half, *THRESHOLD, "--confidence", "0.95")["threshold"]["probability"]
            promised.append(statistics.fmean(p["spam"] >= bound for p, expected in calibrated if expected == "ham"))
            sets = decision["sets"]["probabilities"]
            coverages.append(
                {
                    label: statistics.fmean(p[label] >= sets[label] for p, expected in calibrated if expected == label)
                    for label in sets
                }
            )
            before.append(calibration_error([(record["probabilities"], record["expected"]) for record in other]))
            after.append(calibration_error(calibrated))
        (model / "decision.json").unlink()
        cells = {
            "false positives, target: at most 1 %": f"{statistics.fmean(rates):.2%} on average, at most 1 % in {statistics.fmean(held):.0%} of {len(held)} splits",
            "with --confidence 0.95": f"{statistics.fmean(promised):.2%} on average, at most 1 % in {statistics.fmean(rate <= 0.01 for rate in promised):.0%}",
            "coverage, target: 95 %": ", ".join(
                f"{label} {statistics.fmean(item[label] for item in coverages):.1%}" for label in coverages[0]
            ),
            "ECE before, after": f"{statistics.fmean(before):.4f}, {statistics.fmean(after):.4f}",
        }
        bench.say(f"{name}: {cells}")
        data = {"rates": rates, "promised": promised, "coverages": coverages, "before": before, "after": after}
        rows.append(row(f"sms-spam, {name}", cells, "calibrate --positive spam --max-fpr 0.01 --coverage 0.95", data))
    return rows
