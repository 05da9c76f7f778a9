# Both stages of training as a table in Markdown, for the model card, from their metrics.
#
#   jq -rs -f stages.jq constant.ndjson metrics.ndjson

def rounded(places): pow(10; places) as $unit | . * $unit | round / $unit;

def thousands: tostring | [while(length > 0; .[:-3])] | map(.[-3:]) | reverse | join(",");

# Events of a stage up to its end.
def stages: reduce .[] as $event ([[]]; if $event.event == "end" then .[-1] += [$event] | . + [[]] else .[-1] += [$event] end)
  | .[:-1];

"## Training\n",
"Two stages: rows of 128 tokens with a constant learning rate, then rows of 256 with a rate that falls to 0. Validation is a",
"hundredth of the documents, held out. [training.ndjson](training.ndjson) has the log, with every 50th step.\n",
"| rows | steps | tokens | hours | validation: nats per token | bits per byte |",
"| --- | ---: | ---: | ---: | ---: | ---: |",
(stages | foreach .[] as $stage ({steps: 0, tokens: 0, hours: 0};
    .base = . | .start = ($stage | map(select(.event == "start" or .event == "resume")) | first)
      | .rows = [$stage[] | select(.event == "eval" or .event == "end")]
      | .last = ($stage | last) | .tokens_of = ($stage | map(select(.event == "step") | {key: "\(.step)", value: .tokens}) | from_entries)
      | .steps = .base.steps + .last.steps | .tokens = .base.tokens + .last.tokens | .hours = .base.hours + .last.seconds / 3600;
    . as $all | .rows[]
      | "| of \($all.start.length) | \($all.base.steps + (.steps // (.step + 1)) | thousands) "
        + "| \($all.base.tokens + (.tokens // $all.tokens_of["\(.step)"]) | thousands) "
        + "| \($all.base.hours + .seconds / 3600 | rounded(2)) | \(.validation_loss | rounded(3)) | \(.bits_per_byte // 0 | rounded(3)) |"))
