"""The other side of every ratio: the chapter's training loop and batch scoring in PyTorch with transformers' GPT2Model,
as most people would write them, and tiktoken. Prints one JSON object.

    torch_side.py start DIR CLASSES [BASE]       starting weights with a head, in Hugging Face's layout, for both sides
    torch_side.py train START DATA --pool last-token|last-position --trainable last-1|all [--steps N]
    torch_side.py pretrain BLOCKS WIDTH HEADS VOCABULARY LENGTH ROWS [--steps N] [--dtype f32|bf16]
    torch_side.py score MODEL TEXTS [--batch 1] [--sort] [--dtype f32|bf16] [--batches N]
    torch_side.py tokenize TOKENIZER FILE        tiktoken's encode_ordinary over the lines of a file, one thread

train times N steps (after two that warm up) and as many evaluation batches, and projects the whole from the exact
number of each; without --steps it runs everything. score times N batches, spread evenly, or all.
"""

import argparse
import json
import os
import statistics
import time

import torch
import torch.nn.functional as F

PAD = 50256
BATCH, EPOCHS, EVALUATE_EVERY, EVALUATION_BATCHES = 8, 5, 50, 5
WARM_UP = 2


class Classifier(torch.nn.Module):
    def __init__(self, base, classes, pool):
        super().__init__()
        self.base, self.pool = base, pool
        self.head = torch.nn.Linear(base.config.n_embd, classes)

    def forward(self, ids, lengths):
        hidden = self.base(input_ids=ids).last_hidden_state
        rows = torch.arange(len(ids))
        return self.head(hidden[:, -1] if self.pool == "last-position" else hidden[rows, lengths - 1])


def load(directory, pool="last-token"):
    """A classifier from a model directory with score.weight, and score.bias where there is one."""
    from safetensors import safe_open
    from transformers import GPT2Model

    base = GPT2Model.from_pretrained(directory, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)
    with safe_open(directory + "/model.safetensors", framework="pt") as file:
        weight = file.get_tensor("score.weight")
        bias = file.get_tensor("score.bias") if "score.bias" in file.keys() else torch.zeros(len(weight))
    model = Classifier(base, len(weight), pool)
    with torch.no_grad():
        model.head.weight.copy_(weight)
        model.head.bias.copy_(bias)
    return model


def start(directory, classes, base=None):
    from safetensors.torch import save_file
    from transformers import GPT2Config, GPT2Model

    torch.manual_seed(123)
    model = GPT2Model.from_pretrained(base) if base else GPT2Model(GPT2Config())
    head = torch.nn.Linear(model.config.n_embd, classes)
    os.makedirs(directory, exist_ok=True)
    model.config.save_pretrained(directory)
    tensors = {"transformer." + name: value.clone() for name, value in model.state_dict().items()}
    tensors |= {"score.weight": head.weight.detach().clone(), "score.bias": head.bias.detach().clone()}
    save_file(tensors, directory + "/model.safetensors")
    return {"start": directory}


def train(a):
    from safetensors.torch import load_file

    sets = {part: load_file(f"{a.data}/{part}.safetensors") for part in ("train", "validation", "test")}
    model = load(a.start, a.pool).train()
    for parameter in model.base.parameters():
        parameter.requires_grad_(a.trainable == "all")
    if a.trainable == "last-1":
        for parameter in [*model.base.h[-1].parameters(), *model.base.ln_f.parameters()]:
            parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=5e-5, weight_decay=0.1)

    def batches(part, drop_last=False):
        data = sets[part]
        count = len(data["labels"]) // BATCH * BATCH if drop_last else len(data["labels"])
        for first in range(0, count, BATCH):
            rows = slice(first, first + BATCH)
            yield data["input_ids"][rows].long(), data["lengths"][rows].long(), data["labels"][rows].long()

    def evaluate(part, limit=None):
        """Loss and hits over the first `limit` batches; the seconds of each go to `evaluation_seconds`."""
        for index, (ids, lengths, labels) in enumerate(batches(part)):
            if index == limit:
                break
            begin = time.perf_counter()
            with torch.no_grad():
                logits = model(ids, lengths).float()
                F.cross_entropy(logits, labels).item(), (logits.argmax(-1) == labels).sum().item()
            evaluation_seconds.append(time.perf_counter() - begin)

    per_epoch = len(sets["train"]["labels"]) // BATCH
    steps = per_epoch * EPOCHS
    sample = min(a.steps + WARM_UP, steps) if a.steps else steps
    step_seconds, evaluation_seconds, losses = [], [], []
    begin = time.perf_counter()
    while len(losses) < sample:
        for ids, lengths, labels in batches("train", drop_last=True):
            began = time.perf_counter()
            optimizer.zero_grad()
            loss = F.cross_entropy(model(ids, lengths).float(), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            step_seconds.append(time.perf_counter() - began)
            if len(losses) == sample and a.steps:
                break
            if not a.steps and (len(losses) - 1) % EVALUATE_EVERY == 0:
                evaluate("train", EVALUATION_BATCHES), evaluate("validation", EVALUATION_BATCHES)
        if not a.steps:
            evaluate("train", EVALUATION_BATCHES), evaluate("validation", EVALUATION_BATCHES)
    if a.steps:
        evaluate("train", a.steps + WARM_UP)
    else:
        for part in sets:
            evaluate(part)
    seconds = time.perf_counter() - begin

    size = {part: -(-len(data["labels"]) // BATCH) for part, data in sets.items()}
    some = sum(min(EVALUATION_BATCHES, size[part]) for part in ("train", "validation"))
    evaluations = (-(-steps // EVALUATE_EVERY) + EPOCHS) * some + sum(size.values())
    step, evaluation = (statistics.median(x[min(WARM_UP, len(x) - 1):]) for x in (step_seconds, evaluation_seconds))
    return {
        "steps": steps, "evaluation_batches": evaluations, "step_seconds": step, "evaluation_seconds": evaluation,
        "timed_steps": len(step_seconds) - WARM_UP, "losses": losses,
        "seconds": steps * step + evaluations * evaluation if a.steps else seconds,
    }  # fmt: skip


def pretrain(a):
    """Steps of a language model on random tokens; with bf16 under autocast, as PyTorch's documentation has it."""
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(123)
    config = GPT2Config(
        vocab_size=a.vocabulary, n_positions=a.length, n_embd=a.width, n_layer=a.blocks, n_head=a.heads,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    model = GPT2LMHeadModel(config).train()
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}], lr=1e-3
    )
    times = []
    for _ in range(a.steps + WARM_UP):
        ids = torch.randint(a.vocabulary, (a.rows, a.length))
        begin = time.perf_counter()
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=a.dtype == "bf16"):
            logits = model(input_ids=ids).logits
        loss = F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), ids[:, 1:].flatten())
        loss.backward()
        optimizer.step()
        times.append(time.perf_counter() - begin)
    return {"tokens_per_second": a.rows * a.length / statistics.median(times[WARM_UP:]), "seconds": times}


