# A run of pretrain in a few lines, from its metrics.
#
#   jq -rs -f evaluation.jq metrics.ndjson

def rounded(places): pow(10; places) as $unit | . * $unit | round / $unit;

(map(select(.event == "start" or .event == "resume")) | last) as $start
| map(select(.event == "end")) | last
| "parameters           \($start.parameters)",
  "training tokens      \(.tokens) in \(.steps) steps of at most \($start.batch_rows) rows of \($start.length)",
  "validation tokens    \($start.validation_tokens)",
  "nats per token       \(.validation_loss | rounded(4))",
  "bits per byte        \(.bits_per_byte // 0 | rounded(4))",
  "hours                \(.seconds / 3600 | rounded(2))"
