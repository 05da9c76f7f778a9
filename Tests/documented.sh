#!/bin/bash
# Lists the public and package declarations of the given folders that have no documentation: what they are, with shapes, units,
# errors and sources where these apply, has to be said in a comment that begins with ///. Fails where there is one.
#
# Needs none: what a protocol's declaration says already (description, diagnosis, ==, hash, encode, init(from:)), an init without
# arguments, and an option's property, which has its help.
set -euo pipefail
cd "$(dirname "$0")/.."
missing=$(find "$@" -name '*.swift' -exec awk '
  FNR == 1 { documented = 0; inPublicEnum = -1 }
  { indent = match($0, /[^ ]/) - 1 }
  /^ *\/\/\// { documented = 1; next }
  # Attributes and conditions stand between the comment and the declaration.
  /^ *@/ && !/(public|package) / { if (/@(Option|Argument|Flag|OptionGroup)/) documented = 1; attribute = indent; next }
  /^ *#/ { next }
  # The lines of an attribute that goes over several.
  documented && attribute >= 0 && indent > attribute { next }
  documented && attribute >= 0 && /^ *\)/ { next }
  /^ *[)}]/ { if (indent <= inPublicEnum) inPublicEnum = -1 }
  {
    declares = $0 ~ /^ *(@[A-Za-z]+(\([^)]*\))? +)*(public|package)(\(set\))? +/
    if (declares && $0 ~ /(@Option|@Argument|@Flag|@OptionGroup)/) documented = 1
    if ($0 ~ /^ *public extension/) declares = 0
    name = $0
    sub(/^ *((@[A-Za-z]+(\([^)]*\))?|public|package|private\(set\)|static|final|mutating|nonisolated\(unsafe\)|convenience|required|override) +)*/, "", name)
    if (name ~ /^(var (description|diagnosis|errorDescription|debugDescription):|func (==|hash)|init\(from|func encode\(to)/) declares = 0
    if (name ~ /^init\(\)/) declares = 0
    isCase = inPublicEnum >= 0 && indent == inPublicEnum + 4 && $0 ~ /^ *(indirect )?case /
    if ((declares || isCase) && !documented) { sub(/ *\{.*/, "", name); print FILENAME ":" FNR ": " name }
    if ($0 ~ /^ *(public|package) +(indirect +)?enum / && $0 !~ /\}$/) inPublicEnum = indent
    if ($0 !~ /^ *$/) { documented = 0; attribute = -1 }
  }' {} + | sort -t: -k1,1 -k2,2n)
[ -z "$missing" ] || { printf '%s\n' "$missing" | sed 's/$/ -- has no documentation/' >&2; exit 1; }
