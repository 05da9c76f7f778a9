"""Writes gpt2_tokens.ndjson: the ids of its texts by tiktoken, with GPT-2's merges. Run, where MERGES is GPT-2's merges.txt
(`make build`, then `.build/release/fetch-model gpt2 --out DIR --files merges.txt`):

    pip install tiktoken
    python make_gpt2_tokens.py MERGES [TARGET]     TARGET: where it is written, the fixture itself if it isn't given

The texts are those of the file, in its order: 62 chosen by hand for spaces, line ends, contractions, digits, control and
combining characters and scripts; 400 that were drawn once from a dozen ranges of Unicode; and the first hundred messages of
the SMS Spam Collection that have characters beyond ASCII. To add a text, add a line {"text": "…"} and run this script.

tiktoken 0.14.0 gives the committed bytes. The ids are whole numbers, so every version has to.
"""

import json
import os
import sys

import tiktoken

FIXTURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gpt2_tokens.ndjson")
PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"


def byte_characters():
    """The character that stands for each byte in merges.txt, as GPT-2 has them, in the order of their ids."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(others)}


def gpt2_encoding(path):
    """tiktoken's own copy of GPT-2 is a download; the merges are the same."""
    characters = byte_characters()
    ranks = {bytes([byte]): rank for rank, byte in enumerate(characters.values())}
    with open(path, encoding="utf-8", newline="\n") as file:
        merges = [line.split(" ") for line in file.read().split("\n")[1:] if line]
    for pair in merges:
        ranks[bytes(characters[character] for character in "".join(pair))] = len(ranks)
    return tiktoken.Encoding("gpt2", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={"<|endoftext|>": 50256})


encoding = gpt2_encoding(sys.argv[1])
with open(FIXTURE, encoding="utf-8") as file:
    texts = [json.loads(line)["text"] for line in file]
with open(sys.argv[2] if len(sys.argv) > 2 else FIXTURE, "w", encoding="utf-8") as file:
    for text in texts:
        file.write(json.dumps({"text": text, "ids": encoding.encode_ordinary(text)}) + "\n")
