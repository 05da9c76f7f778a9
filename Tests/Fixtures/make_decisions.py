"""Writes decisions.ndjson: temperatures, quantiles of beta distributions and thresholds of sets by scipy and numpy. Run:

    pip install scipy
    python make_decisions.py [FILE]

The first lines have "beta": [a, b, p, quantile]. The others are cases, drawn as make_measures.py draws them (with as many records
as there, but without predicted labels and prevalences): "case": its number, "temperature": the one with the least cross entropy,
"log_loss" before and after, "sets": for every label the probability from which on it belongs to the sets of coverage 0.8.
"""

import json
import os
import sys

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.stats import beta

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = sys.argv[1] if len(sys.argv) > 1 else f"{HERE}/decisions.ndjson"
COVERAGE = 0.8


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
    K, n = 2 + numbers.below(5), 100 + numbers.below(300)
    expected, rows = [], []
    for _ in range(n):
        expected.append(numbers.below(K))
        weights = [1 + numbers.below(10000) for _ in range(K)]
        weights[expected[-1]] += max(weights) // 3
        rows.append([weight / sum(weights) for weight in weights])
    return K, np.array(expected), np.array(rows)


def loss(rows, expected, inverse):
    logs = inverse * np.log(rows)
    return float(np.mean(np.log(np.exp(logs).sum(1)) - logs[np.arange(len(rows)), expected]))


with open(TARGET, "w", encoding="utf-8") as file:
    for a, b in [(1, 150), (1, 1), (3, 98), (11, 2990), (0.5, 0.5), (200, 1), (40, 60), (1, 100000)]:
        for p in [0.025, 0.5, 0.95, 0.999]:
            file.write(json.dumps({"beta": [a, b, p, float(beta.ppf(p, a, b))]}) + "\n")
    for number in range(60):
        K, expected, rows = case(number)
        best = minimize_scalar(
            lambda inverse: loss(rows, expected, inverse), bounds=(0.02, 20), method="bounded", options={"xatol": 1e-12})
        scaled = rows**best.x
        scaled /= scaled.sum(1, keepdims=True)
        bounds = []
        for k in range(K):
            own = np.sort(scaled[expected == k, k])
            place = int(np.floor((len(own) + 1) * (1 - COVERAGE) + 1e-9))
            bounds.append(float(own[place - 1]) if place else 0.0)
        file.write(json.dumps({
            "case": number, "temperature": 1 / best.x, "log_loss": [loss(rows, expected, 1), best.fun], "sets": bounds}) + "\n")
