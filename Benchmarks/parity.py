"""PyTorch's side of parity.sh.

    parity.py train SHARD POOL DIR     writes random GPT-2 124M with a head to DIR, trains 50 steps, prints losses
    parity.py language SHARD DIR       the same of a language model, 50 steps over all rows of the shard
    parity.py compare A B WHAT         compares the losses of two metrics streams; exit 1 above 1e-3
"""
import json
import os
import sys

TOLERANCE = 1e-3
STEPS = 50
BATCH = 8


def train(shard, pool, directory):
    import torch
    from safetensors.torch import load_file, save_file
    from transformers import GPT2Config, GPT2Model

    torch.manual_seed(123)
    data = load_file(shard)
    classes = int(data["labels"].max()) + 1
    config = GPT2Config(resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)
    base, head = GPT2Model(config), torch.nn.Linear(config.n_embd, classes)
    os.makedirs(directory, exist_ok=True)
    config.save_pretrained(directory)
    start = {"transformer." + name: value.clone() for name, value in base.state_dict().items()}
    start.update({"score.weight": head.weight.detach().clone(), "score.bias": head.bias.detach().clone()})
    save_file(start, directory + "/model.safetensors")

    for parameter in base.parameters():
        parameter.requires_grad_(False)
    trained = [*base.h[-1].parameters(), *base.ln_f.parameters(), *head.parameters()]
    for parameter in trained:
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(trained, lr=5e-5, weight_decay=0.1)
    for step in range(STEPS):
        rows = slice(step * BATCH, (step + 1) * BATCH)
        hidden = base(input_ids=data["input_ids"][rows].long()).last_hidden_state
        last = data["lengths"][rows].long() - 1 if pool == "last-token" else torch.full((BATCH,), hidden.shape[1] - 1)
        loss = torch.nn.functional.cross_entropy(head(hidden[torch.arange(BATCH), last]), data["labels"][rows].long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(json.dumps({"event": "step", "step": step, "loss": loss.item()}), flush=True)


def language(shard, directory):
    import torch
    from safetensors.torch import load_file, save_file
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(123)
    data = load_file(shard)
    ids, lengths = data["input_ids"].long(), data["lengths"].long()
    # Every position but a row's last predicts the next token.
    targets = ids[:, 1:].masked_fill(torch.arange(1, ids.shape[1]) >= lengths[:, None], -100)
    config = GPT2Config(resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)
    model = GPT2LMHeadModel(config)
    os.makedirs(directory, exist_ok=True)
    config.save_pretrained(directory)
    start = {name: value.clone() for name, value in model.state_dict().items() if name != "lm_head.weight"}
    save_file(start, directory + "/model.safetensors")

    decayed = [[p for p in model.parameters() if (p.ndim > 1) == matrices] for matrices in (True, False)]
    optimizer = torch.optim.AdamW(
        [{"params": decayed[0], "weight_decay": 0.1}, {"params": decayed[1], "weight_decay": 0.0}], lr=1e-4,
        betas=(0.9, 0.998),
    )  # fmt: skip
    for step in range(STEPS):
        logits = model(input_ids=ids).logits[:, :-1]
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        print(json.dumps({"event": "step", "step": step, "loss": loss.item()}), flush=True)


def compare(a, b, what):
    def losses(path):
        events = map(json.loads, open(path, encoding="utf-8"))
        return {event["step"]: event["loss"] for event in events if event["event"] == "step"}

    a, b = losses(a), losses(b)
    worst = max(range(STEPS), key=lambda step: abs(a[step] - b[step]))
    difference = abs(a[worst] - b[worst])
    print(f"parity: {what}: {STEPS} steps, largest difference of a loss {difference:.1e} (step {worst}), allowed {TOLERANCE:.0e}")
    sys.exit(difference > TOLERANCE)


{"train": train, "language": language, "compare": compare}[sys.argv[1]](*sys.argv[2:])
