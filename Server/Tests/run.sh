#!/bin/bash
# Starts score-server with a model and asks it what a client could: the same bits as score, limits, the token, an orderly end, no
# text in its log, clients that go or stall; then schemathesis and the page in Chromium, where PYTHON has them.
#
#   Server/Tests/run.sh MODEL
set -euo pipefail
cd "$(dirname "$0")/../.."
model=$1
python=${PYTHON:-python3}
work=$(mktemp -d "${TMPDIR:-/tmp}/server.XXXXXX")
server=
trap 'if [ -n "$server" ]; then kill "$server" 2> /dev/null || true; fi; rm -rf "$work"' EXIT
fail() { echo "server: $1" >&2; exit 1; }

start() {
  : > "$work/log"
  .build/server/release/score-server --model "$model" --port 0 "$@" 2> "$work/log" &
  server=$!
  for _ in $(seq 100); do
    address=$(sed -n 's/.*listening at //p' "$work/log")
    [ -z "$address" ] || return 0
    sleep 0.1
  done
  cat "$work/log" >&2
  fail "it doesn't start"
}
status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }
metric() { curl -s "$address/metrics" | sed -n "s/^$1 //p"; }
expect() { [ "$1" = "$2" ] || fail "$3: $1 instead of $2"; }

start
cut -f 2 pipelines/demo/messages.tsv | sed -n '1,1500p' > "$work/texts"
jq -cR '{text: ., id: "x"}' "$work/texts" > "$work/records"
.build/release/score -q --model "$model" < "$work/texts" > "$work/expected"
for _ in 1 2 3 4; do
  curl -s --data-binary @"$work/texts" -H 'Content-Type: text/plain' "$address/score" > "$work/answer.$RANDOM" &
done
curl -s --data-binary @"$work/records" -H 'Content-Type: application/x-ndjson' "$address/score" > "$work/records.answer"
wait $(jobs -p | grep -v "^$server$")
for answer in "$work"/answer.*; do cmp "$work/expected" "$answer" || fail "other bits than score's"; done
.build/release/score -q --model "$model" --input ndjson < "$work/records" | cmp - "$work/records.answer" || fail "other bits than score's"
echo "server: 4 requests of 1,500 texts at a time have the same bits as score"

head -n 1 "$work/texts" | .build/release/explain --model "$model" --format ndjson > "$work/expected"
head -n 1 "$work/texts" | jq -cR '{text: .}' | curl -s --data-binary @- -H 'Content-Type: application/json' "$address/explain" \
  | cmp - "$work/expected" || fail "other bits than explain's"

json='Content-Type: application/json'
expect "$(status "$address/health")" 200 health
expect "$(status "$address/ready")" 200 ready
expect "$(status -X DELETE "$address/score")" 405 'another method'
expect "$(status "$address/nothing")" 404 'another path'
expect "$(status -H "$json" -d '{"text":5}' "$address/score")" 400 'a text that is none'
expect "$(status -H "$json" -d '{"text":' "$address/score")" 400 'half a JSON'
expect "$(status -H 'Content-Type: image/png' -d x "$address/score")" 415 'another media type'
head -c 2000000 /dev/zero | tr '\0' x > "$work/large"
expect "$(status -H 'Expect:' -H 'Content-Type: text/plain' --data-binary @"$work/large" "$address/score")" 413 'a large body'
curl -s "$address/metrics" | grep -q '^score_texts_total 75' || fail "metrics count other texts"
if grep -qF "$(head -n 1 "$work/texts" | cut -c 1-20)" "$work/log"; then fail "a text is in the log"; fi

# A request that has begun comes to its end.
curl -s --data-binary @"$work/texts" -H 'Content-Type: text/plain' "$address/score" > "$work/last" &
client=$!
sleep 0.3
kill -TERM "$server"
wait "$client"
expect "$(wc -l < "$work/last" | tr -d ' ')" 1500 'lines of the last answer'
wait "$server" && code=0 || code=$?
expect "$code" 0 'exit code after TERM'
echo "server: limits, methods, metrics and the end are as they should be"

head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' > "$work/token"
start --token-file "$work/token" --max-per-client 2 --max-requests 3 --quiet
expect "$(status "$address/ready")" 401 'no token'
expect "$(status -H "Authorization: Bearer $(cat "$work/token")" "$address/ready")" 200 'the token'
expect "$(status -H "Authorization: Bearer $(cat "$work/token")x" "$address/ready")" 401 'another token'
for _ in $(seq 6); do
  status --data-binary @"$work/texts" -H 'Content-Type: text/plain' -H "Authorization: Bearer $(cat "$work/token")" "$address/score" \
    >> "$work/statuses" &
done
wait $(jobs -p | grep -v "^$server$")
grep -q 429 "$work/statuses" || fail "no 429 for six requests at a time"
kill -TERM "$server"
wait "$server"
[ ! -s "$work/log" ] || [ "$(wc -l < "$work/log")" = 1 ] || fail "it isn't quiet"
.build/server/release/score-server --model "$model" --host 0.0.0.0 2> "$work/log" && code=0 || code=$?
expect "$code" 64 'exit code where everybody could reach it without a token'
grep -q 'can be reached by others' "$work/log" || fail "it doesn't say that a token is missing"
echo "server: the token and the limits of a client are as they should be"

