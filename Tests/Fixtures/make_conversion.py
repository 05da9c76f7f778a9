"""Writes conversion/: small models as other programs write them, and what they have to become. Run:

    pip install torch transformers safetensors peft tensorflow-cpu
    python make_conversion.py

book.safetensors, book-classifier.safetensors: the state dict of the model class that "Build a Large Language Model (From
Scratch)" builds, with biases of queries, keys and values and without. openai/: a checkpoint that TensorFlow has written, with
hparams.json, encoder.json and vocab.bpe. base/ and adapter/, adapter-language/: a model directory and adapters that PEFT has
trained for two steps. *.expected.safetensors: the same parameters under Hugging Face's names.

The script checks that the book's class and Hugging Face's give the same logits for them, and that PEFT's merged model does.
"""

import json
import os
import shutil

import peft
import tensorflow as tf
import torch
from safetensors.torch import save_file
from torch import nn
from transformers import GPT2Config, GPT2ForSequenceClassification, GPT2LMHeadModel

TARGET = os.path.join(os.path.dirname(os.path.abspath(__file__)), "conversion")
V, T, C, L, H, K = 257, 12, 8, 2, 2, 3


class Norm(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.rand(C) + 0.5), nn.Parameter(torch.randn(C) * 0.1)

    def forward(self, x):
        return self.scale * (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, unbiased=False) + 1e-5).sqrt() + self.shift


