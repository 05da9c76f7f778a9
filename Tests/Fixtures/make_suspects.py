"""Writes suspects.ndjson: which labels cleanlab suspects in random cases, which the tests draw in the same way. Run:

    pip install cleanlab
    python make_suspects.py [FILE]

A line is a case: its number, "suspects": the records in the order of find_label_issues(filter_by="prune_by_noise_rate",
return_indices_ranked_by="self_confidence"), and "joint": the calibrated confident joint. Cases are drawn with the generator of
make_measures.py: after five numbers that nothing takes labels 2 … 6, records 20 … 219; for every record its true label, its given
label (another one with a chance of 1 in 8), and a weight 1 … 100000 for each label, of which the true one's grows by the largest.

numpy sorts equal numbers differently on different processors; here in their order, which decides between equal counts when cleanlab
rounds the joint. Cases in which a count lies halfway between two whole numbers, or two equally far from one,
are left out: the last bit decides there. cleanlab 2.9 gives the committed numbers.
"""

import functools
import json
import os
import sys
import warnings

import numpy as np
from cleanlab.count import compute_confident_joint
from cleanlab.filter import find_label_issues

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = sys.argv[1] if len(sys.argv) > 1 else f"{HERE}/suspects.ndjson"
warnings.filterwarnings("ignore")
np.argsort = functools.partial(np.argsort, kind="stable")


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
    K, n = 2 + numbers.below(5), 20 + numbers.below(200)
    labels, rows = [], []
    for _ in range(n):
        true = numbers.below(K)
        labels.append((true + 1 + numbers.below(K - 1)) % K if numbers.below(8) == 0 else true)
        weights = [1 + numbers.below(100000) for _ in range(K)]
        weights[true] += max(weights)
        rows.append([weight / sum(weights) for weight in weights])
    return np.array(labels), np.array(rows)


with open(TARGET, "w", encoding="utf-8") as file:
    for number in range(80):
        labels, rows = case(number)
        counts = compute_confident_joint(labels, rows, calibrate=False)
        scaled = counts / counts.sum(1, keepdims=True) * np.bincount(labels)[:, None]
        fractions = scaled % 1
        near = np.abs(fractions[:, :, None] - fractions[:, None, :]) < 1e-9
        if (np.abs(fractions - 0.5) < 1e-9).any() or (near & (counts[:, :, None] != counts[:, None, :]) & (fractions[:, :, None] > 1e-9)).any():
            continue
        if len(set(labels)) < rows.shape[1]:
            raise SystemExit(f"case {number} lacks a label")
        found = find_label_issues(
            labels, rows, filter_by="prune_by_noise_rate", return_indices_ranked_by="self_confidence", n_jobs=1)
        joint = compute_confident_joint(labels, rows)
        file.write(json.dumps({"case": number, "suspects": found.tolist(), "joint": joint.tolist()}) + "\n")
