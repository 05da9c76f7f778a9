"""Writes tiny/ and tiny-3class/: small random GPT-2s, and what PyTorch and transformers compute from them. Run:

    pip install torch transformers safetensors numpy
    python make_reference.py [FOLDER]      FOLDER: where tiny/ and tiny-3class/ are written, here if it isn't given

    model/config.json, model.safetensors   the network without a classification head, in Hugging Face's layout
    expected.safetensors                   inputs and results, F32 unless stated (B rows, T padded length, C width, L
                                           blocks, K classes, S steps of b rows)
        input_ids        I32 [B,T]         padded on the right with the last token of the vocabulary
        lengths, labels  I32 [B]           tokens before the padding; classes
        head.weight [K,C], head.bias [K]
        hidden.0 … hidden.L [B,T,C]        the input of every block, and the output of the last one before ln_f
        logits.POOLING [B,K]
        grad.POOLING.SET.PARAMETER         gradients of the mean cross entropy of all rows
        steps.POOLING.SET.batches I32 [S,b], .loss [S], .PARAMETER
                                           AdamW's steps: their rows, the loss before each, the parameter after the last

POOLING is last-position, last-token, first or mean (of all T positions). SET is head, last-1, last-2 or all. `first` and
`mean` have steps for last-1 alone, which keeps the files small. Padding tokens are tokens: no attention mask hides them.

torch 2.13.0+cpu with transformers 5.23 and 5.24 gives the committed bytes, apart from `transformers_version` in
config.json. Other versions and processors may give other last digits, within the tolerances of ParityTests.swift.
make_training_options.py builds on tiny-3class/.
"""

import os
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2Model

TARGET = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
CONTEXT, VOCABULARY = 64, 257
PAD = VOCABULARY - 1
STEPS, BATCH = 6, 4
RATE, BETAS, EPSILON, DECAY = 1e-3, (0.9, 0.999), 1e-8, 0.1
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


def random_model(layers, heads, width):
    """A GPT-2 as transformers initialises it, with every bias and LayerNorm moved away from 0 and 1."""
    config = GPT2Config(
        vocab_size=VOCABULARY, n_positions=CONTEXT, n_embd=width, n_layer=layers, n_head=heads, resid_pdrop=0.0,
        embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=PAD, eos_token_id=PAD)
    model = GPT2Model(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def hidden_states(model, ids):
    """The input of every block and the output of the last one, before ln_f."""
    states = [model.wte(ids) + model.wpe(torch.arange(ids.shape[1]))]

    def record(module, inputs, output):
        states.append((output[0] if isinstance(output, tuple) else output).clone())

    hooks = [block.register_forward_hook(record) for block in model.h]
    model(input_ids=ids)
    for hook in hooks:
        hook.remove()
    return states


def trainable(model, which):
    layers = len(model.h)
    prefixes = {
        "head": [],
        "last-1": ["ln_f.", f"h.{layers - 1}."],
        "last-2": ["ln_f.", f"h.{layers - 1}.", f"h.{layers - 2}."],
        "all": [""],
    }[which]
    return {
        name: parameter for name, parameter in model.named_parameters()
        if any(name.startswith(prefix) for prefix in prefixes)
    }


def make(name, seed, layers, heads, width, classes, rows, length):
    folder = f"{TARGET}/{name}"
    torch.manual_seed(seed)
    model = random_model(layers, heads, width)
    os.makedirs(f"{folder}/model", exist_ok=True)
    model.save_pretrained(f"{folder}/model")
    start = {key: value.clone() for key, value in model.state_dict().items()}

    # The order of the draws is part of the fixture. One text fills the padded length, and one is a single token.
    generator = torch.Generator().manual_seed(seed + 1000)
    lengths = torch.randint(1, length + 1, (rows,), generator=generator)
    lengths[0], lengths[1] = length, 1
    ids = torch.randint(0, PAD, (rows, length), generator=generator)
    for row, count in enumerate(lengths):
        ids[row, count:] = PAD
    labels = torch.randint(0, classes, (rows,), generator=generator)
    weight = 0.2 * torch.randn(classes, width, generator=generator)
    bias = 0.1 * torch.randn(classes, generator=generator)

    tensors = {
        "input_ids": ids.int(), "lengths": lengths.int(), "labels": labels.int(),
        "head.weight": weight, "head.bias": bias,
    }
    with torch.no_grad():
        for block, state in enumerate(hidden_states(model, ids)):
            tensors[f"hidden.{block}"] = state

    def logits(chosen, weight, bias, pooling):
        y = F.linear(model(input_ids=ids[chosen]).last_hidden_state, weight, bias)
        if pooling == "last-position":
            return y[:, -1]
        if pooling == "first":
            return y[:, 0]
        if pooling == "mean":
            return y.mean(1)
        return y[torch.arange(len(chosen)), lengths[chosen] - 1]

    for pooling in ("last-position", "last-token", "first", "mean"):
        for which in ("head", "last-1", "last-2", "all"):
            model.load_state_dict(start)
            model.requires_grad_(False)
            model.zero_grad()
            parameters = trainable(model, which)
            parameters |= {"head.weight": weight.clone(), "head.bias": bias.clone()}
            for parameter in parameters.values():
                parameter.requires_grad_(True)
            head = parameters["head.weight"], parameters["head.bias"]

            y = logits(list(range(rows)), *head, pooling)
            F.cross_entropy(y, labels).backward()
            tensors[f"logits.{pooling}"] = y.detach()
            for key, parameter in parameters.items():
                gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
                tensors[f"grad.{pooling}.{which}.{key}"] = gradient.clone()

            if pooling in ("first", "mean") and which != "last-1":
                continue
            batches = torch.stack([torch.randperm(rows, generator=generator)[:BATCH] for _ in range(STEPS)])
            optimizer = torch.optim.AdamW(parameters.values(), lr=RATE, betas=BETAS, eps=EPSILON, weight_decay=DECAY)
            step_losses = []
            for batch in batches.tolist():
                optimizer.zero_grad()
                loss = F.cross_entropy(logits(batch, *head, pooling), labels[batch])
                loss.backward()
                optimizer.step()
                step_losses.append(loss.item())
            key = f"steps.{pooling}.{which}."
            tensors[key + "batches"] = batches.int()
            tensors[key + "loss"] = torch.tensor(step_losses)
            tensors |= {key + name: parameter.detach().clone() for name, parameter in parameters.items()}

    path = f"{folder}/expected.safetensors"
    save_file({key: value.detach().contiguous().clone() for key, value in tensors.items()}, path)
    print(path, len(tensors), "tensors,", os.path.getsize(path), "bytes")


make("tiny", seed=1, layers=3, heads=4, width=32, classes=2, rows=6, length=24)
make("tiny-3class", seed=2, layers=2, heads=2, width=16, classes=3, rows=5, length=17)
