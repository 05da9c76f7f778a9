# The floors inside GPT2Kit (docs/architecture.md): prints where a folder uses a type that a later one declares.
# Reads every file twice: awk -f Tests/layers.awk FILES FILES
BEGIN {
  count = split("Compute Model Scoring Generation Training/Settings Training/Events Training/Features Training/Steps " \
    "Training/Checkpoints Training/Search Training Training/Pretraining Programs", floors, " ")
  for (i = 1; i <= count; i++) rank[floors[i]] = i
}
FNR == 1 {
  pass[FILENAME]++
  folder = FILENAME
  sub(/.*GPT2Kit\//, "", folder)
  sub(/\/[^\/]*$/, "", folder)
  if (!(folder in rank)) print FILENAME ": a folder without a floor: " folder
}
{ sub(/\/\/.*/, "") }
# Types at the top level of a file.
pass[FILENAME] == 1 && match($0, /^((public|package|private|fileprivate|final|indirect) )*(struct|class|enum|protocol|actor|typealias) [A-Z][A-Za-z0-9]*/) {
  declaration = substr($0, RSTART, RLENGTH)
  if (declaration ~ /private /) next
  sub(/.* /, "", declaration)
  home[declaration] = folder
}
# Functions at the top level of a file.
pass[FILENAME] == 1 && /^(@[^ ]+ )*((public|package) )*func [a-zA-Z]/ {
  declaration = $0
  sub(/.*func /, "", declaration)
  sub(/[^a-zA-Z0-9].*/, "", declaration)
  home[declaration "("] = folder
}
pass[FILENAME] == 2 {
  line = $0
  gsub(/"[^"]*"/, "", line)
  while (match(line, /(^|[^.a-zA-Z0-9_])[a-z][A-Za-z0-9]*\(/)) {
    word = substr(line, RSTART, RLENGTH)
    sub(/^[^a-zA-Z0-9]/, "", word)
    if (word in home && rank[home[word]] > rank[folder])
      print FILENAME ":" FNR ": " word ") is of " home[word] ", a later floor than " folder
    line = substr(line, RSTART + RLENGTH)
  }
  line = $0
  gsub(/"[^"]*"/, "", line)
  while (match(line, /[A-Z][A-Za-z0-9]*/)) {
    word = substr(line, RSTART, RLENGTH)
    # The end of a name such as beginsWord isn't a type.
    if (RSTART > 1 && substr(line, RSTART - 1, 1) ~ /[a-z0-9_]/) word = ""
    if (substr(line, RSTART - 1, 1) != "." && word in home && rank[home[word]] > rank[folder])
      print FILENAME ":" FNR ": " word " is of " home[word] ", a later floor than " folder
    # Training and Scoring stand beside each other.
    if (word in home && ((home[word] == "Scoring" && folder ~ /^Training/) || (folder == "Scoring" && home[word] ~ /^Training/)))
      print FILENAME ":" FNR ": " word " is of " home[word] ", which " folder " doesn't build on"
    line = substr(line, RSTART + RLENGTH)
  }
}
