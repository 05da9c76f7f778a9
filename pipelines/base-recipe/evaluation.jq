# Both stages of training in a few lines, from their metrics.
#
#   jq -rs -f evaluation.jq constant.ndjson metrics.ndjson

def rounded(places): pow(10; places) as $unit | . * $unit | round / $unit;

(map(select(.event == "start" or .event == "resume")) | last) as $start
| map(select(.event == "end")) as $ends
| ($ends | last)
| "parameters           \($start.parameters)",
  "training tokens      \([$ends[].tokens] | add) in \([$ends[].steps] | add) steps",
  "validation tokens    \($start.validation_tokens), in rows of \($start.length)",
  "nats per token       \(.validation_loss | rounded(4))",
  "bits per byte        \(.bits_per_byte // 0 | rounded(4))",
  "hours                \([$ends[].seconds] | add / 3600 | rounded(2))"
