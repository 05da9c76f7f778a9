"""What all sections share: settings, test data, running processes, medians."""

import datetime
import functools
import json
import os
import platform
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(".build/release")


class Skipped(Exception):
    """A section can't be measured here; says what it would need."""


@dataclass
class Run:
    """A process that has ended well."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    output: bytes
    errors: bytes

    def events(self):
        return [json.loads(line) for line in self.output.splitlines()]


class Bench:
    """Settings from the environment, and what is made of them."""

    def __init__(self):
        os.chdir(ROOT)
        get = os.environ.get
        self.only = [name for name in get("ONLY", "").split(",") if name]
        self.quick = get("QUICK", "") not in ("", "0")
        self.full = get("FULL", "") not in ("", "0")
        self.runs = int(get("RUNS") or (1 if self.quick else 3))
        self.steps = int(get("STEPS") or (2 if self.quick else 20))
        self.python = get("PYTHON") or "python3"
        self.base, self.data, self.mirror = get("BASE") or None, get("DATA") or None, get("MIRROR") or None
        self.out = Path("build/bench/quick" if self.quick else "build/bench")
        self.out.mkdir(parents=True, exist_ok=True)
        self.section = ""

    def say(self, text):
        print(f"bench: {self.section}: {text}", file=sys.stderr, flush=True)

    # Processes

    def run(self, *command, stdin=None, stdout=None, environment=None):
        """Runs a command from the project's directory; its output goes to the file `stdout`, or is returned."""
        command = [str(word) for word in command]
        with tempfile.TemporaryFile() as log, tempfile.TemporaryFile() as kept:
            with open(stdin or os.devnull, "rb") as source, open(stdout or os.devnull, "wb") as target:
                begin = time.perf_counter()
                process = subprocess.Popen(
                    command, stdin=source, stdout=target if stdout else kept, stderr=log,
                    env=os.environ | (environment or {}),
                )
                _, status, usage = os.wait4(process.pid, 0)
                seconds = time.perf_counter() - begin
            process.returncode = os.waitstatus_to_exitcode(status)
            log.seek(0)
            kept.seek(0)
            errors = log.read()
            if process.returncode:
                last = errors.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
                sys.exit(f"bench: {self.section}: exit {process.returncode} of {shlex.join(command)}: {last[0]}")
            unit = 1 if platform.system() == "Darwin" else 1024
            return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit, kept.read(), errors)

    def torch(self, *arguments):
        """Runs the PyTorch side; gives the objects that it prints."""
        if not self.has_torch:
            raise Skipped(
                f"{self.python} has no torch, transformers, safetensors or tiktoken: install them with pip, or name an "
                "interpreter that has them with PYTHON="
            )
        return self.run(self.python, "Benchmarks/torch_side.py", *arguments).events()

    @functools.cached_property
    def has_torch(self):
        probe = "import torch, transformers, safetensors, tiktoken"
        return subprocess.run([self.python, "-c", probe], capture_output=True).returncode == 0

    @functools.cached_property
    def torch_name(self):
        probe = "import torch; print(torch.__version__.split('+')[0])"
        return "PyTorch " + self.run(self.python, "-c", probe).output.decode().strip()

    def need(self, tool, package=None):
        if not shutil.which(tool):
            raise Skipped(f"{tool} is missing: install {package or tool}")

    def bases(self):
        """The bases to compare, as pairs of a name and a directory or random:…."""
        named = [pair.split("=", 1) for pair in os.environ.get("BASES", "").split()]
        if not named:
            raise Skipped("it needs bases to compare: BASES='5M=DIR 15M=DIR …'")
        return named

    def need_sklearn(self):
        if subprocess.run([self.python, "-c", "import sklearn"], capture_output=True).returncode:
            raise Skipped(f"{self.python} has no scikit-learn: install it with pip, or name an interpreter with PYTHON=")

    def precision(self, name):
        """The option for a precision, or None where the CPU hasn't it and would emulate it."""
        return None if name == "bf16" and not cpu_has_bf16() else ["--precision", name]

    # Test data

    @functools.cached_property
    def tokenizer(self):
        """GPT-2's vocab.json and merges.txt."""
        self.make("sms-spam", "build/models/gpt2/vocab.json")
        return Path("build/models/gpt2")

    def messages(self, pipeline):
        """A directory with train.ndjson, validation.ndjson and test.ndjson, and the shards that are made of them."""
        directory = self.out / ("data" if self.data else pipeline)
        directory.mkdir(parents=True, exist_ok=True)
        parts = {part: directory / f"{part}.ndjson" for part in ("train", "validation", "test")}
        if self.data:
            for part, path in parts.items():
                shutil.copy(Path(self.data) / path.name, path)
        elif not all(path.exists() for path in parts.values()):
            made = Path("build/bench/pipelines") / pipeline
            self.make(pipeline, *(made / path.name for path in parts.values()), out=made)
            for path in parts.values():
                shutil.copy(made / path.name, path)
        if self.quick:
            for path in parts.values():
                path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:24]))
        train = directory / "train.safetensors"
        tokenize = [BIN / "tokenize-pad", "--quiet", "--tokenizer", self.tokenizer]
        self.run(*tokenize, parts["train"], stdout=train)
        for part in ("validation", "test"):
            target = directory / f"{part}.safetensors"
            self.run(*tokenize, "--length", train, "--labels-from", train, parts[part], stdout=target)
        return directory

    def texts(self, count=None):
        """Messages as plain text, one a line, no two the same; `count` of them, repeated only where that is more than
        there are."""
        directory = self.messages("sms-spam")
        texts = []
        for part in ("train", "validation", "test"):
            with open(directory / f"{part}.ndjson", encoding="utf-8") as file:
                texts += [json.loads(line)["text"].replace("\n", " ").replace("\r", " ") for line in file]
        texts = list(dict.fromkeys(texts))
        count = count or len(texts)
        texts = (texts * -(-count // len(texts)))[:count]
        path = self.out / f"texts-{count}.txt"
        path.write_text("".join(text + "\n" for text in texts), encoding="utf-8")
        return path

    def make(self, pipeline, *targets, out=None, settings=None):
        """Makes files of a pipeline, from random weights unless `settings` says otherwise."""
        missing = [target for target in targets if not Path(target).exists()]
        if not missing:
            return
        self.say(f"making {', '.join(map(str, missing))}")
        command = ["make", "--no-print-directory", f"PIPELINE={pipeline}"]
        command += settings or [f"BASE=random:{'pipelines/demo/config.json' if pipeline == 'demo' else 'gpt2'}"]
        command += [f"OUT={out}"] if out else []
        command += [f"MIRROR={self.mirror}"] if self.mirror else []
        ours = ("MAKE", "MFLAGS", "BASE", "MIRROR")
        environment = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
        if subprocess.run(command + [str(target) for target in missing], env=environment, stdout=sys.stderr).returncode:
            raise Skipped("the messages or GPT-2's tokenizer can't be had: name a directory that has them with MIRROR=")

    def classifier(self):
        """A classifier that is worth asking: trained like the pipeline sms-spam."""
        directory = self.out / "models" / "classifier"
        if not (directory / "model.safetensors").exists():
            self.say("training a classifier")
            data = self.messages("sms-spam")
            self.run(
                BIN / "finetune", "--quiet", "--base", self.base or "random:gpt2", "--tokenizer", self.tokenizer,
                "--validation", data / "validation.safetensors", "--out", directory, "--force", stdin=data / "train.safetensors",
            )  # fmt: skip
        return directory

    def model(self, size="gpt2"):
        """A classifier of the given size to score with: only its head has been trained, on a few messages."""
        directory = self.out / "models" / size
        if not (directory / "model.safetensors").exists():
            self.say(f"making a model of the size of {size}")
            data, few = self.messages("sms-spam"), self.out / "few"
            few.mkdir(exist_ok=True)
            lines = (data / "train.ndjson").read_bytes().splitlines(keepends=True)[:24]
            (few / "train.ndjson").write_bytes(b"".join(lines))
            tokenize = [BIN / "tokenize-pad", "--quiet", "--tokenizer", self.tokenizer]
            self.run(*tokenize, "--length", "1024", few / "train.ndjson", stdout=few / "train.safetensors")
            base = self.base if self.base and size == "gpt2" else f"random:{size}"
            self.run(
                BIN / "finetune", "--quiet", "--base", base, "--tokenizer", self.tokenizer, "--trainable", "head",
                "--epochs", 1, "--validation", few / "train.safetensors", "--out", directory, "--force",
                stdin=few / "train.safetensors", stdout=few / "metrics.ndjson",
            )
        return directory

    def small_model(self):
        """A classifier of the demo's size that reads the last token: so small that its text and JSON count."""
        directory = self.out / "models" / "small"
        if not (directory / "model.safetensors").exists():
            demo = Path("build/bench/pipelines/demo")
            self.make("demo", demo / "train.safetensors", demo / "validation.safetensors", out=demo)
            self.run(
                BIN / "finetune", "--quiet", "--base", "random:pipelines/demo/config.json", "--tokenizer",
                demo / "tokenizer", "--epochs", 1, "--validation", demo / "validation.safetensors", "--out", directory, "--force",
                stdin=demo / "train.safetensors", stdout=self.out / "metrics.ndjson",
            )  # fmt: skip
        return directory


# Numbers


def median(values):
    return statistics.median(values)


def spread(values):
    """How far the runs lie apart, as a share of their median: what a reader may believe of a ratio."""
    return (max(values) - min(values)) / median(values) if len(values) > 1 else 0.0


def cpu_flags():
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return set()
    return {flag for line in text.splitlines() if line.startswith("flags") for flag in line.split()}


def cpu_has_bf16():
    return bool({"avx512_bf16", "amx_bf16"} & cpu_flags())


def machine():
    """"2 cores of AMD EPYC, AVX2"."""
    name = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    levels = [("amx_bf16", "AMX"), ("avx512_bf16", "AVX-512 with bf16"), ("avx512f", "AVX-512"), ("avx2", "AVX2")]
    level = next((text for flag, text in levels if flag in cpu_flags()), None)
    return f"{os.cpu_count()} cores of {name}" + (f", {level}" if level else "")


def today():
    return datetime.date.today().isoformat()
