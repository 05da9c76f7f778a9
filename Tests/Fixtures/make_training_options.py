"""Writes tiny-3class/training.safetensors: what PyTorch and transformers compute for the options of training, on the
model, the head and the texts of tiny-3class/ (make_reference.py). Run:

    pip install torch transformers safetensors numpy
    python make_training_options.py

    schedule.NAME          learning rate factors of transformers' schedulers, NAME as SHAPE-WARMUP-STEPS
    dropout.NAME           masks (0 or 1/(1-p)) of the first 40 numbers of a place, from Philox
    nocausal.hidden.I      [B,T,C] input of block I, and of I = L the output of the last, padded texts, all attended to
    nocausal.logits.POOL   [B,K]
    run.NAME.loss, .rate, .norm      [steps] of a training run (see RUNS): the loss before each update, the learning
                                     rate, the norm of the gradient before clipping
    run.NAME.PARAM         a parameter after the last update; large ones are left out
    lora.POOL.LAYERS.…     start values of LoRA's A and B, gradients at the start, values after the steps, losses

The model is written out below, so that masks can be put into it; it is compared with transformers' own first.

The committed file is from torch 2.15.0+cu132 on a CPU. Another processor gives other last digits: up to 3e-7·max(1,|x|), and up to 4e-5
for the keys' third of c_attn.bias after AdamW's steps. Its gradient is rounding noise, because softmax is blind to it.
"""

import os

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from transformers import GPT2Config, GPT2Model, get_scheduler

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tiny-3class")
RATE, DECAY, SEED = 1e-3, 0.1, 123
torch.manual_seed(20260102)
torch.set_num_threads(1)

given = load_file(f"{FOLDER}/expected.safetensors")
ids, lengths, labels = (given[name].long() for name in ("input_ids", "lengths", "labels"))
config = GPT2Config.from_pretrained(f"{FOLDER}/model", attn_implementation="eager")
reference = GPT2Model.from_pretrained(f"{FOLDER}/model", config=config).eval()
B, T = ids.shape
C, H, L, K = config.n_embd, config.n_head, config.n_layer, given["head.weight"].shape[0]
PAD = config.vocab_size - 1
START = {name: value.clone() for name, value in reference.state_dict().items()}
START |= {"score.weight": given["head.weight"], "score.bias": given["head.bias"]}


# Dropout as Sources/GPT2Kit/Compute/Dropout.swift defines it.


def philox(counter, key):
    """Philox4x32-10 of counters [n,4] and one key [2]."""
    c = [counter[:, i].astype(np.uint64) for i in range(4)]
    k0, k1 = int(key[0]), int(key[1])
    mask = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        first, second = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [
            (second >> np.uint64(32)) ^ c[1] ^ np.uint64(k0),
            second & mask,
            (first >> np.uint64(32)) ^ c[3] ^ np.uint64(k1),
            first & mask,
        ]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(c, 1).astype(np.uint32)


EMBEDDINGS, ATTENTION_WEIGHTS, ATTENTION, FEED_FORWARD = range(4)