def encoding(directory):
    """GPT-2's encoding from vocab.json and merges.txt, as tiktoken makes it from OpenAI's files."""
    import tiktoken
    from tiktoken.load import data_gym_to_mergeable_bpe_ranks
    from tiktoken_ext.openai_public import r50k_pat_str

    os.environ["TIKTOKEN_CACHE_DIR"] = ""
    ranks = data_gym_to_mergeable_bpe_ranks(directory + "/merges.txt", directory + "/vocab.json")
    return tiktoken.Encoding(
        "gpt2", pat_str=r50k_pat_str, mergeable_ranks=ranks, special_tokens={"<|endoftext|>": len(ranks)}
    )


def score(a):
    texts = [line.rstrip("\n") for line in open(a.texts, encoding="utf-8", newline="\n")]
    model = load(a.model).to(torch.bfloat16 if a.dtype == "bf16" else torch.float32).eval()
    encode = encoding(a.model).encode_ordinary
    begin = time.perf_counter()
    ids = [encode(text)[:1024] or [PAD] for text in texts]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i])) if a.sort else list(range(len(ids)))
    encoding_seconds = time.perf_counter() - begin
    groups = [order[first : first + a.batch] for first in range(0, len(order), a.batch)]
    sample = min(a.batches or len(groups), len(groups))
    chosen = [groups[(2 * i + 1) * len(groups) // (2 * sample)] for i in range(sample)]
    probabilities, seconds = {}, 0.0
    with torch.inference_mode():
        model(torch.tensor([[PAD] * 8]), torch.tensor([8]))
        for group in chosen:
            begin = time.perf_counter()
            batch = [ids[i] for i in group]
            longest = max(map(len, batch))
            padded = torch.tensor([row + [PAD] * (longest - len(row)) for row in batch])
            p = model(padded, torch.tensor([len(row) for row in batch])).float().softmax(-1)
            seconds += time.perf_counter() - begin
            probabilities |= dict(zip(group, p.tolist()))
    return {
        "messages": len(texts), "batches": len(groups), "timed_batches": sample,
        "seconds": encoding_seconds + seconds * len(groups) / sample, "probabilities": probabilities,
    }  # fmt: skip


def tokenize(directory, path):
    lines = open(path, encoding="utf-8", newline="\n").read().split("\n")
    if lines[-1] == "":
        lines.pop()
    encode = encoding(directory).encode_ordinary
    encode("warm up")
    begin = time.perf_counter()
    tokens = sum(len(encode(line)) for line in lines)
    seconds = time.perf_counter() - begin
    return {"bytes": os.path.getsize(path), "tokens": tokens, "seconds": seconds}


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("start")
    command.add_argument("directory")
    command.add_argument("classes", type=int)
    command.add_argument("base", nargs="?")
    command = commands.add_parser("train")
    command.add_argument("start")
    command.add_argument("data")
    command.add_argument("--pool", required=True)
    command.add_argument("--trainable", required=True)
    command.add_argument("--steps", type=int, default=0)
    command = commands.add_parser("pretrain")
    for name in ("blocks", "width", "heads", "vocabulary", "length", "rows"):
        command.add_argument(name, type=int)
    command.add_argument("--steps", type=int, default=5)
    command.add_argument("--dtype", default="f32")
    command = commands.add_parser("score")
    command.add_argument("model")
    command.add_argument("texts")
    command.add_argument("--batch", type=int, default=1)
    command.add_argument("--sort", action="store_true")
    command.add_argument("--dtype", default="f32")
    command.add_argument("--batches", type=int, default=0)
    command = commands.add_parser("tokenize")
    command.add_argument("directory")
    command.add_argument("path")
    a = parser.parse_args()
    torch.set_num_threads(os.cpu_count())
    if a.command == "start":
        result = start(a.directory, a.classes, a.base)
    elif a.command == "train":
        result = train(a)
    elif a.command == "pretrain":
        result = pretrain(a)
    elif a.command == "score":
        result = score(a)
    else:
        result = tokenize(a.directory, a.path)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