start --quiet --timeout 0.1 --threads 1
cat "$work/texts" "$work/texts" "$work/texts" > "$work/many"
curl -sN --data-binary @"$work/many" -H 'Content-Type: text/plain' "$address/score" > "$work/last" &
client=$!
sleep 0.2
expect "$(status -H "$json" -d '{"text":"late"}' "$address/score")" 503 'a text that waits too long'
[ ! -s "$work/last" ] || fail "a text that waits too long is refused only after the texts before it are scored"
wait "$client"
expect "$(wc -l < "$work/last" | tr -d ' ')" 4500 'lines of the answer that came first'
expect "$(status -H "$json" -d '{"text":"in time"}' "$address/score")" 200 'a text that needn'"'"'t wait'
kill -TERM "$server"
wait "$server"
echo "server: a text that waits too long is refused while others are scored"

# The text of a client that has gone isn't scored: its request ends, and then nothing more is counted.
idle() {
  for _ in $(seq 300); do
    [ "$(metric score_requests_active)" != 1 ] || return 0  # that is /metrics itself
    sleep 0.1
  done
  fail "$1"
}
start --quiet --client-timeout 1 --max-texts 3
seq 100000 > "$work/many"
curl -s --max-time 0.5 -o /dev/null --data-binary @"$work/many" -H 'Content-Type: text/plain' "$address/score" && code=0 || code=$?
expect "$code" 28 'exit code of a client that goes before its answer is complete'
idle "the request of a client that has gone doesn't end"
before=$(metric score_texts_total)
sleep 2
expect "$(metric score_texts_total)" "$before" 'texts scored 2 seconds after the client has gone'
[ "$before" -gt 0 ] || fail "nothing was scored for the client that has gone"
[ "$before" -lt 60000 ] || fail "$before texts were scored for a client that has gone"
echo "server: for a client that has gone $before of 100,000 texts were scored"

# Nor is that of a client that reads nothing: what waits for it is bounded, and its connection is closed. 34 MB of answer are more
# than the system's buffers of a connection.
host=${address#http://}
connect() { exec 3<> "/dev/tcp/${host%:*}/${host##*:}"; }
disconnect() { exec 3>&-; }
ask='POST /score HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length:'
connect
{ printf "$ask 300000\r\n\r\n"; head -c 300000 /dev/zero | tr '\0' '\n'; } >&3
for _ in $(seq 100); do
  [ "$(metric score_texts_total)" = "$before" ] || break
  sleep 0.1
done
idle "the request of a client that reads nothing doesn't end"
count=$(($(metric score_texts_total) - before))
[ "$count" -gt 0 ] || fail "nothing was scored for the client that reads nothing"
[ "$count" -lt 250000 ] || fail "$count of 300,000 lines were answered for a client that reads nothing"
disconnect

# A body that doesn't come, and a connection on which nothing is asked.
connect
printf "$ask 10\r\n\r\n" >&3
read -r -t 10 line <&3 || fail "a request without its body isn't answered"
expect "${line:0:12}" 'HTTP/1.1 408' 'a body that does not come'
disconnect
idle "the request without its body doesn't end"
connect
read -r -t 10 line <&3 && code=0 || code=$?
expect "$code" 1 'a connection on which nothing is asked is closed'
disconnect

expect "$(status -H "$json" -d '[{"text":"1"},{"text":"2"},{"text":"3"}]' "$address/score")" 200 'as many texts as --max-texts'
for texts in '[{"text":"1"},{"text":"2"},{"text":"3"},{"text":"4"}]' '{"records":[{"text":"1"},{"text":"2"},{"text":"3"},{"text":"4"}]}'; do
  expect "$(status -H "$json" -d "$texts" "$address/score")" 413 'more texts than --max-texts'
  curl -s -H "$json" -d "$texts" "$address/score" | jq -r .error | grep -q 'NDJSON' || fail "413 doesn't say what to send"
done
expect "$(curl -s -H "$json" -d '[{"text":"1"},{"text":"2"}]' "$address/score" | jq -c 'map(.line)')" '[1,2]' 'lines of an array'
expect "$(curl -s -H "$json" -d '[]' "$address/score")" '[]' 'the answer to no text'
kill -TERM "$server"
wait "$server"
echo "server: clients that stall and arrays that are too long are refused"

start --quiet
if "$python" -c 'import schemathesis' 2> /dev/null; then
  SCHEMATHESIS_HOOKS=hooks PYTHONPATH=Server/Tests "$(dirname "$(command -v "$python")")/schemathesis" run "$address/openapi.json" \
    --max-examples 100 > "$work/schemathesis" || { cat "$work/schemathesis"; fail "schemathesis found something"; }
  grep -E 'Test cases|generated' "$work/schemathesis" | sed 's/^/server: schemathesis: /' | tail -n 1
fi
if "$python" -c 'import selenium' 2> /dev/null; then "$python" Server/Tests/page.py "$address/" "${SCREENSHOTS:-$work}"; fi
kill -TERM "$server"
wait "$server"
