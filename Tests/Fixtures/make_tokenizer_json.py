"""Writes tokenizer-json/: a tokenizer of 300 tokens as train-tokenizer writes it, as transformers 5 keeps it, and ids.

    vocab.json, merges.txt   learned by train-tokenizer from the texts below
    tokenizer.json           what GPT2Tokenizer of transformers 5 saves of them
    expected.ndjson          texts, and their ids by the `tokenizers` library

Run, with train-tokenizer in PATH:

    pip install transformers tokenizers
    python make_tokenizer_json.py

transformers 5.24 with tokenizers 0.23 gives the committed bytes.
"""

import json
import os
import subprocess
import tempfile

from tokenizers import Tokenizer
from transformers import GPT2Tokenizer

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tokenizer-json")
LEARNED = ["see you at lunch tomorrow, it's fine", 'win a free prize now, win a "holiday" \\ é now', "milk, milk and more milk"]
TEXTS = LEARNED + ["", " ", "a  b\n\n c", "It's we've 12345 !!!", "déjà vu 日本語 😀", 'quotes "now" and \\ slashes', "won't  win"]

os.makedirs(FOLDER, exist_ok=True)
records = "".join(json.dumps({"text": text}) + "\n" for text in LEARNED * 6)
subprocess.run(["train-tokenizer", "--vocab-size", "300", "--out", FOLDER], input=records.encode(), check=True)
with tempfile.TemporaryDirectory() as place:
    GPT2Tokenizer.from_pretrained(FOLDER).save_pretrained(place)
    with open(f"{place}/tokenizer.json") as source, open(f"{FOLDER}/tokenizer.json", "w") as target:
        json.dump(json.load(source), target, ensure_ascii=False)
tokenizer = Tokenizer.from_file(f"{FOLDER}/tokenizer.json")
with open(f"{FOLDER}/expected.ndjson", "w") as file:
    for text in TEXTS:
        file.write(json.dumps({"text": text, "ids": tokenizer.encode(text).ids}, ensure_ascii=False) + "\n")
