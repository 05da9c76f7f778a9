#!/bin/bash
# The first 50 steps of fine-tuning GPT-2 124M, here and in PyTorch, from the same random weights on the same rows in the
# same order: the losses of every step have to agree within 1e-3. PYTHON chooses the interpreter.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
if ! "$python" -c 'import torch, transformers, safetensors' 2> /dev/null; then
  echo "parity: skipped: $python has no torch, transformers or safetensors; install them with pip, or name another one with PYTHON="
  exit 0
fi
make --no-print-directory build/demo/train.safetensors build/demo/validation.safetensors > /dev/null
work=$(mktemp -d "${TMPDIR:-/tmp}/parity.XXXXXX")
trap 'rm -rf "$work"' EXIT
cp build/demo/tokenizer/vocab.json build/demo/tokenizer/merges.txt "$work/"
for pool in last-position last-token; do
  "$python" Benchmarks/parity.py train build/demo/train.safetensors "$pool" "$work/start" > "$work/torch.ndjson"
  .build/release/finetune --quiet --precision f32 --base "$work/start" --tokenizer "$work" --pool "$pool" --shuffle none --epochs 1 \
    --validation build/demo/validation.safetensors --out "$work/model" \
    < build/demo/train.safetensors > "$work/metrics.ndjson"
  "$python" Benchmarks/parity.py compare "$work/torch.ndjson" "$work/metrics.ndjson" "$pool"
done

# Model directories that finetune wrote, in Hugging Face's own classes: keys, tokens, probabilities.
make --no-print-directory build/demo/test.safetensors > /dev/null
for trainable in all lora; do
  .build/release/finetune --quiet --precision f32 --base random:pipelines/demo/config.json --tokenizer build/demo/tokenizer \
    --pool last-token --trainable $trainable --epochs 3 --lr 1e-3 --validation build/demo/validation.safetensors \
    --out "$work/exported" < build/demo/train.safetensors > /dev/null
  .build/release/score --precision f32 --model "$work/exported" --input ndjson build/demo/test.ndjson > "$work/scores.ndjson"
  "$python" Benchmarks/huggingface.py "$work/exported" build/demo/test.safetensors "$work/scores.ndjson" 2> "$work/log" \
    || { cat "$work/log" >&2; exit 1; }
done
