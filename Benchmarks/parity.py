"""PyTorch's side of parity.sh.

    parity.py train SHARD POOL DIR     writes random GPT-2 124M with a head to DIR, trains 50 steps, prints losses
    parity.py language SHARD DIR       the same of a language model, 50 steps over all rows of the shard
    parity.py base DIR SHARD METRICS CONTINUATIONS   compares a base's loss (within 1e-4) and greedy continuations with ours
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
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(123)
    data = load_file(shard)
    ids, lengths = data["input_ids"].long(), data["lengths"].long()
    # Every position but a row's last predicts the next token.
    targets = ids[:, 1:].masked_fill(torch.arange(1, ids.shape[1]) >= lengths[:, None], -100)
    with safe_open(shard, "pt") as file:
        end = int(file.metadata()["pad_token_id"])
    # The end of a text is a vocabulary's last token.
    config = GPT2Config(
        vocab_size=end + 1, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=end, eos_token_id=end
    )
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


def base(directory, shard, metrics, continuations):
    import torch
    from safetensors.torch import load_file
    from transformers import GPT2LMHeadModel, GPT2Tokenizer

    model = GPT2LMHeadModel.from_pretrained(directory, dtype=torch.float32).eval()
    tokenizer = GPT2Tokenizer.from_pretrained(directory)
    data = load_file(shard)
    ids, lengths = data["input_ids"].long(), data["lengths"].long()
    total, count = 0.0, 0
    with torch.no_grad():
        for first in range(0, len(ids), 32):
            part, ends = ids[first : first + 32], lengths[first : first + 32]
            targets = part[:, 1:].masked_fill(torch.arange(1, part.shape[1]) >= ends[:, None], -100)
            logits = model(input_ids=part).logits[:, :-1]
            total += torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum").item()
            count += int((targets >= 0).sum())
    ours = [event for event in map(json.loads, open(metrics, encoding="utf-8")) if event["event"] == "end"][0]
    difference = abs(total / count - ours["validation_loss"])
    lines = [json.loads(line) for line in open(continuations, encoding="utf-8")]
    others = 0
    for line in lines:
        prompt = torch.tensor([tokenizer.encode(line["text"])])
        end = model.config.eos_token_id
        written = model.generate(prompt, do_sample=False, max_new_tokens=40, pad_token_id=end)[0, prompt.shape[1] :].tolist()
        others += tokenizer.decode([token for token in written if token != end]) != line["continuation"]
    print(
        f"parity: {directory}: loss of {count} tokens differs by {difference:.1e}, allowed 1e-04; "
        f"{len(lines) - others} of {len(lines)} greedy continuations are the same"
    )
    sys.exit(difference > 1e-4 or others > 0)


def compare(a, b, what):
    def losses(path):
        events = map(json.loads, open(path, encoding="utf-8"))
        return {event["step"]: event["loss"] for event in events if event["event"] == "step"}

    a, b = losses(a), losses(b)
    worst = max(range(STEPS), key=lambda step: abs(a[step] - b[step]))
    difference = abs(a[worst] - b[worst])
    print(f"parity: {what}: {STEPS} steps, largest difference of a loss {difference:.1e} (step {worst}), allowed {TOLERANCE:.0e}")
    sys.exit(difference > TOLERANCE)


{"train": train, "language": language, "base": base, "compare": compare}[sys.argv[1]](*sys.argv[2:])
