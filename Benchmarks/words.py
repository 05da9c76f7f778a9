"""How much of a text's topic the token embeddings of a base know by themselves.

    BASES='5M=DIR 17M=pipelines/base' make bench ONLY=words

A text of routing is the mean of the embeddings of its tokens; a logistic regression learns the classes from that. Accuracy over
five folds of the training and validation parts, beside bags of words and of characters. The test part isn't looked at.
"""

import statistics
from pathlib import Path

from harness import BIN
from results import row

PIPELINE = "routing"


def words(bench):
    named = bench.bases()
    bench.need_sklearn()
    out = bench.out / "words"
    parts = [out / "parts" / f"{part}.ndjson" for part in ("train", "validation")]
    bench.make(PIPELINE, *parts, out=out / "parts", settings=["BASE=pipelines/base"])
    texts = out / "texts.ndjson"
    texts.write_bytes(b"".join(part.read_bytes() for part in parts))
    arguments = []
    for name, base in named:
        shard = out / f"{name}.tokens"
        bench.run(BIN / "tokenize-pad", "--quiet", "--tokenizer", base, texts, stdout=shard)
        arguments += [name, shard, Path(base) / "model.safetensors"]
    found = bench.run(bench.python, "Benchmarks/word_probe.py", texts, *arguments).events()
    rows = []
    for event in found:
        shares = [100 * share for share in event["accuracies"]]
        text = f"{statistics.fmean(shares):.1f} ± {statistics.stdev(shares):.1f}"
        bench.say(f"{event['name']}: {text} %")
        rows.append(row(event["name"], {"accuracy %": text}, "make bench ONLY=words BASES=…", {"shares": shares}))
    return rows
