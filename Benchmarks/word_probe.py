"""The side of words.py that needs scikit-learn: accuracies of five folds, as NDJSON.

    word_probe.py TEXTS.ndjson NAME SHARD MODEL.safetensors …

For every name a text is the mean of the embeddings of its tokens in the shard. Two bags of n-grams come last.
"""

import json
import struct
import sys
from pathlib import Path

import numpy
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

STRENGTHS = (0.0003, 0.001, 0.003, 0.01)
TYPES = {"F32": "<f4", "I32": "<i4", "I64": "<i8", "BF16": "<u2"}


def tensors(path):
    """The tensors of the first safetensors blob of a file, by name; BF16 as 32-bit floats."""
    data = Path(path).read_bytes()
    (size,) = struct.unpack_from("<Q", data)
    found = {}
    for name, entry in json.loads(data[8 : 8 + size]).items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        array = numpy.frombuffer(data[8 + size + begin : 8 + size + end], TYPES[entry["dtype"]]).reshape(entry["shape"])
        found[name] = (array.astype("<u4") << 16).view("<f4") if entry["dtype"] == "BF16" else array
    return found


def means(shard, model):
    rows = tensors(shard)
    embedding = next(array for name, array in tensors(model).items() if name.endswith("wte.weight"))
    return numpy.stack(
        [embedding[ids[:length]].mean(0) for ids, length in zip(rows["input_ids"], rows["lengths"], strict=True)]
    )


def report(name, models, features, labels):
    """The accuracies of the model that is best over all folds."""
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    best = max((cross_val_score(model, features, labels, cv=folds) for model in models), key=lambda found: found.mean())
    print(json.dumps({"name": name, "accuracies": list(best)}), flush=True)


def main(texts, *bases):
    records = [json.loads(line) for line in Path(texts).read_text(encoding="utf-8").splitlines()]
    labels = [record["label"] for record in records]
    regressions = [make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=300)) for c in STRENGTHS]
    for name, shard, model in zip(bases[::3], bases[1::3], bases[2::3], strict=True):
        report(f"mean of the token embeddings, {name}", regressions, means(shard, model), labels)
    plain = [record["text"] for record in records]
    words = TfidfVectorizer(token_pattern=r"\w+", sublinear_tf=True)
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    report("words, TF-IDF + SVM", [make_pipeline(words, LinearSVC())], plain, labels)
    report("characters (2–5), TF-IDF + SVM", [make_pipeline(characters, LinearSVC())], plain, labels)


main(*sys.argv[1:])
