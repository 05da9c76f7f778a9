"""A GGUF file that convert-model wrote, against the model directory that it was made of: keys, tokens and numbers as the Python
package gguf reads them; where llama_cpp is installed, the logits as well.

    gguf_model.py GGUF DIRECTORY
"""

import sys

import numpy
import torch
from gguf import GGUFReader
from transformers import AutoTokenizer, GPT2LMHeadModel

TEXTS = ["See you", "Once upon a time there was", "Congratulations! You have won £1,000", "In the morning"]


def main(path, directory):
    reader = GGUFReader(path)
    model = GPT2LMHeadModel.from_pretrained(directory, dtype=torch.float32).eval()
    state, config = model.transformer.state_dict(), model.config
    fields = {name: field.contents() for name, field in reader.fields.items()}
    for key, value in {
        "general.architecture": "gpt2", "gpt2.block_count": config.n_layer, "gpt2.embedding_length": config.n_embd,
        "gpt2.attention.head_count": config.n_head, "gpt2.context_length": config.n_positions,
    }.items():
        if fields[key] != value:
            sys.exit(f"gguf: {key} is {fields[key]}, not {value}")
    tokenizer = AutoTokenizer.from_pretrained(directory)
    if fields["tokenizer.ggml.tokens"][: len(tokenizer)] != tokenizer.convert_ids_to_tokens(range(len(tokenizer))):
        sys.exit("gguf: other tokens")
    names = {"token_embd": "wte", "position_embd": "wpe", "output_norm": "ln_f", "attn_norm": "ln_1", "attn_qkv": "attn.c_attn",
             "attn_output": "attn.c_proj", "ffn_norm": "ln_2", "ffn_up": "mlp.c_fc", "ffn_down": "mlp.c_proj"}
    for tensor in reader.tensors:
        parts = tensor.name.split(".")
        theirs = ".".join((["h", parts[1]] if parts[0] == "blk" else []) + [names[parts[-2]], parts[-1]])
        expected = state[theirs].numpy()
        if parts[0] == "blk" and expected.ndim == 2:
            expected = expected.T
        data = tensor.data
        if tensor.tensor_type.name == "BF16":
            data = (data.view(numpy.uint16).astype(numpy.uint32) << 16).view(numpy.float32)
            expected = torch.tensor(expected).bfloat16().float().numpy()
        if not numpy.array_equal(data.reshape(expected.shape), expected):
            sys.exit(f"gguf: {tensor.name} has other numbers")
    print(f"gguf: {len(reader.tensors)} tensors, {len(fields['tokenizer.ggml.tokens'])} tokens, all equal")
    try:
        import llama_cpp
    except ImportError:
        print("llama.cpp: skipped: llama_cpp isn't installed")
        return
    llama = llama_cpp.Llama(path, n_ctx=128, logits_all=True, verbose=False)
    worst = 0
    for text in TEXTS:
        ids = tokenizer(text)["input_ids"]
        if llama.tokenize(text.encode(), add_bos=False) != ids:
            sys.exit(f"llama.cpp: other tokens for {text!r}")
        llama.reset()
        llama.eval(ids)
        with torch.no_grad():
            expected = model(torch.tensor([ids])).logits[0].numpy()
        worst = max(worst, numpy.abs(numpy.array(llama.scores[: len(ids)]) - expected).max())
    # ggml takes GELU from a table of halves, and rounds what it multiplies with bf16 weights to bf16, too.
    tolerance = 0.1 if any(tensor.tensor_type.name == "BF16" for tensor in reader.tensors) else 5e-3
    print(f"llama.cpp: logits of {len(TEXTS)} texts, max |Δ| {worst:.1e} ({'bf16' if tolerance > 0.01 else 'f32'})")
    if worst > tolerance:
        sys.exit(f"llama.cpp: more than {tolerance:.0e}")


if __name__ == "__main__":
    main(*sys.argv[1:])
