"""Writes baseline.json: TF-IDF, and a linear support vector machine, of some short texts by scikit-learn. Run:

    pip install scikit-learn
    python make_baseline.py [FILE]

"texts" and "labels" are the input. "values" has for each text {n-gram: TF-IDF} of words, and of runs of characters. "machines" has, for
three and for two classes (the texts of "news" left out), plain and with balanced class weights, C and the margins of the classes in
sorted order: for two, of the second one. scikit-learn 1.9 gives the committed numbers.
"""

import json
import os
import sys

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = sys.argv[1] if len(sys.argv) > 1 else f"{HERE}/baseline.json"

TEXTS = {
    "ham": [
        "See you at eight", "see  YOU tomorrow\tat lunch", "I'm home late, buy milk", "ok", "Ça va? À demain, Éloïse",
        "don't forget: 2 eggs_and 1 bread", "a b c", "Straße ΟΔΟΣΑ ǅ", "was she at lunch? yes she was",
    ],
    "news": [
        "Markets fall 3% as banks wait", "Rain at eight, says the weather office", "今日は 雨です 明日も雨", "élection: les banques",
        "the banks and the markets and the rain", "x² ½ Ⅷ ٣٤٥ numbers", "office\u00a0hours\u2003change\u0085today",
    ],
    "spam": [
        "WIN a FREE prize now!!!", "free free free ringtone 4u", "claim your prize: call 08001234567", "💰💰 win cash 💰 now",
        "URGENT! you win", "", "call now", "Free\n\nentry   in 2 a wkly comp",
    ],
}  # fmt: skip

labels = [label for label, texts in TEXTS.items() for _ in texts]
texts = [text for texts in TEXTS.values() for text in texts]


def vectorizers():
    return TfidfVectorizer(ngram_range=(1, 2)), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5))


def values(vectorizer):
    matrix = vectorizer.fit_transform(texts)
    names = vectorizer.get_feature_names_out()
    return [{names[i]: float(row[0, i]) for i in row.indices} for row in matrix]


def machine(wanted, balanced, cost):
    chosen = [(text, label) for text, label in zip(texts, labels) if label in wanted]
    svm = LinearSVC(C=cost, class_weight="balanced" if balanced else None, tol=1e-9, max_iter=1000000, random_state=0)
    model = make_pipeline(make_union(*vectorizers()), svm)
    model.fit([text for text, _ in chosen], [label for _, label in chosen])
    margins = model.decision_function([text for text, _ in chosen])
    return {"labels": wanted, "balanced": balanced, "cost": cost, "margins": margins.tolist()}


words, characters = vectorizers()
case = {
    "texts": texts,
    "labels": labels,
    "values": {"words": values(words), "characters": values(characters)},
    "machines": [
        machine(wanted, balanced, cost)
        for wanted in (["ham", "news", "spam"], ["ham", "spam"])
        for balanced in (False, True)
        for cost in (0.3, 1.0, 10.0)
    ],
}
with open(TARGET, "w", encoding="utf-8") as file:
    json.dump(case, file, indent=1)
    file.write("\n")
