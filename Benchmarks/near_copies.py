"""Planted copies of texts, edited more and more: how many of them split keeps with their originals, and how long it takes."""

import json
import random

from harness import BIN
from quality import scores
from results import number, row

LEVELS = (0.02, 0.05, 0.1, 0.15, 0.2)
LINES = 1_000_000


def shingles(text):
    folded = " ".join(text.lower().split())
    return {folded[i : i + 5] for i in range(max(1, len(folded) - 4))}


def similarity(a, b):
    a, b = shingles(a), shingles(b)
    return len(a & b) / len(a | b)


def edited(text, share, chance):
    """The text with a share of its words replaced."""
    words = text.split()
    for place in chance.sample(range(len(words)), max(1, round(share * len(words)))):
        words[place] = "".join(chance.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(len(words[place])))
    return " ".join(words)


def parts_of(bench, records, *options):
    """The part of every record, by its id."""
    source, result = bench.out / "planted.ndjson", {}
    source.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    out = bench.out / "planted"
    bench.run(BIN / "split", "--quiet", "--out", out, "--fractions", "0.4,0.2,0.4", *options, source)
    for part in ("train", "validation", "test"):
        with open(out / f"{part}.ndjson", encoding="utf-8") as file:
            result |= {json.loads(line)["id"]: part for line in file}
    return result


def near_copies(bench):
    scores(bench, "sms-spam", "base", 1)
    with open(bench.out / "quality/sms-spam/base-1/records.ndjson", encoding="utf-8") as file:
        texts = list(dict.fromkeys(json.loads(line)["text"] for line in file))
    texts = [text for text in texts if len(text.split()) >= 20]
    rows = []
    for level in LEVELS:
        chance = random.Random(1)
        records, pairs = [], []
        for number_, text in enumerate(texts):
            copy = edited(text, level, chance)
            records += [{"id": f"{number_}a", "text": text}, {"id": f"{number_}b", "text": copy}]
            pairs.append(similarity(text, copy))
        # What lies in one part by chance lies apart with another of eight seeds, but for 4 in 10,000.
        together = [True] * len(pairs)
        for seed in range(1, 9):
            parts = parts_of(bench, records, "--group-by", "near-duplicates", "--seed", seed)
            for i in range(len(pairs)):
                together[i] = together[i] and parts[f"{i}a"] == parts[f"{i}b"]
        near = [kept for kept, value in zip(together, pairs) if value >= 0.8]
        far = [kept for kept, value in zip(together, pairs) if value < 0.8]
        cells = {
            "pairs with similarity ≥ 0.8": f"{len(near):,}",
            "kept together": f"{sum(near) / len(near):.2%}" if near else "–", "target": "99 %",
            "other pairs that were kept together": f"{sum(far)} of {len(far):,}",
        }  # fmt: skip
        bench.say(f"{level:.0%} of words: {cells}")
        rows.append(
            row(
                f"{level:.0%} of the words replaced",
                cells,
                "split --group-by near-duplicates",
                {"near": len(near), "kept": sum(near)},
            )
        )
    count = 20_000 if bench.quick else LINES
    chance, many = random.Random(2), bench.out / "many.ndjson"
    vocabulary = sorted({word for text in texts for word in text.split()})
    with open(many, "w", encoding="utf-8") as file:
        for i in range(count):
            file.write(json.dumps({"id": str(i), "text": " ".join(chance.choices(vocabulary, k=12))}) + "\n")
    run = bench.run(
        BIN / "split", "--quiet", "--part", "train", "--group-by", "near-duplicates", many, stdout=bench.out / "many.train"
    )
    cells = {"time, memory": f"{number(run.seconds)} s, {run.peak_bytes / 2**20:,.0f} MiB"}
    rows.append(row(f"{count:,} lines of 12 random words", cells, "split --group-by near-duplicates", {"seconds": run.seconds}))
    many.unlink()
    return rows
