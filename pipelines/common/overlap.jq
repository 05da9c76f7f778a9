# How many records of a part have a text that the training part has too, letter case (ASCII) and white space aside.
#
#   jq -nr --arg part test --slurpfile train train.ndjson -f overlap.jq test.ndjson

def folded: .text | ascii_downcase | gsub("\\s+"; " ") | ltrimstr(" ") | rtrimstr(" ");

(reduce $train[] as $record ({}; .[$record | folded] = true)) as $known
| [inputs | $known[folded] // false]
| (map(select(.)) | length) as $repeated
| "\($part): \($repeated) of \(length) texts are also in the training part (\($repeated / length * 1000 | round / 10) %)"
