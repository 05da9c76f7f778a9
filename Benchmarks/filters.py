"""The tokenizer against tiktoken, the NDJSON filters against jq, and how many instructions they take for a byte."""

import json
import re
from pathlib import Path

from harness import BIN, Skipped, median
from results import number, ratio_row, row


def corpus(bench):
    """The sources of the packages that this one is built with: code and prose that every machine has that built it."""
    path = bench.out / "corpus.txt"
    files = sorted(
        file for folder in (".build/checkouts", "Sources", "Tests") for pattern in ("*.swift", "*.md", "*.c", "*.h", "*.cc")
        for file in Path(folder).rglob(pattern) if file.is_file()
    )  # fmt: skip
    text = "".join(file.read_text(encoding="utf-8", errors="ignore") for file in files)
    path.write_text(text[: 2**20 if bench.quick else 2**25].replace("\r", " "), encoding="utf-8")
    return path


def tokenizer(bench):
    texts = {
        "code and prose": corpus(bench),
        "SMS messages": bench.texts(2000 if bench.quick else 100_000),
    }
    rows = []
    for name, path in texts.items():
        ours, theirs, megabytes = [], [], path.stat().st_size / 1e6
        for turn in range(bench.runs):
            other = bench.torch("tokenize", bench.tokenizer, path)[0]
            here = bench.run(BIN / "measure", "tokenize", bench.tokenizer, path).events()[-1]
            if here["tokens"] != other["tokens"]:
                raise SystemExit(f"bench: tokenizer: {name}: {here['tokens']} tokens here, {other['tokens']} of tiktoken")
            theirs.append(megabytes / other["seconds"])
            ours.append(megabytes / here["seconds"])
            bench.say(f"run {turn + 1} of {bench.runs}: {name}: {number(ours[-1])} MB/s, tiktoken {number(theirs[-1])}")
        rows.append(
            ratio_row(
                f"tokenizer, one thread, {number(megabytes)} MB of {name}", ours, theirs, "tiktoken", 1.5,
                "measure tokenize; encode_ordinary of every line", unit="MB/s", higher=True,
            )  # fmt: skip
        )
    return rows


def ndjson(bench):
    bench.need("jq")
    source = records(bench)
    path = bench.out / "records.ndjson"
    path.write_bytes(source.read_bytes() * (4 if bench.quick else 100))
    megabytes = path.stat().st_size / 1e6
    commands = {"balance": [BIN / "balance"], "split --part train": [BIN / "split", "--part", "train"]}
    ours, theirs = {name: [] for name in commands}, []
    for turn in range(bench.runs):
        theirs.append(megabytes / bench.run("jq", "-c", ".", path, stdout="/dev/null").seconds)
        for name, command in commands.items():
            ours[name].append(megabytes / bench.run(*command, path, stdout="/dev/null").seconds)
        bench.say(f"run {turn + 1} of {bench.runs}: jq {number(theirs[-1])} MB/s")
    what = f"{number(megabytes)} MB of records"
    return [
        ratio_row(f"{name}, {what}", ours[name], theirs, "jq -c .", 3, name, unit="MB/s", higher=True)
        for name in commands
    ]


def records(bench):
    """Labelled messages: the SMS collection where it can be had, otherwise the demo's."""
    try:
        data = bench.messages("sms-spam")
    except Skipped:
        bench.make("demo", "build/demo/records.ndjson")
        return Path("build/demo/records.ndjson")
    path = bench.out / "messages.ndjson"
    path.write_bytes(b"".join((data / f"{part}.ndjson").read_bytes() for part in ("train", "validation", "test")))
    return path


def instructions(bench):
    """Instructions for each byte of input: twice the input minus once, so that starting isn't counted. They are the same
    on a busy machine."""
    bench.need("valgrind")
    bench.need("strip", "binutils")
    bench.make("demo", "build/demo/model/model.safetensors", "build/demo/tokenizer/vocab.json")
    demo = Path("build/demo")
    lines = (demo / "records.ndjson").read_bytes().splitlines(keepends=True)
    base = b"".join(lines[:200] if bench.quick else lines)
    scored = b"".join(
        json.dumps({"text": r["text"], "expected": r["label"], "line": i + 1, "label": r["label"], "probability": 0.998,
                    "probabilities": {"ham": 0.002, "spam": 0.998}}, ensure_ascii=False).encode() + b"\n"
        for i, r in enumerate(map(json.loads, base.splitlines()))
    )  # fmt: skip
    commands = {
        "balance": ([BIN / "balance"], base),
        "split": ([BIN / "split", "--part", "train"], base),
        "tokenize-pad": ([BIN / "tokenize-pad", "-q", "--tokenizer", demo / "tokenizer", "--length", 64], base),
        "evaluate": ([BIN / "evaluate"], scored),
    }
    rows = []
    for name, (command, data) in commands.items():
        counts = []
        for copies in (1, 2):
            path = bench.out / "counted.ndjson"
            path.write_bytes(data * copies)
            # Valgrind stumbles over the debugging information of newer compilers.
            program = bench.out / "stripped"
            bench.run("strip", "-g", "-o", program, command[0])
            log = bench.run(
                "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, *command[1:], path, stdout="/dev/null",
                environment={"ONEDNN_MAX_CPU_ISA": "AVX2", "SWIFT_BACKTRACE": "enable=no"},
            ).errors.decode()  # fmt: skip
            counts.append(int(re.search(r"Collected : (\d+)", log)[1]))
        per_byte = (counts[1] - counts[0]) / len(data)
        bench.say(f"{name}: {number(per_byte)} instructions a byte")
        cells = {"instructions/byte": number(per_byte), "to start": f"{number((2 * counts[0] - counts[1]) / 1e6)} M"}
        shown = " ".join(str(word) for word in command)
        rows.append(row(name, cells, f"valgrind --tool=callgrind {shown} (the demo's records)", {"per_byte": per_byte}))
    return rows
