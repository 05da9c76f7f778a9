#!/bin/bash
# One experiment with one seed.
#
#   run.sh …/row-ROW/seed-SEED.json …/tokens-LENGTH TOKENIZER BASE OPTION…
#
# Trains on tokens-LENGTH/train.safetensors and leaves what was measured in seed-SEED.json and finetune's metrics in
# metrics-SEED.ndjson; where that fails, the reason in seed-SEED.failed, and ends well, so that other experiments go on.
# Does nothing where the result is there and was made with the same options from the same tokens; copies it from another
# row where that has the same. A run that was stopped or killed goes on from its last checkpoint. The model isn't kept.
#
# From the environment: BIN, the filters' folder; MIRROR, a folder for fetch-model; OPTIONS, more options, which the
# result names.
set -euo pipefail
result=$1 tokens=$2 tokenizer=$3 base=$4
shift 4
IFS=' ' read -r -a more <<< "${OPTIONS:-}"
set -- "$@" ${more[@]+"${more[@]}"}
directory=$(dirname "$result")
failed=${result%.json}.failed
row=$(basename "$directory")
row=${row#row-}
seed=${result##*/seed-}
seed=${seed%.json}
shards=("$tokens/train.safetensors" "$tokens/validation.safetensors" "$tokens/test.safetensors")

# All runs of a row have the same settings, but for the seed; when they change, the old runs go.
mkdir -p "$directory"
settings="$base $* $(cat "${shards[@]}" | cksum)"
if [ "$settings" != "$(cat "$directory/settings" 2> /dev/null)" ]; then
  rm -rf "$directory"/seed-* "$directory"/metrics-* "$directory"/model-*
  echo "$settings" > "$directory/settings"
fi
rm -f "$failed"
[ ! -e "$result" ] || exit 0
for other in "$directory"/../row-*; do
  if [ -e "$other/seed-$seed.json" ] && cmp -s "$other/settings" "$directory/settings"; then
    jq -c --argjson row "$row" '{row: $row, same_as: .row} + del(.row)' "$other/seed-$seed.json" > "$result.partial"
    mv "$result.partial" "$result"
    exit 0
  fi
done

metrics=$directory/metrics-$seed.ndjson
model=$directory/model-$seed
work=$(mktemp -d "$directory/run.XXXXXX")
trap 'rm -rf "$work"' EXIT
about=$(jq -nc --argjson row "$row" --argjson seed "$seed" --arg base "$base" --arg padded_to "${tokens##*/tokens-}" \
  --arg options "$*" --arg more "${OPTIONS:-}" \
  '{row: $row, seed: $seed, base: $base, padded_to: $padded_to, options: $options, more_options: $more}')

fail() { # STATUS MESSAGE
  jq -nc --argjson about "$about" --argjson status "$1" --arg message "$2" \
    '$about + {failed: {status: $status, message: $message}}' > "$work/failed"
  mv "$work/failed" "$failed"
  # Checkpoints that led there, or can't be used, lead there again.
  case $1 in 65 | 78) rm -rf "$model.checkpoints" ;; esac
  [ -e "$model.checkpoints" ] || rm -f "$metrics.partial"
  exit 0
}

# Runs a command. Its last line on stderr is why it failed.
try() {
  local status=0
  "$@" 2>&1 >> "$metrics.partial" | tee "$work/errors" >&2 || status=${PIPESTATUS[0]}
  case $status in
    0) ;;
    130 | 143) exit "$status" ;;
    *) fail "$status" "$(tail -n 1 "$work/errors")" ;;
  esac
}

if [ "$base" = none ]; then
  fail 66 "BASE has no model of this size; GPT-2, pretrained or random (BASE=random:gpt2), has"
fi
echo "row $row, seed $seed: $base $*"
case $base in
  build/models/*) try "$BIN/fetch-model" "${base##*/}" --out "$base" ${MIRROR:+--mirror "$MIRROR"} ;;
esac
if [ -e "$model.checkpoints" ]; then
  resume=--resume
else
  resume=
  rm -f "$metrics.partial"
fi
try "$BIN/finetune" --base "$base" --tokenizer "$tokenizer" "$@" --seed "$seed" --checkpoint-every 50 $resume \
  --validation "${shards[1]}" --test "${shards[2]}" --out "$model" < "${shards[0]}"
jq -cs --argjson about "$about" \
  'last(.[] | select(.event == "start" or .event == "resume")) as $start | last(.[] | select(.event == "end")) as $last
   | $about + ($start | {length, parameters, trainable_parameters, test_rows})
     + ($last | {train_accuracy, validation_accuracy, test_accuracy, seconds})' "$metrics.partial" > "$work/result"
mv "$metrics.partial" "$metrics"
rm -r "$model"
mv "$work/result" "$result"
