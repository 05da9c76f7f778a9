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
        demo = Path("build/bench/pipelines/demo")
        bench.make("demo", demo / "records.ndjson", out=demo)
        return demo / "records.ndjson"
    path = bench.out / "messages.ndjson"
    path.write_bytes(b"".join((data / f"{part}.ndjson").read_bytes() for part in ("train", "validation", "test")))
    return path


def instructions(bench):
    """Instructions for each byte of input: of twice the input less those of once, so that starting isn't counted. They
    are the same on a busy machine."""
    bench.need("valgrind")
    bench.need("strip", "binutils")
    demo = Path("build/bench/pipelines/demo")
    bench.make("demo", demo / "records.ndjson", demo / "tokenizer/vocab.json", out=demo)
    records = [json.loads(line) for line in open(demo / "records.ndjson", encoding="utf-8")]
    records = records[:200] if bench.quick else records
    scored = [
        record | {"expected": record["label"], "line": index + 1, "probability": 0.998,
                  "probabilities": {"ham": 0.002, "spam": 0.998}}
        for index, record in enumerate(records)
    ]  # fmt: skip
    tokenize = [BIN / "tokenize-pad", "-q", "--tokenizer", demo / "tokenizer", "--length", 64]
    commands = {
        "balance": ([BIN / "balance"], records),
        "split": ([BIN / "split", "--part", "train"], records),
        "tokenize-pad": (tokenize, records),
        "evaluate": ([BIN / "evaluate"], scored),
    }
    rows = []
    for name, (command, data) in commands.items():
        once, twice = (count(bench, command, data, copies) for copies in (1, 2))
        size = len(lines(data, 2)) - len(lines(data, 1))
        bench.say(f"{name}: {number((twice - once) / size)} instructions a byte")
        cells = {
            "instructions/byte": number((twice - once) / size), "to start": f"{number((2 * once - twice) / 1e6)} M",
        }  # fmt: skip
        shown = " ".join(str(word) for word in command)
        rows.append(
            row(name, cells, f"valgrind --tool=callgrind {shown} (the demo's records)", {"once": once, "twice": twice})
        )
    return rows


def lines(records, copies):
    """NDJSON of some copies of the records, no two texts the same."""
    return b"".join(
        json.dumps(record | {"text": f"{record['text']} {copy}"}, ensure_ascii=False, separators=(",", ":")).encode()
        + b"\n"
        for copy in range(copies)
        for record in records
    )


def count(bench, command, records, copies):
    """Instructions that valgrind counts. Its reader stumbles over the debugging information of newer compilers."""
    path, program = bench.out / "counted.ndjson", bench.out / "stripped"
    path.write_bytes(lines(records, copies))
    bench.run("strip", "-g", "-o", program, command[0])
    log = bench.run(
        "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, *command[1:], path,
        stdout="/dev/null", environment={"ONEDNN_MAX_CPU_ISA": "AVX2", "SWIFT_BACKTRACE": "enable=no"},
    ).errors.decode()  # fmt: skip
    return int(re.search(r"Collected : (\d+)", log)[1])
