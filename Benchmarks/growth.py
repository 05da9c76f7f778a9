"""How time grows: with messages, with their length, with the model."""

import shutil

from finetuning import finetune, random_base
from harness import BIN, median
from results import number, row


def scaling(bench):
    return [*by_messages(bench), *by_training_messages(bench), *by_length(bench), *by_size(bench)]


def timed(bench, model, path, loading):
    """Seconds for the texts alone, median."""
    command = [BIN / "score", "--quiet", "--model", model, path]
    return median([bench.run(*command).seconds for _ in range(bench.runs)]) - loading


def loading(bench, model):
    return median([bench.run(BIN / "score", "--quiet", "--model", model, bench.texts(1)).seconds for _ in range(bench.runs)])


def series(bench, kind, unit, seconds, command):
    """One row for every size, relative to the first."""
    rows, (first, *_) = [], seconds
    for size, (time, work) in seconds.items():
        rate = time / work / (seconds[first][0] / seconds[first][1])
        bench.say(f"{kind}, {size}: {number(time)} s")
        cells = {
            "size": size, "seconds": number(time), "for each": f"{number(time / work * 1e3)} ms a {unit}",
            "of the first": f"{number(rate)} ×",
        }  # fmt: skip
        rows.append(row(kind, cells, command, {"size": size, "seconds": time, "work": work}))
    return rows


def by_messages(bench):
    model, base = bench.model(), 16 if bench.quick else 256
    idle = loading(bench, model)
    sizes = {n: (timed(bench, model, bench.texts(n), idle), n) for n in (base, 2 * base, 4 * base)}
    return series(bench, "score, messages", "message", sizes, "score")


def by_training_messages(bench):
    data, count, sizes = bench.messages("sms-spam"), 8 if bench.quick else 256, {}
    lines = (data / "train.ndjson").read_bytes().splitlines(keepends=True)
    for rows in (count, 2 * count, 4 * count):
        some = data / "some.ndjson"
        some.write_bytes(b"".join((lines * 4)[:rows]))
        tokenize = [BIN / "tokenize-pad", "-q", "--tokenizer", bench.tokenizer, "--length", data / "train.safetensors"]
        bench.run(*tokenize, some, stdout=data / "some.safetensors")
        options = ["--epochs", "2", "--eval-every", "1000000"]
        runs = [
            finetune(bench, data, random_base(bench), *options, stdin="some.safetensors")[1] for _ in range(bench.runs)
        ]
        phases = [run["end"]["seconds_by_phase"] for run in runs]
        sizes[rows] = (median([phase["training"] for phase in phases]), rows)
    return series(bench, "finetune, messages (training alone, 2 epochs)", "message", sizes, "finetune --epochs 2")


def by_length(bench):
    """The same number of tokens in texts of 16 to 1,024 tokens: what attention adds."""
    model, sizes = bench.model(), {}
    idle, total = loading(bench, model), 1024 if bench.quick else 16384
    for length in (16, 64, 256, 1024):
        path = bench.out / f"length-{length}.txt"
        # Every word is one token. The letters in front make texts differ: equal ones would be computed once.
        letters = (" ".join(chr(97 + n // 26**place % 26) for place in range(3)) for n in range(total // length))
        texts = (text + " the" * (length - 3) for text in letters)
        path.write_text("".join(text + "\n" for text in texts), encoding="utf-8")
        sizes[length] = (timed(bench, model, path, idle), total)
    return series(bench, f"score, tokens in each of the texts ({total} in all)", "token", sizes, "score")


def by_size(bench):
    count, sizes = 8 if bench.quick else 128, {}
    for name in ("gpt2", "gpt2-medium", "gpt2-large")[: 2 if bench.quick else 3]:
        model = bench.model(name)
        sizes[name] = (timed(bench, model, bench.texts(count), loading(bench, model)), count)
    rows = series(bench, f"score, size of the model ({count} messages, random weights)", "message", sizes, "score")
    if not bench.quick:
        shutil.rmtree(bench.out / "models" / "gpt2-large", ignore_errors=True)
        shutil.rmtree(bench.out / "models" / "gpt2-medium", ignore_errors=True)
    return rows