def mask(p, count, block, place, row, step):
    counters = np.zeros(((count + 3) // 4, 4), np.uint64)
    counters[:, 0] = np.arange(len(counters))
    counters[:, 1:] = 4 * block + place, row, step
    words = philox(counters, (SEED & 0xFFFFFFFF, SEED >> 32)).reshape(-1)[:count]
    return torch.from_numpy((words >= round(p * 2**32)).astype(np.float32)) / (1 - p)


# Word dropout as Sources/GPT2Kit/Training/Steps/WordDropout.swift defines it. The texts' own tokens are random, so for these runs
# every third one is exchanged for a space (tokens are bytes, numbered as in GPT-2's vocabulary).
WHITE, SPACE = (197, 198, 199, 200, 201, 220), 220
spaced = ids.clone()
spaced[:, 2::3] = SPACE
for row in range(B):
    spaced[row, lengths[row]:] = ids[row, lengths[row]:]


def remaining(p, row, step, length):
    """The positions of a text that are kept; all of them where no word is."""
    words = np.cumsum([t > 0 and int(spaced[row, t]) in WHITE for t in range(length)])
    counters = np.array([[word // 4, 2**32 - 1, row, step] for word in range(words[-1] + 1)], np.uint64)
    drawn = philox(counters, (SEED & 0xFFFFFFFF, SEED >> 32))
    kept = [t for t in range(length) if drawn[words[t], words[t] % 4] >= round(p * 2**32)]
    return kept or list(range(length))


def shortened(p, pool, row, step):
    """The tokens of a text in a step, with pads where the pooling reads them."""
    tokens = spaced[row, remaining(p, row, step, int(lengths[row]))]
    if pool in ("last-position", "mean"):
        tokens = torch.cat([tokens, ids[row, lengths[row]:], ids.new_full((T,), PAD)])[:T]
    return tokens


# GPT-2, one text at a time.


class Dropout:
    def __init__(self, p, row, step, embeddings, first_block):
        self.p, self.row, self.step, self.embeddings, self.first_block = p, row, step, embeddings, first_block

    def __call__(self, x, block, place):
        wanted = self.embeddings if place == EMBEDDINGS else block >= self.first_block
        return x * mask(self.p, x.numel(), block, place, self.row, self.step).view(x.shape) if wanted else x


def keep(x, block, place):
    return x


def layer(P, name, x, lora):
    y = x @ P[name + ".weight"] + P[name + ".bias"]
    return y + lora.scale * (x @ lora.A[name]) @ lora.B[name] if lora and name in lora.A else y


def states(P, tokens, causal=True, drop=keep, lora=None):
    """Input of every block, and what comes after the last [T,C]."""
    T = len(tokens)
    x = drop(P["wte.weight"][tokens] + P["wpe.weight"][:T], 0, EMBEDDINGS)
    result = [x]
    for block in range(L):
        h = f"h.{block}."
        y = F.layer_norm(x, (C,), P[h + "ln_1.weight"], P[h + "ln_1.bias"], config.layer_norm_epsilon)
        q, k, v = (z.view(T, H, -1).transpose(0, 1) for z in layer(P, h + "attn.c_attn", y, lora).split(C, 1))
        scores = q @ k.transpose(1, 2) / (C // H) ** 0.5
        if causal:
            scores = scores.masked_fill(torch.ones(T, T).tril() == 0, -torch.inf)
        weights = drop(scores.softmax(-1), block, ATTENTION_WEIGHTS)
        y = (weights @ v).transpose(0, 1).reshape(T, C)
        x = x + drop(layer(P, h + "attn.c_proj", y, lora), block, ATTENTION)
        y = F.layer_norm(x, (C,), P[h + "ln_2.weight"], P[h + "ln_2.bias"], config.layer_norm_epsilon)
        y = F.gelu(layer(P, h + "mlp.c_fc", y, lora), approximate="tanh")
        x = x + drop(layer(P, h + "mlp.c_proj", y, lora), block, FEED_FORWARD)
        result.append(x)
    return result


def logits(P, row, pool, causal=True, drop=keep, lora=None, tokens=None):
    n = T if pool in ("last-position", "mean") else 1 if pool == "first" and causal else lengths[row]
    x = states(P, ids[row, :n] if tokens is None else tokens, causal, drop, lora)[-1]
    x = F.layer_norm(x, (C,), P["ln_f.weight"], P["ln_f.bias"], config.layer_norm_epsilon)
    y = x @ P["score.weight"].T + P["score.bias"]
    if lora and "score" in lora.A:
        y = y + lora.scale * (x @ lora.A["score"]) @ lora.B["score"]
    return y.mean(0) if pool in ("mean", "mean-text") else y[0] if pool == "first" else y[-1]


def close(a, b):
    assert (a - b).abs().max() < 1e-5, (a - b).abs().max()


with torch.no_grad():
    everything = torch.zeros(1, 1, T, T)
    for row in range(B):
        close(reference(ids[row : row + 1]).last_hidden_state[0], F.layer_norm(
            states(START, ids[row])[-1], (C,), START["ln_f.weight"], START["ln_f.bias"]))
        close(reference(ids[row : row + 1], attention_mask=everything).last_hidden_state[0], F.layer_norm(
            states(START, ids[row], causal=False)[-1], (C,), START["ln_f.weight"], START["ln_f.bias"]))

out = {}

# Learning rates.
for name in ("constant", "linear", "cosine"):
    for warmup, steps in ((0, 10), (3, 10), (1, 7), (9, 9)):
        parameter = torch.nn.Parameter(torch.zeros(1))
        optimizer = torch.optim.SGD([parameter], lr=1.0)
        kind = "constant_with_warmup" if name == "constant" else name
        scheduler = get_scheduler(kind, optimizer, num_warmup_steps=warmup, num_training_steps=steps)
        rates = []
        for _ in range(steps):
            rates.append(scheduler.get_last_lr()[0])
            optimizer.step()
            scheduler.step()
        out[f"schedule.{name}-{warmup}-{steps}"] = torch.tensor(rates)

# Masks.
for place, name in enumerate(("embeddings", "attention-weights", "attention", "feed-forward")):
    out[f"dropout.{name}"] = mask(0.25, 40, block=1, place=place, row=5, step=7)

# No causal mask.
with torch.no_grad():
    hidden = [states(START, ids[row], causal=False) for row in range(B)]
    for i in range(L + 1):
        out[f"nocausal.hidden.{i}"] = torch.stack([h[i] for h in hidden])[:3]
    for pool in ("last-token", "last-position", "first", "mean", "mean-text"):
        out[f"nocausal.logits.{pool}"] = torch.stack([logits(START, row, pool, causal=False) for row in range(B)])


# Training runs over the rows in their order; what doesn't fill a batch is left out, as there.


def trained(which):
    blocks = {"head": [], "last-1": [L - 1], "last-2": [L - 2, L - 1], "all": range(L)}[which]
    prefixes = ["score."] + (["ln_f."] if which != "head" else []) + [f"h.{block}." for block in blocks]
    prefixes += ["wte.", "wpe."] if which == "all" else []
    return [name for name in START if any(name.startswith(prefix) for prefix in prefixes)]


def depth(name):
    """How many times the decay of layers applies to a parameter's learning rate."""
    if name.startswith("h."):
        return L - int(name.split(".")[1])
    return L + 1 if name.startswith(("wte.", "wpe.")) else 0


def run(name, which, pool, batch, steps, causal=True, schedule="constant", warmup=0, clip=None, smoothing=0.0,
        weights=None, dropout=0.0, word_dropout=0.0, layer_decay=1.0):
    P = {key: value.clone() for key, value in START.items()}
    names = trained(which)
    for key in names:
        P[key].requires_grad_(True)
    groups = [{"params": [P[key]], "lr": RATE * layer_decay ** depth(key)} for key in names]
    optimizer = torch.optim.AdamW(groups, lr=RATE, weight_decay=DECAY)
    kind = "constant_with_warmup" if schedule == "constant" else schedule
    scheduler = get_scheduler(kind, optimizer, num_warmup_steps=warmup, num_training_steps=steps)
    criterion = torch.nn.CrossEntropyLoss(
        weight=None if weights is None else torch.tensor(weights), label_smoothing=smoothing)
    first_block = {"head": L, "last-1": L - 1, "last-2": L - 2, "all": 0}[which]
    losses, rates, norms = [], [], []
    for step in range(steps):
        rows = [step % (B // batch) * batch + i for i in range(batch)]
        y = torch.stack([
            logits(P, row, pool, causal,
                   Dropout(dropout, row, step, which == "all", first_block) if dropout else keep,
                   tokens=shortened(word_dropout, pool, row, step) if word_dropout else None)
            for row in rows])
        loss = criterion(y, labels[rows])
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_([P[key] for key in names], clip if clip else torch.inf)
        losses.append(loss.item())
        rates.append(max(scheduler.get_last_lr()))
        norms.append(norm.item())
        optimizer.step()
        scheduler.step()
    out[f"run.{name}.loss"], out[f"run.{name}.rate"] = torch.tensor(losses), torch.tensor(rates)
    out[f"run.{name}.norm"] = torch.tensor(norms)
    for key in names:
        if P[key].numel() < 1000:
            out[f"run.{name}.{key}"] = P[key].detach()


balanced = (len(labels) / (K * torch.bincount(labels, minlength=K).float())).tolist()
run("clipped", "last-1", "last-token", batch=2, steps=6, schedule="cosine", warmup=2, clip=0.5)
run("smoothed", "last-1", "first", batch=5, steps=4, schedule="linear", warmup=1, smoothing=0.1)
run("weighted", "head", "last-token", batch=2, steps=6, weights=[1.0, 6.0, 2.5])
run("balanced", "last-1", "last-position", batch=2, steps=6, weights=balanced, smoothing=0.2)
run("accumulated", "last-2", "last-token", batch=5, steps=2, weights=[0.5, 2.0, 1.0])
run("dropped", "all", "last-token", batch=2, steps=6, dropout=0.25)
run("dropped-mean", "last-1", "mean", batch=2, steps=6, dropout=0.1)
run("own-tokens", "last-2", "mean-text", batch=2, steps=6, dropout=0.1)
run("word-dropped", "all", "last-token", batch=2, steps=6, word_dropout=0.4)
run("word-dropped-mean", "all", "mean", batch=2, steps=6, dropout=0.1, word_dropout=0.25)
run("word-dropped-position", "last-2", "last-position", batch=2, steps=6, word_dropout=0.4)
run("layer-decay", "all", "last-token", batch=2, steps=6, layer_decay=0.6)
run("nocausal-first", "all", "first", batch=2, steps=6, causal=False)
run("nocausal-mean", "last-1", "mean", batch=2, steps=6, causal=False)
run("nocausal-head", "head", "first", batch=2, steps=6, causal=False)
run("nocausal-dropped", "last-2", "first", batch=2, steps=6, causal=False, dropout=0.25)


# LoRA: the adapters beside the layers, as Hu et al. have them, not merged.


class LoRA:
    def __init__(self, names, rank, alpha):
        self.scale, self.A, self.B = alpha / rank, {}, {}
        for name in names:
            shape = START[name + ".weight"].shape
            inputs, outputs = reversed(shape) if name == "score" else shape
            self.A[name] = torch.empty(inputs, rank).uniform_(-1, 1) / inputs**0.5
            self.B[name] = 0.1 * torch.randn(rank, outputs)


def lora(key, pool, suffixes, rank=4, alpha=8.0, steps=3):
    names = [f"h.{block}.{suffix}" for block in range(L) for suffix in suffixes if suffix != "score"]
    names += ["score"] if "score" in suffixes else []
    adapters = LoRA(names, rank, alpha)
    P = {name: value.clone() for name, value in START.items()}
    values = {f"{name}.lora_{kind}": getattr(adapters, kind)[name] for name in names for kind in "AB"}
    if "score" not in suffixes:
        values |= {name: P[name] for name in ("score.weight", "score.bias")}
    for name, value in values.items():
        out[f"lora.{key}.start.{name}"] = value.clone()
        value.requires_grad_(True)
    optimizer = torch.optim.AdamW(values.values(), lr=RATE, weight_decay=DECAY)
    losses = []
    for step in range(steps):
        y = torch.stack([logits(P, row, pool, lora=adapters) for row in range(B)])
        loss = F.cross_entropy(y, labels)
        optimizer.zero_grad()
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            for name, value in values.items():
                out[f"lora.{key}.grad.{name}"] = value.grad.clone()
        optimizer.step()
    out[f"lora.{key}.loss"] = torch.tensor(losses)
    for name, value in values.items():
        out[f"lora.{key}.end.{name}"] = value.detach()


lora("blocks", "last-token", ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"))
lora("head", "mean", ("attn.c_attn", "score"))

path = f"{FOLDER}/training.safetensors"
save_file({name: value.contiguous() for name, value in out.items()}, path)
print(path, len(out), "tensors,", os.path.getsize(path), "bytes")
