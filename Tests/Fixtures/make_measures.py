"""Writes measures.ndjson: what scikit-learn computes of 1,000 random cases, which the tests draw in the same way. Run:

    pip install scikit-learn scipy
    python make_measures.py [FILE]

A line is a case: its number, and every measure by the name that `evaluate --format json` gives it; null where scikit-learn
refuses (AUC and average precision where a label doesn't occur, recall at a false positive rate likewise). Numbers have 11 digits.

The generator of case `number`: x ← x·6364136223846793005 + 1442695040888963407 mod 2⁶⁴, from x = number, each number being
(x >> 33) mod what is asked for. After five numbers that nothing takes, in this order: labels 2 … 6; records 1 … 300 (every fifth case: 1 … 8); whether probabilities
have few distinct values; whether labels are those of the largest probability; whether prevalences are stated; for every record its
label, one weight for each label (0 … 4, or 0 … 9999), of which the probabilities are made, and its predicted label where that is
free; the prevalences' weights, 1 … 9. The weight of a record's own label grows by a third of the largest one, rounded down.

The measures of more than two labels are means of each label against the others; the calibration error has 15 bins of equal width.
Wilson's interval and McNemar's test follow scipy and the published formulas. scikit-learn 1.9 gives the committed numbers.
"""

import json
import os
import sys
import warnings

import numpy as np
from scipy.stats import binomtest
from sklearn import metrics

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = sys.argv[1] if len(sys.argv) > 1 else f"{HERE}/measures.ndjson"
RATE = 0.1
warnings.filterwarnings("ignore")


class Numbers:
    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % bound


def case(number):
    numbers = Numbers(number)
    for _ in range(5):
        numbers.below(2)
    K = 2 + numbers.below(5)
    n = 1 + numbers.below(8 if number % 5 == 0 else 300)
    few, top, stated = numbers.below(2), numbers.below(2), numbers.below(3) == 0
    expected, predicted, rows = [], [], []
    for _ in range(n):
        expected.append(numbers.below(K))
        weights = [numbers.below(5 if few else 10000) for _ in range(K)]
        if sum(weights) == 0:
            weights = [1] * K
        # The true label is likelier than others.
        weights[expected[-1]] += max(weights) // 3
        rows.append([weight / sum(weights) for weight in weights])
        predicted.append(int(np.argmax(rows[-1])) if top else numbers.below(K))
    prevalence = [1 + numbers.below(9) for _ in range(K)] if stated else None
    return K, np.array(expected), np.array(predicted), np.array(rows), prevalence


def recall_at(truth, score, weights):
    fpr, tpr, _ = metrics.roc_curve(truth, score, sample_weight=weights, drop_intermediate=False)
    return float(max(t for f, t in zip(fpr, tpr) if f <= RATE * (1 + 1e-12)))


def calibration_error(expected, rows, weights):
    confidence, right = rows.max(1), rows.argmax(1) == expected
    bins = np.clip(np.ceil(confidence * 15), 1, 15)
    return sum(
        abs((weights * (confidence - right))[bins == b].sum()) for b in range(1, 16)
    ) / weights.sum()


def measures(K, expected, predicted, rows, prevalence):
    weights = np.ones(len(expected))
    if prevalence:
        present = [k for k in range(K) if (expected == k).any()]
        total = sum(prevalence[k] for k in present)
        for k in present:
            weights[expected == k] = prevalence[k] / total * len(expected) / (expected == k).sum()
    options = {"sample_weight": weights}
    result = {
        "accuracy": metrics.accuracy_score(expected, predicted, **options),
        "balanced_accuracy": metrics.balanced_accuracy_score(expected, predicted, **options),
        "macro_precision": metrics.precision_score(expected, predicted, average="macro", zero_division=0, **options),
        "macro_recall": metrics.recall_score(expected, predicted, average="macro", zero_division=0, **options),
        "macro_f1": metrics.f1_score(expected, predicted, average="macro", zero_division=0, **options),
        "mcc": metrics.matthews_corrcoef(expected, predicted, **options),
        "log_loss": metrics.log_loss(expected, rows, labels=list(range(K)), **options),
        "ece": calibration_error(expected, rows, weights),
    }
    if K == 2:
        result["brier"] = metrics.brier_score_loss(expected, rows[:, 1], pos_label=1, **options)
    else:
        result["brier"] = metrics.brier_score_loss(expected, rows, labels=list(range(K)), scale_by_half=False, **options)
    columns = [1] if K == 2 else range(K)
    if all((expected == k).any() and (expected != k).any() for k in columns):
        if K == 2:
            result["roc_auc"] = metrics.roc_auc_score(expected, rows[:, 1], **options)
        else:
            result["roc_auc"] = metrics.roc_auc_score(expected, rows, multi_class="ovr", average="macro", **options)
        result["average_precision"] = np.mean(
            [metrics.average_precision_score(expected == k, rows[:, k], **options) for k in columns])
        result["recall_at_fpr"] = np.mean([recall_at(expected == k, rows[:, k], weights) for k in columns])
    else:
        result |= {"roc_auc": None, "average_precision": None, "recall_at_fpr": None}
    hits = int((expected == predicted).sum())
    interval = binomtest(hits, len(expected)).proportion_ci(method="wilson")
    result["wilson_low"], result["wilson_high"] = interval.low, interval.high
    a, b = int((expected == predicted).sum()), int((rows.argmax(1) == expected).sum())
    result["mcnemar"] = binomtest(a, a + b, 0.5).pvalue if a + b else 1.0
    return result


with open(TARGET, "w", encoding="utf-8") as file:
    for number in range(1000):
        found = measures(*case(number))
        line = {name: None if value is None else float(f"{value:.11g}") for name, value in found.items()}
        file.write(json.dumps({"case": number} | line, separators=(",", ":")) + "\n")
