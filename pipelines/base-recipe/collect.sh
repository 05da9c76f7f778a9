#!/bin/bash
# The documents of a corpus, as records {"source":NAME,"text":TEXT}, one a line. NAME is the file's name.
#
#   collect.sh FILE.ndjson FILE.ndjson.zst …
set -euo pipefail
[ $# -gt 0 ] || { echo "make: the recipe has changed, and there is no corpus to make it again from: name it (CORPUS=DIR)" >&2; exit 66; }
for file; do
  name=$(basename "$file" .zst)
  case $file in *.zst) zstd -dcq -- "$file" ;; *) cat -- "$file" ;; esac \
    | jq -c --arg source "${name%.ndjson}" \
      'if (.text? | type) == "string" then {source: $source, text} else error("line \(input_line_number) has no text") end' \
    || { echo "make: $file isn't a file of records with a text: docs/pipelines.md says what CORPUS has to hold" >&2; exit 65; }
done
