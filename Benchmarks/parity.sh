#!/bin/bash
# The first 50 steps of fine-tuning and of pretraining GPT-2 124M, here and in PyTorch, from the same random weights on the
# same rows in the same order: the losses of every step have to agree within 1e-3. PYTHON chooses the interpreter.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
if ! "$python" -c 'import torch, transformers, safetensors' 2> /dev/null; then
  echo "parity: skipped: $python has no torch, transformers or safetensors; install them with pip, or name another one with PYTHON="
  exit 0
fi
demo=build/bench/pipelines/demo
from_demo() { make --no-print-directory PIPELINE=demo BASE=random:pipelines/demo/config.json OUT=$demo "$@" > /dev/null; }
from_demo $demo/train.safetensors $demo/validation.safetensors $demo/test.safetensors
work=$(mktemp -d "${TMPDIR:-/tmp}/parity.XXXXXX")
trap 'rm -rf "$work"' EXIT
cp "$demo"/tokenizer/vocab.json "$demo"/tokenizer/merges.txt "$work/"
for pool in last-position last-token; do
  "$python" Benchmarks/parity.py train "$demo"/train.safetensors "$pool" "$work/start" > "$work/torch.ndjson"
  .build/release/finetune --quiet --precision f32 --base "$work/start" --tokenizer "$work" --pool "$pool" --shuffle none --epochs 1 \
    --validation "$demo"/validation.safetensors --out "$work/model" --force \
    < "$demo"/train.safetensors > "$work/metrics.ndjson"
  "$python" Benchmarks/parity.py compare "$work/torch.ndjson" "$work/metrics.ndjson" "$pool"
done

# The language model: every step takes all rows, so that their order doesn't matter. With GPT-2's tokenizer, where a pipeline
# has fetched it; otherwise with the demo's, whose vocabulary is smaller.
tokenizer=build/models/gpt2
[ -e $tokenizer/vocab.json ] || tokenizer=$work
head -n 10 "$demo"/train.ndjson | .build/release/tokenize-pad --quiet --tokenizer "$tokenizer" --pack --length 64 > "$work/packed"
rows=$("$python" -c 'import sys; from safetensors import safe_open; print(len(safe_open(sys.argv[1], "pt").get_tensor("lengths")))' "$work/packed")
rm -rf "$work/start"
"$python" Benchmarks/parity.py language "$work/packed" "$work/start" > "$work/torch.ndjson"
.build/release/pretrain --quiet "$work/packed" --base "$work/start" --tokenizer "$tokenizer" --validation "$work/packed" \
  --out "$work/language" --epochs 50 --batch-rows "$rows" --lr 1e-4 --schedule constant --warmup 0 --ema 0 > "$work/metrics.ndjson"
"$python" Benchmarks/parity.py compare "$work/torch.ndjson" "$work/metrics.ndjson" "language model"

# The base, in Hugging Face's class: the loss of the demo's texts, after a step that changes nothing, and greedy continuations.
base=pipelines/base
if [ -e "$base/model.safetensors" ]; then
  .build/release/tokenize-pad --quiet --tokenizer "$base" --pack --length 128 "$demo"/test.ndjson > "$work/packed"
  .build/release/pretrain --quiet "$work/packed" --base "$base" --validation "$work/packed" --out "$work/same" --max-steps 1 \
    --lr 1e-30 --schedule constant --warmup 0 --ema 0 > "$work/metrics.ndjson"
  printf '%s\n' "See you" "Hello, I would like to" "My order" "Congratulations! You have" "The meeting is" "I don't think" \
    "What time" "In the morning she" "Please call" "Once upon a time" \
    | .build/release/generate --model "$base" --temperature 0 --json > "$work/continuations.ndjson"
  "$python" Benchmarks/parity.py base "$base" "$work/packed" "$work/metrics.ndjson" "$work/continuations.ndjson" 2> "$work/log" \
    || { cat "$work/log" >&2; exit 1; }
fi

# Model directories that finetune wrote, in Hugging Face's own classes: keys, tokens, probabilities.
for trainable in all lora; do
  .build/release/finetune --quiet --precision f32 --base random:pipelines/demo/config.json --tokenizer "$demo"/tokenizer \
    --pool last-token --trainable $trainable --epochs 3 --lr 1e-3 --validation "$demo"/validation.safetensors \
    --out "$work/exported" --force < "$demo"/train.safetensors > /dev/null
  .build/release/score --precision f32 --model "$work/exported" --input ndjson "$demo"/test.ndjson > "$work/scores.ndjson"
  "$python" Benchmarks/huggingface.py "$work/exported" "$demo"/test.safetensors "$work/scores.ndjson" 2> "$work/log" \
    || { cat "$work/log" >&2; exit 1; }
done

# Models and tokenizers that transformers has saved, and, where its packages are installed, GGUF.
mkdir "$work/foreign"
"$python" Benchmarks/foreign_models.py "$base" "$work/foreign" "$work/exported" 2> "$work/log" || { cat "$work/log" >&2; exit 1; }
if "$python" -c 'import gguf' 2> /dev/null; then
  for weights in f32 bf16; do
    .build/release/convert-model --quiet "$base" --to gguf --weights $weights --out "$work/base.gguf"
    "$python" Benchmarks/gguf_model.py "$work/base.gguf" "$base" 2> "$work/log" || { cat "$work/log" >&2; exit 1; }
  done
fi
