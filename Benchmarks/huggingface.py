"""Scores of a model directory that finetune wrote, here and in Hugging Face transformers: the weights load without a key
missing or left over, the tokenizer gives the same ids, and the probabilities agree within 1e-5, text by text and in
padded batches.

    huggingface.py MODEL SHARD SCORES    SCORES: what score --input ndjson wrote of the records that SHARD was made from
"""

import json
import sys

import torch
from safetensors import safe_open
from transformers import AutoTokenizer, GPT2ForSequenceClassification

TOLERANCE = 1e-5
BATCH = 16


def main(directory, shard, scores):
    model, info = GPT2ForSequenceClassification.from_pretrained(directory, output_loading_info=True)
    problems = {kind: list(keys) for kind, keys in info.items() if keys}
    if problems:
        sys.exit(f"transformers: {directory} doesn't load cleanly: {problems}")
    model.eval()
    tokenizer = AutoTokenizer.from_pretrained(directory)
    tokenizer.padding_side = "right"

    with open(scores, encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    with safe_open(shard, framework="pt") as file:
        ids, lengths = file.get_tensor("input_ids"), file.get_tensor("lengths")
    longest = ids.shape[1]
    texts = [record["text"] for record in records]
    for row, text in enumerate(texts):
        theirs = tokenizer(text)["input_ids"][:longest]
        ours = ids[row, : lengths[row]].tolist()
        if theirs != ours:
            sys.exit(f"transformers: other tokens for record {row + 1}: {theirs}, ours {ours}")

    names = [model.config.id2label[k] for k in range(model.config.num_labels)]
    expected = torch.tensor([[record["probabilities"][name] for name in names] for record in records])
    worst = {}
    with torch.no_grad():
        for size in (1, BATCH):
            rows = []
            for first in range(0, len(texts), size):
                batch = tokenizer(
                    texts[first : first + size], return_tensors="pt", padding=True, truncation=True, max_length=longest
                )
                rows.append(model(**batch).logits.softmax(-1))
            worst[size] = (torch.cat(rows) - expected).abs().max().item()
    print(
        f"transformers: {len(texts)} texts, same tokens, max |Δp| {worst[1]:.1e} one by one, "
        f"{worst[BATCH]:.1e} in batches of {BATCH}"
    )
    if max(worst.values()) > TOLERANCE:
        sys.exit(f"transformers: more than {TOLERANCE:.0e}")


if __name__ == "__main__":
    main(*sys.argv[1:])
