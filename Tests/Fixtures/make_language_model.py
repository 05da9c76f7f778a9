"""Writes tiny/language-model.safetensors: what PyTorch and transformers compute for the language model of tiny/model. Run:

    pip install torch transformers safetensors
    python make_language_model.py [FOLDER]      FOLDER: where the file is written, tiny/ if it isn't given

Tensors, F32 unless stated (B rows, T padded length, V vocabulary, S steps of b rows):
    input_ids  I32 [B,T]      padded on the right; lengths I32 [B], tokens before the padding
    loss       [1]            the mean cross entropy of the next token, over all positions of a row but its last
    count      I32 [1]        of how many tokens
    grad.PARAMETER            gradients of that loss
    steps.batches I32 [S,b], steps.loss [S], steps.PARAMETER
                              AdamW's steps: their rows, the loss before each, the parameter after the last
    logits     [n,V]          of the token after each of the first n of row 0

The head is tied: its weight is wte. AdamW's weight decay applies to matrices alone. GPT2LMHeadModel's own loss is compared
with the one here, which leaves out the padding.

torch 2.13.0+cpu gives the committed bytes; other versions and processors may give other last digits.
"""

import os
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from transformers import GPT2LMHeadModel

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = sys.argv[1] if len(sys.argv) > 1 else f"{HERE}/tiny"
STEPS, BATCH = 6, 4
RATE, BETAS, EPSILON, DECAY = 1e-3, (0.9, 0.998), 1e-8, 0.1
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

reference = load_file(f"{HERE}/tiny/expected.safetensors")
ids, lengths = reference["input_ids"].long(), reference["lengths"].long()
lengths = lengths.clamp(min=2)  # one token predicts nothing
assert ids.shape[1] >= int(lengths.max())


def network():
    model = GPT2LMHeadModel.from_pretrained(f"{HERE}/tiny/model", torch_dtype=torch.float32)
    model.config.resid_pdrop = model.config.embd_pdrop = model.config.attn_pdrop = 0.0
    return model.eval()


def loss(model, rows):
    """The mean over predicted tokens, and their number. Padding is behind what is predicted, so no mask is needed."""
    logits = model(ids[rows]).logits
    targets = torch.full_like(ids[rows], -100)
    for place, row in enumerate(rows):
        n = int(lengths[row])
        targets[place, : n - 1] = ids[row, 1:n]
    count = int((targets >= 0).sum())
    total = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100, reduction="sum")
    own = model(ids[rows], labels=F.pad(targets, (1, 0), value=-100)[:, :-1]).loss
    assert abs(float(own.detach()) - float(total.detach()) / count) < 1e-5
    return total / count, count


def named(model):
    return [(name.removeprefix("transformer."), value) for name, value in model.named_parameters()]


result = {"input_ids": ids.int(), "lengths": lengths.int()}
model = network()
value, count = loss(model, list(range(len(ids))))
value.backward()
result["loss"], result["count"] = value.detach().reshape(1), torch.tensor([count], dtype=torch.int32)
for name, parameter in named(model):
    result[f"grad.{name}"] = parameter.grad.clone()

model = network()
matrices = [p for _, p in named(model) if p.ndim == 2]
vectors = [p for _, p in named(model) if p.ndim == 1]
optimizer = torch.optim.AdamW(
    [{"params": matrices, "weight_decay": DECAY}, {"params": vectors, "weight_decay": 0.0}],
    lr=RATE, betas=BETAS, eps=EPSILON)
batches = [[(step * BATCH + i) % len(ids) for i in range(BATCH)] for step in range(STEPS)]
losses = []
for rows in batches:
    value, _ = loss(model, rows)
    losses.append(float(value.detach()))
    optimizer.zero_grad()
    value.backward()
    optimizer.step()
result["steps.batches"] = torch.tensor(batches, dtype=torch.int32)
result["steps.loss"] = torch.tensor(losses)
for name, parameter in named(model):
    result[f"steps.{name}"] = parameter.detach().clone()

with torch.no_grad():
    result["logits"] = network()(ids[:1, : int(lengths[0])]).logits[0]

save_file({name: tensor.contiguous() for name, tensor in result.items()}, f"{TARGET}/language-model.safetensors")
print(f"loss {result['loss'].item():.6f} over {count} tokens; steps {[round(x, 4) for x in losses]}")
