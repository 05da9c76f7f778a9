#!/bin/bash
# One experiment with one seed.
#
#   run.sh …/row-ROW SEED …/tokens-LENGTH TOKENIZER BASE OPTION…
#
# Trains on tokens-LENGTH/train.safetensors and leaves what was measured in row-ROW/current/seed-SEED.json and finetune's
# metrics in metrics-SEED.ndjson; where that fails, the reason in seed-SEED.failed, and ends well, so that other
# experiments go on. Does nothing where the result is there; copies it from another row that has the same settings. A run
# that was stopped or killed goes on from its last checkpoint. The model isn't kept.
#
# current is a link to the folder of these settings: base, options, tokens. Runs with others stay where they are. With
# VARIANT the link is currentVARIANT: each of make's choices of OPTIONS and LENGTH has a table of its own.
#
# From the environment: BIN, the filters' folder; MIRROR, a folder for fetch-model; OPTIONS, more options, which the
# result names; VARIANT.
set -euo pipefail
source "$(dirname "$0")/options.sh"
row_directory=$1 seed=$2 tokens=$3 tokenizer=$4 base=$5
shift 5
IFS=' ' read -r -a more <<< "${OPTIONS:-}"
set -- "$@" ${more[@]+"${more[@]}"}
row=$(basename "$row_directory")
row=${row#row-}
shards=("$tokens/train.safetensors" "$tokens/validation.safetensors" "$tokens/test.safetensors")

settings="$base $(lasting "$@")"
settings="$settings $(cat "${shards[@]}" | cksum)"
name=settings-$(printf %s "$settings" | cksum | cut -d ' ' -f 1)
directory=$row_directory/$name
mkdir -p "$directory"
printf '%s\n' "$settings" > "$directory/settings"
link=$row_directory/current${VARIANT:-}
if [ "$(readlink "$link")" != "$name" ]; then
  rm -f "$link"
  ln -s "$name" "$link"
fi

result=$directory/seed-$seed.json
failed=$directory/seed-$seed.failed
metrics=$directory/metrics-$seed.ndjson
model=$directory/model-$seed
rm -f "$failed"
[ ! -e "$result" ] || exit 0
for other in "$row_directory"/../row-*/"$name/seed-$seed.json"; do
  if [ -e "$other" ] && cmp -s "$(dirname "$other")/settings" "$directory/settings"; then
    jq -c --argjson row "$row" '{row: $row, same_as: .row} + del(.row)' "$other" > "$result.partial"
    mv "$result.partial" "$result"
    exit 0
  fi
done

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

# Keeps the metrics that come. Nothing comes of a run that is refused, because another one is at work for instance: then
# nothing is touched.
record() {
  trap '' INT TERM HUP
  local first
  IFS= read -r first || return 0
  [ -n "$resume" ] || rm -f "$metrics.partial"
  { printf '%s\n' "$first" && cat; } >> "$metrics.partial"
}

# Runs a command. Its last line on stderr, or the signal that ended it, is why it failed.
try() {
  local status message
  {
    { status=0; "$@" 2>&1 >&3 3>&- || status=$?; echo "$status" > "$work/status"; } | tee -i "$work/errors" >&2
  } 3>&1 | record
  status=$(cat "$work/status")
  message=$(tail -n 1 "$work/errors")
  case $status in
    0) return ;;
    75 | 130 | 143) exit "$status" ;;
  esac
  if [ "$status" -gt 128 ]; then
    message="$(basename "$1"): ended by signal $(kill -l "$status")"
    [ "$status" != 137 ] || message="$message, perhaps because memory ran out"
  fi
  fail "$status" "$message"
}

resume=
if [ "$base" = none ]; then
  fail 66 "BASE has no model of this size; GPT-2, pretrained or random (BASE=random:gpt2), has"
fi
echo "row $row, seed $seed: $base $*"
case $base in
  build/models/*) try "$BIN/fetch-model" "${base##*/}" --out "$base" ${MIRROR:+--mirror "$MIRROR"} ;;
esac
[ ! -e "$model.checkpoints" ] || resume=--resume
try "$BIN/finetune" --base "$base" --tokenizer "$tokenizer" "$@" --seed "$seed" --checkpoint-every 50 $resume \
  --validation "${shards[1]}" --test "${shards[2]}" --out "$model" --force < "${shards[0]}"
jq -cs --argjson about "$about" \
  'last(.[] | select(.event == "start" or .event == "resume")) as $start
   | (map(select(.event == "end")) | last // error("the metrics have no end")) as $last
   | $about + ($start | {length, parameters, trainable_parameters, test_rows})
     + ($last | {train_accuracy, validation_accuracy, test_accuracy, seconds})' "$metrics.partial" > "$work/result"
mv "$metrics.partial" "$metrics"
rm -r "$model"
mv "$work/result" "$result"
