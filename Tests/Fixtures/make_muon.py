"""Writes tiny/muon.safetensors: what torch.optim.Muon does to matrices of four shapes. Run:

    pip install torch safetensors
    python make_muon.py [FOLDER]      FOLDER: where the file is written, tiny/ if it isn't given

Tensors, F32, for every NAME of wide, tall, square, triple:
    NAME.start              the matrix; NAME.gradient.S its gradient at step S, from 0
    NAME.end                the matrix after the last step
triple holds three square matrices side by side, each of which PyTorch updates by itself.

PyTorch orthogonalizes in bfloat16; here it does in float32, and also in bfloat16 for NAME.end.bf16. Updates are scaled as
AdamW's (adjust_lr_fn="match_rms_adamw"). torch 2.13.0+cpu gives the committed bytes.
"""

import os
import sys
from unittest.mock import patch

import torch
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = sys.argv[1] if len(sys.argv) > 1 else f"{HERE}/tiny"
STEPS, RATE, DECAY, MOMENTUM = 5, 4e-3, 0.1, 0.95
SHAPES = {"wide": (12, 48), "tall": (48, 12), "square": (12, 12), "triple": (12, 36)}
torch.set_num_threads(1)
torch.manual_seed(123)

result = {}
for name, shape in SHAPES.items():
    result[f"{name}.start"] = 0.02 * torch.randn(shape)
    for step in range(STEPS):
        result[f"{name}.gradient.{step}"] = torch.randn(shape) * 10.0 ** -step


def run(name):
    matrices = 3 if name == "triple" else 1
    parts = [part.clone().requires_grad_() for part in result[f"{name}.start"].chunk(matrices, 1)]
    optimizer = torch.optim.Muon(
        parts, lr=RATE, weight_decay=DECAY, momentum=MOMENTUM, adjust_lr_fn="match_rms_adamw")
    for step in range(STEPS):
        for part, gradient in zip(parts, result[f"{name}.gradient.{step}"].chunk(matrices, 1)):
            part.grad = gradient.clone()
        optimizer.step()
    return torch.cat([part.detach() for part in parts], 1)


for name in SHAPES:
    result[f"{name}.end.bf16"] = run(name)
    with patch.object(torch.Tensor, "bfloat16", torch.Tensor.float):
        result[f"{name}.end"] = run(name)
save_file({name: tensor.contiguous() for name, tensor in result.items()}, f"{TARGET}/muon.safetensors")
