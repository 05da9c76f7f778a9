"""Models that transformers has saved, scored by transformers and here; and the tokens of mixed Unicode.

    foreign_models.py TOKENIZER WORK    TOKENIZER: a directory with vocab.json and merges.txt; WORK: an empty folder
"""

import json
import random
import subprocess
import sys
import unicodedata

import torch
from safetensors import safe_open
from transformers import AutoModelForSequenceClassification, AutoTokenizer, GPT2Config, GPT2ForSequenceClassification, pipeline

BIN = ".build/release"
TOLERANCE = 1e-5
LINES = 100_000


def texts(count, seed):
    """Lines of words, numbers, marks, emoji and characters of many scripts, with odd spaces."""
    draw = random.Random(seed)
    scripts = [(0x21, 0x7E), (0xA1, 0x24F), (0x370, 0x3FF), (0x400, 0x4FF), (0x5D0, 0x5EA), (0x620, 0x64A), (0x900, 0x97F),
               (0xE00, 0xE7F), (0x1100, 0x11FF), (0x2000, 0x2BFF), (0x3040, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3),
               (0x1F300, 0x1FAFF), (0x10000, 0x10FFFF)]
    words = "the you free call don't I'll we've 've 's 1234 £1000 0800-555 txt :) ... U+00e9 e\u0301 naïve".split()
    lines = []
    while len(lines) < count:
        parts = []
        for _ in range(draw.randint(1, 12)):
            if draw.random() < 0.6:
                parts.append(draw.choice(words))
            else:
                low, high = draw.choice(scripts)
                code = [draw.randint(low, high) for _ in range(draw.randint(1, 5))]
                parts.append("".join(chr(c) for c in code if not 0xD800 <= c <= 0xDFFF))
        line = "".join(part + draw.choice([" ", " ", " ", "", "  ", "\t", "\u00a0", "\u3000", "\u2028"]) for part in parts)
        # A line feed would end the line; a character that isn't assigned may be a letter in one table and not in the other.
        if line and not any(unicodedata.category(c) == "Cn" for c in line) and "\n" not in line and "\r" not in line:
            lines.append(line)
    return lines


def check_tokens(tokenizer, work):
    lines = texts(LINES, 1)
    records = f"{work}/lines.ndjson"
    with open(records, "w", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": line, "label": "x"}) + "\n" for line in lines)
    longest = 256
    shard = f"{work}/lines.safetensors"
    with open(shard, "wb") as file:
        command = [f"{BIN}/tokenize-pad", "--quiet", "--tokenizer", tokenizer, "--length", str(longest), "--labels", "x", records]
        subprocess.run(command, stdout=file, check=True)
    count = 0
    theirs = AutoTokenizer.from_pretrained(tokenizer)
    expected = theirs(lines)["input_ids"]
    ours = []
    data = open(shard, "rb").read()
    while data:
        size = 8 + int.from_bytes(data[:8], "little")
        header = json.loads(data[8:size])
        end = size + max(entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__")
        path = f"{work}/part.safetensors"
        with open(path, "wb") as file:
            file.write(data[:end])
        with safe_open(path, "pt") as file:
            ids, lengths = file.get_tensor("input_ids"), file.get_tensor("lengths")
        ours += [ids[row, : lengths[row]].tolist() for row in range(len(lengths))]
        data = data[end:]
    for row, (a, b) in enumerate(zip(ours, expected, strict=True)):
        if a != b[:longest]:
            sys.exit(f"transformers: other tokens for {lines[row]!r}: {b}, ours {a}")
        count += len(a)
    kind = type(theirs).__name__
    print(f"transformers: the same {count} tokens of {len(lines)} lines of mixed Unicode ({kind})")
    return lines


def check_models(tokenizer, lines, work):
    theirs = AutoTokenizer.from_pretrained(tokenizer)
    theirs.pad_token = theirs.eos_token
    lines = [line for line in lines if 1 < len(theirs(line)["input_ids"]) < 60][:200]
    with open(f"{work}/texts.ndjson", "w", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": line}) + "\n" for line in lines)
    for number, (K, dtype, options, side) in enumerate([
        (2, torch.float32, {}, "right"), (4, torch.float32, {"max_shard_size": "200KB"}, "left"),
        (3, torch.bfloat16, {}, "right"), (2, torch.float16, {"max_shard_size": "100KB"}, "left"),
    ]):
        torch.manual_seed(number)
        config = GPT2Config(vocab_size=len(theirs), n_positions=64, n_embd=64, n_layer=2, n_head=4, num_labels=K,
                            pad_token_id=theirs.eos_token_id, bos_token_id=theirs.eos_token_id,
                            eos_token_id=theirs.eos_token_id, initializer_range=0.2)
        directory = f"{work}/theirs-{number}"
        GPT2ForSequenceClassification(config).to(dtype).save_pretrained(directory, **options)
        theirs.padding_side = side
        theirs.save_pretrained(directory)
        # The weights are rounded; both programs compute with them in f32.
        model = AutoModelForSequenceClassification.from_pretrained(directory, dtype=torch.float32).eval()
        with torch.no_grad():
            batch = theirs(lines, return_tensors="pt", padding=True)
            if side == "left":
                # Positions count from the text's start on, as generate has them; the class by itself counts the pads.
                batch["position_ids"] = (batch["attention_mask"].cumsum(-1) - 1).clamp(min=0)
            expected = model(**batch).logits.softmax(-1)
        scored = subprocess.run(
            [f"{BIN}/score", "--quiet", "--precision", "f32", "--model", directory, "--input", "ndjson", f"{work}/texts.ndjson"],
            stdout=subprocess.PIPE, check=True).stdout.splitlines()
        ours = torch.tensor([[json.loads(line)["probabilities"][f"LABEL_{k}"] for k in range(K)] for line in scored])
        worst = (ours - expected).abs().max().item()
        same = (ours.argmax(-1) == expected.argmax(-1)).sum().item()
        print(f"transformers: a classifier of {K} labels that it saved as {dtype}, {options or 'one file'}, padded {side}: "
              f"max |Δp| {worst:.1e}, {same} of {len(lines)} labels equal")
        if worst > TOLERANCE or same != len(lines):
            sys.exit(f"transformers: more than {TOLERANCE:.0e}")
    config.num_labels = 1
    GPT2ForSequenceClassification(config).save_pretrained(f"{work}/regression")
    theirs.save_pretrained(f"{work}/regression")
    refused = subprocess.run(
        [f"{BIN}/score", "--model", f"{work}/regression"], input=b"x\n", capture_output=True, check=False)
    if refused.returncode != 78 or b"one output" not in refused.stderr:
        sys.exit(f"score: a regression isn't refused: {refused}")
    print("score: " + refused.stderr.decode().strip().rsplit("/", 1)[-1])


def check_pipeline(directory):
    result = pipeline("text-classification", model=directory, truncation=True)("WINNER!! Claim your prize")
    print(f"transformers: pipeline('text-classification') says {result}")


if __name__ == "__main__":
    check_models(sys.argv[1], check_tokens(sys.argv[1], sys.argv[2]), sys.argv[2])
    if len(sys.argv) > 3:
        check_pipeline(sys.argv[3])
