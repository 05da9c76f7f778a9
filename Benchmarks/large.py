"""A training set whose features don't fit into the memory that the process may have."""

import json

from harness import BIN
from results import number, row

GIBIBYTE = 2**30
# The shape of GPT-2 at a third of its width, so that its pass over 200,000 texts takes minutes.
CONFIG = {"model_type": "gpt2", "vocab_size": 50257, "n_positions": 1024, "n_embd": 256, "n_layer": 3, "n_head": 4}
LIMIT = 3 * GIBIBYTE


def large(bench):
    data, count = bench.messages("sms-spam"), 2000 if bench.quick else 200_000
    config = bench.out / "third.json"
    config.write_text(json.dumps(CONFIG), encoding="utf-8")
    messages = [json.loads(line) for line in open(data / "train.ndjson", encoding="utf-8")]
    records, shards = bench.out / "large.ndjson", bench.out / "large.safetensors"
    with open(records, "w", encoding="utf-8") as file:
        for index in range(count):
            message = messages[index % len(messages)]
            # The number makes every text one of its own: equal texts would be computed once.
            text = {"label": message["label"], "text": f"{index} {message['text']}"}
            file.write(json.dumps(text, ensure_ascii=False) + "\n")
    tokenize = [BIN / "tokenize-pad", "-q", "--tokenizer", bench.tokenizer, "--length", data / "train.safetensors"]
    bench.run(*tokenize, records, stdout=shards)
    options = ["--trainable", "last-1", "--pool", "last-token", "--epochs", 1, "--batch", 32, "--eval-every", 10**6]
    limited = ["bash", "-c", 'ulimit -v "$1" && shift && exec "$@"', "bash", LIMIT // 1024]
    process = bench.run(
        *limited, BIN / "finetune", "--quiet", "--base", f"random:{config}", "--tokenizer", bench.tokenizer, *options,
        "--validation", data / "validation.safetensors", "--out", bench.out / "trained", "--force", stdin=shards,
    )  # fmt: skip
    records.unlink()
    shards.unlink()
    events = {event["event"]: event for event in process.events()}
    frozen, end = events["frozen"], events["end"]
    bench.say(f"{count} texts: {number(process.peak_bytes / GIBIBYTE)} GiB, {number(end['seconds'])} s")
    cells = {
        "features": f"{number(frozen['bytes'] / GIBIBYTE)} GiB, {frozen['place']}",
        "memory allowed": f"{number(LIMIT / GIBIBYTE)} GiB",
        "peak": f"{number(process.peak_bytes / GIBIBYTE)} GiB, mapped pages of the file included",
        "seconds": f"{number(end['seconds'])}",
        "validation accuracy": f"{end['validation_accuracy']:.2%}",
    }
    kept = {"peak": process.peak_bytes, "frozen": frozen, "end": end}
    command = " ".join(map(str, ["ulimit -v", LIMIT // 1024, "; finetune --base random:a third of GPT-2's width", *options]))
    return [row(f"finetune, {count:,} texts", cells, command, kept)]
