#!/usr/bin/env python3
"""TF-IDF of words (1-2) and characters (2-5) with a linear SVM: what a pipeline's model has to be compared with.

    tfidf.py [--logistic [--probabilities]] [--balanced] TRAIN.ndjson < TEST.ndjson | evaluate

Reads labelled records; writes one {"expected": ..., "label": ...} for each of stdin, in order. --logistic takes
logistic regression instead of the SVM, and --probabilities writes its probabilities too. --balanced weighs classes by the inverse of their frequency. Settings are
scikit-learn's own: nothing is tuned. Needs scikit-learn.
"""
import argparse
import json
import sys

try:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC
except ImportError:
    print("tfidf.py: scikit-learn is missing: pip install scikit-learn", file=sys.stderr)
    sys.exit(69)

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("train")
parser.add_argument("--logistic", action="store_true")
parser.add_argument("--probabilities", action="store_true")
parser.add_argument("--balanced", action="store_true")
arguments = parser.parse_args()
if arguments.probabilities and not arguments.logistic:
    parser.error("--probabilities needs --logistic: the SVM has none")

with open(arguments.train, encoding="utf-8") as file:
    train = [json.loads(line) for line in file]
test = [json.loads(line) for line in sys.stdin]

weight = "balanced" if arguments.balanced else None
features = make_union(
    TfidfVectorizer(ngram_range=(1, 2)), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5)))
classifier = (
    LogisticRegression(max_iter=1000, class_weight=weight) if arguments.logistic
    else LinearSVC(class_weight=weight, random_state=0))
model = make_pipeline(features, classifier)
model.fit([record["text"] for record in train], [record["label"] for record in train])
texts = [record["text"] for record in test]
lines = [{"expected": record["label"], "label": label} for record, label in zip(test, model.predict(texts))]
if arguments.probabilities:
    for line, row in zip(lines, model.predict_proba(texts)):
        line["probabilities"] = dict(zip(model.classes_, row.tolist()))
for line in lines:
    print(json.dumps(line))