class Attention(nn.Module):
    def __init__(self, has_bias):
        super().__init__()
        self.W_query, self.W_key, self.W_value = (nn.Linear(C, C, bias=has_bias) for _ in range(3))
        self.out_proj = nn.Linear(C, C)
        self.register_buffer("mask", torch.triu(torch.ones(T, T), diagonal=1))

    def forward(self, x):
        split = lambda y: y.unflatten(-1, (H, C // H)).transpose(1, 2)
        q, k, v = split(self.W_query(x)), split(self.W_key(x)), split(self.W_value(x))
        scores = q @ k.transpose(2, 3) / (C // H) ** 0.5
        scores = scores.masked_fill(self.mask.bool()[: x.shape[1], : x.shape[1]], float("-inf"))
        return self.out_proj((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(C, 4 * C), nn.GELU(approximate="tanh"), nn.Linear(4 * C, C))

    def forward(self, x):
        return self.layers(x)


class Block(nn.Module):
    def __init__(self, has_bias):
        super().__init__()
        self.att, self.ff, self.norm1, self.norm2 = Attention(has_bias), FeedForward(), Norm(), Norm()

    def forward(self, x):
        x = x + self.att(self.norm1(x))
        return x + self.ff(self.norm2(x))


class Book(nn.Module):
    def __init__(self, outputs, has_bias, head_bias):
        super().__init__()
        self.tok_emb, self.pos_emb = nn.Embedding(V, C), nn.Embedding(T, C)
        self.trf_blocks = nn.Sequential(*(Block(has_bias) for _ in range(L)))
        self.final_norm, self.out_head = Norm(), nn.Linear(C, outputs, bias=head_bias)

    def forward(self, ids):
        x = self.tok_emb(ids) + self.pos_emb(torch.arange(ids.shape[1]))
        return self.out_head(self.final_norm(self.trf_blocks(x)))


def renamed(state):
    """Of the book's state dict that of Hugging Face, without a head."""
    result = {"wte.weight": state["tok_emb.weight"], "wpe.weight": state["pos_emb.weight"]}
    for i in range(L):
        old, new = f"trf_blocks.{i}.", f"h.{i}."
        for norm in ("1", "2"):
            result[new + f"ln_{norm}.weight"] = state[old + f"norm{norm}.scale"]
            result[new + f"ln_{norm}.bias"] = state[old + f"norm{norm}.shift"]
        names = [old + f"att.W_{name}" for name in ("query", "key", "value")]
        result[new + "attn.c_attn.weight"] = torch.cat([state[name + ".weight"].T for name in names], 1)
        result[new + "attn.c_attn.bias"] = torch.cat([state.get(name + ".bias", torch.zeros(C)) for name in names])
        for theirs, ours in (("att.out_proj", "attn.c_proj"), ("ff.layers.0", "mlp.c_fc"), ("ff.layers.2", "mlp.c_proj")):
            result[new + ours + ".weight"] = state[old + theirs + ".weight"].T
            result[new + ours + ".bias"] = state[old + theirs + ".bias"]
    result["ln_f.weight"], result["ln_f.bias"] = state["final_norm.scale"], state["final_norm.shift"]
    return {"transformer." + name: tensor.clone().contiguous() for name, tensor in result.items()}


def config(**more):
    return GPT2Config(vocab_size=V, n_positions=T, n_embd=C, n_layer=L, n_head=H, bos_token_id=256, eos_token_id=256,
                      pad_token_id=256, attn_pdrop=0, embd_pdrop=0, resid_pdrop=0, **more)


def write_tokenizer(directory, vocabulary, merges):
    codes = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    spare = [chr(0x100 + i) for i in range(256 - len(codes))]
    tokens = [chr(code) for code in codes] + spare + ["<|endoftext|>"]
    with open(f"{directory}/{vocabulary}", "w", encoding="utf-8") as file:
        json.dump({token: i for i, token in enumerate(tokens)}, file)
    with open(f"{directory}/{merges}", "w", encoding="utf-8") as file:
        file.write("#version: 0.2\n")


def book():
    ids = torch.randint(V, (4, T))
    language = Book(V, has_bias=False, head_bias=False)
    expected = renamed(language.state_dict()) | {"lm_head.weight": language.out_head.weight.detach().clone()}
    theirs = GPT2LMHeadModel(config(tie_word_embeddings=False))
    theirs.load_state_dict(expected)
    assert (theirs(ids).logits - language(ids)).abs().max() < 1e-5
    save_file({k: v.contiguous() for k, v in language.state_dict().items()}, f"{TARGET}/book.safetensors")
    save_file(expected, f"{TARGET}/book.expected.safetensors")

    classifier = Book(K, has_bias=True, head_bias=False)
    expected = renamed(classifier.state_dict()) | {"score.weight": classifier.out_head.weight.detach().clone()}
    theirs = GPT2ForSequenceClassification(config(num_labels=K))
    theirs.load_state_dict(expected)
    logits = theirs.score(theirs.transformer(ids).last_hidden_state)
    assert (logits - classifier(ids)).abs().max() < 1e-5
    save_file({k: v.contiguous() for k, v in classifier.state_dict().items()}, f"{TARGET}/book-classifier.safetensors")
    save_file(expected, f"{TARGET}/book-classifier.expected.safetensors")


def openai():
    os.mkdir(f"{TARGET}/openai")
    model = GPT2LMHeadModel(config())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.1)
    variables, expected = {}, {}
    for name, tensor in model.transformer.state_dict().items():
        parts = name.split(".")
        if parts[0] == "h":
            last = "b" if parts[-1] == "bias" else "g" if parts[2].startswith("ln") else "w"
            theirs = "/".join(["model", "h" + parts[1], *parts[2:-1], last])
        elif parts[0] == "ln_f":
            theirs, last = f"model/ln_f/{'b' if parts[1] == 'bias' else 'g'}", ""
        else:
            theirs, last = f"model/{parts[0]}", ""
        variables[theirs] = (tensor[None] if last == "w" else tensor).numpy()
        expected["transformer." + name] = tensor.clone().contiguous()
    with tf.Graph().as_default():
        with tf.compat.v1.Session() as session:
            for name, value in variables.items():
                tf.compat.v1.get_variable(name, initializer=value)
            session.run(tf.compat.v1.global_variables_initializer())
            tf.compat.v1.train.Saver().save(session, f"{TARGET}/openai/model.ckpt", write_meta_graph=False)
    with open(f"{TARGET}/openai/hparams.json", "w", encoding="utf-8") as file:
        json.dump({"n_vocab": V, "n_ctx": T, "n_embd": C, "n_head": H, "n_layer": L}, file)
    write_tokenizer(f"{TARGET}/openai", "encoder.json", "vocab.bpe")
    save_file(expected, f"{TARGET}/openai.expected.safetensors")


def adapters():
    base = GPT2LMHeadModel(config())
    base.save_pretrained(f"{TARGET}/base")
    write_tokenizer(f"{TARGET}/base", "vocab.json", "merges.txt")
    ids = torch.randint(V, (4, T))
    for name, model, options in (
        ("adapter", GPT2ForSequenceClassification.from_pretrained(f"{TARGET}/base", num_labels=K),
         {"task_type": "SEQ_CLS", "r": 2, "lora_alpha": 3, "target_modules": ["c_attn", "c_fc"], "bias": "lora_only"}),
        ("adapter-language", GPT2LMHeadModel.from_pretrained(f"{TARGET}/base"),
         {"task_type": "CAUSAL_LM", "r": 4, "lora_alpha": 8, "use_rslora": True, "target_modules": ["c_proj"]}),
    ):
        model = peft.get_peft_model(model, peft.LoraConfig(fan_in_fan_out=True, **options))
        optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1)
        for _ in range(3):
            labels = torch.randint(K, (4,)) if name == "adapter" else ids
            optimizer.zero_grad()
            model(input_ids=ids, labels=labels).loss.backward()
            optimizer.step()
        model.peft_config["default"].base_model_name_or_path = "base"
        model.save_pretrained(f"{TARGET}/{name}")
        os.remove(f"{TARGET}/{name}/README.md")
        before = model.eval()(input_ids=ids).logits
        merged = model.merge_and_unload()
        assert (merged(input_ids=ids).logits - before).abs().max() < 1e-5
        state = {k: v.clone().contiguous() for k, v in merged.state_dict().items() if k != "lm_head.weight"}
        save_file(state, f"{TARGET}/{name}.expected.safetensors")


if __name__ == "__main__":
    torch.manual_seed(1)
    shutil.rmtree(TARGET, ignore_errors=True)
    os.mkdir(TARGET)
    book()
    openai()
    adapters()
