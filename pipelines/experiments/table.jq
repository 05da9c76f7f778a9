# The experiments as Markdown, from what results.jq writes.
#
#   jq -rs -f table.jq results.ndjson

def hundredths:
  (. * 100 | round) as $n
  | "\($n / 100 | floor).\(if $n % 100 < 10 then "0" else "" end)\($n % 100)";
def percent: . * 100 | hundredths;
def spread: (.mean | percent) + (if .sd == null then "" else " ± " + (.sd | percent) end);
def accuracies(value): "\(.train | value) / \(.validation | value) / \(.test | value)";
def from: if .weights == "random" then "**random** `\(.base)`" elif .weights == "other" then "`\(.base)`"
  else "pretrained `\(.base)`" end;
# "Row 3", "Rows 3, 5".
def rows: (map(.row) | unique) as $rows
  | "Row\(if $rows | length > 1 then "s" else "" end) \($rows | map(tostring) | join(", "))";
def row: "| " + (map(tostring) | join(" | ")) + " |";

# What measured texts were padded to, in tokens, where that isn't what was published.
def padded: (.length | gsub(","; "")) as $published | .measured.padded_to | values | select(. != $published);

([.[].measured | values] | .[0]) as $any
| ([.[] | select(.length == "longest" and [padded] == []) | .measured | values] | .[0]) as $longest
| "# The experiments of chapter 6",
  "",
  "Accuracy in percent: training / validation / test. Published: one run, PyTorch on an A100. Measured: the split of",
  "`\(.[0].data)`\(if $any then ", \($any.test_rows) test texts" else "" end)\(
    if $longest then ", the longest training text has \($longest.length) tokens (published: 120)" else "" end);",
  "mean ± standard deviation over the seeds.",
  ([.[].measured.more_options | values | select(. != "")] | unique | .[]
   | "", "**All measured rows ran with `\(.)`**, which the published ones didn't."),
  (if any(.[]; .measured.weights == "random" and .weights != "random") then
     "**Rows from random weights say nothing about the published ones from pretrained weights.**" else empty end),
  "",
  (["row", "model", "token read", "trained", "published: padded to", "weights", "accuracy", "min",
    "measured: padded to", "weights", "accuracy", "seeds", "min"] | row),
  ([range(13) | "---"] | row),
  (.[]
   | [.row, .model, .token, .trained, .length, .weights, (.published | accuracies(percent)),
      (.published.minutes | hundredths)]
     + if .measured then
         .measured | [.padded_to, from, accuracies(spread), (.seeds | length), (.minutes.mean | hundredths)]
       else ["", "", (if .failed != [] then "didn't run" else "not run yet" end), "", ""] end
   | row),
  "",
  (.[] | .row as $row
   | (.note | values | "- Row \($row): \(.)."),
     (.measured.same_as | values | "- Row \($row) is the same run as row \(.).")),
  ([.[] | {row, length: padded}] | group_by(.length) | .[]
   | "- \(rows) ran with texts padded to \(.[0].length) tokens, and longer ones cut (`LENGTH=\(.[0].length)`)."),
  ([.[] | {row, message: .failed[].message}] | group_by(.message) | sort_by(.[0].row) | .[]
   | "- \(rows) didn't run: \(.[0].message)")
