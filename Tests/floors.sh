#!/bin/bash
# The rules of the house that the compiler doesn't keep (docs/architecture.md): prints what breaks them, and fails then.
set -euo pipefail
cd "$(dirname "$0")/.."
broken=$(
  # door MODULE FOLDER: a C library is imported in one folder.
  door() { grep -rlE "^ *((@[A-Za-z_]+|public|package|internal|private|fileprivate) +)*import +([a-z]+ +)?$1([. ]|$)" Sources Benchmarks Tests --include='*.swift' | grep -v "^$2/" | sed "s|$|: imports $1, which only $2 may|" || true; }
  door COneDNN Sources/GPT2Kit/Compute
  door CProducts Sources/GPT2Kit/Compute
  # The kernels know no tokens, no files of weights.
  grep -rnE '^ *import ' Sources/GPT2Kit/Compute | grep -vE 'import (COneDNN|CProducts|Platform|Records|Dispatch|Synchronization)$' \
    | sed 's|$|: Compute may import COneDNN, CProducts, Platform, Records|' || true
  door CLibzip Sources/Fetching
  door CLibcrypto Sources/Hashing
  grep -rlE '^ *((@[A-Za-z_]+|public|package|internal|private|fileprivate) +)*import +([a-z]+ +)?(Glibc|Musl|Darwin)([. ]|$)' Sources Benchmarks Tests --include='*.swift' \
    | grep -v '^Sources/Platform/Platform.swift$' | sed 's|$|: imports the C library, which only Platform may|' || true
  # What has no business with command lines and processes.
  grep -rlE '^ *import (ArgumentParser|FilterSupport|TrainingSupport)$' Sources/{Platform,Records,Hashing,Safetensors,Fetching,Evaluation,LinearModel,Tokenization,GPT2Kit,Conversion} \
    | sed 's|$|: a library imports what only filters may|' || true
  grep -rlE '^ *import Foundation' Sources --include='*.swift' | grep -v '^Sources/Fetching/' | sed 's|$|: imports Foundation, which only Sources/Fetching may|' || true
  # Package.swift names what a target imports. SwiftPM doesn't ask for it, yet wouldn't compile the target anew after a change.
  awk '
    FILENAME == "Package.swift" {
      sub(/(^|[ \t])\/\/.*/, "")
      if (/^    targets: \[/) inside = 1
      if (/^    \],/) inside = 0
      if (!inside) next
      if (match($0, /^        \.?[a-zA-Z]+\(/)) { kind = substr($0, RSTART, RLENGTH); name = "" }
      line = $0
      while (match(line, /"[^"]*"/)) {
        word = substr(line, RSTART + 1, RLENGTH - 2)
        before = substr(line, 1, RSTART - 1)
        line = substr(line, RSTART + RLENGTH)
        if (name == "") {
          name = word
          folder = (kind ~ /test/ ? "Tests/" : "Sources/") name
          target[folder] = name
          known[name] = 1
          if (kind ~ /filter/) { declared[name, "FilterSupport"] = 1; declared[name, "Records"] = 1 }
        } else if (before ~ /path: $/) {
          delete target[folder]
          target[word] = name
        } else declared[name, word] = 1
      }
      next
    }
    FNR == 1 {
      folder = FILENAME
      while (sub(/\/[^\/]*$/, "", folder)) if (folder in target) break
      own = folder in target ? target[folder] : ""
    }
    own != "" && /^ *((@[A-Za-z_]+|public|package|internal|private|fileprivate) +)*import +[A-Za-z]/ {
      module = $0
      sub(/^.*import +/, "", module)
      sub(/^(struct|class|enum|protocol|typealias|func|let|var) +/, "", module)
      sub(/[^A-Za-z0-9_].*/, "", module)
      if (module in known && module != own && !((own, module) in declared))
        print FILENAME ":" FNR ": imports " module ", which Package.swift lacks as a dependency of " own
    }
  ' Package.swift $(find Sources Tests Benchmarks -name '*.swift' | sort)
  # The folders of GPT2Kit build on each other in one order.
  files=$(find Sources/GPT2Kit -name '*.swift' | sort)
  awk -f Tests/layers.awk $files $files
  # Libraries say what is wrong; a filter adds the option that helps (FilterSupport/CommandLineOptions.swift).
  grep -rnE '"[^"]*(^|[ "(])--[a-z]' Sources/{Platform,Records,Hashing,Safetensors,Fetching,Evaluation,LinearModel,Tokenization,GPT2Kit,Conversion} \
    --include='*.swift' | sed -E 's|^([^:]*:[0-9]*):.*|\1: a library names an option|' || true
  # A file is named after a type, or an extension, that it declares: Type.swift or Type+Topic.swift.
  find Sources Benchmarks -name '*.swift' | sort \
    | while read -r file; do
      name=$(basename "$file" .swift)
      what='(struct|class|enum|protocol|actor|extension|typealias)'
      case $name in *+*) what=extension ;; esac
      grep -qE "^ *([a-z@()]+ +)*$what ([A-Za-z]+\.)*${name%%+*}\b" "$file" || echo "$file: declares no ${name%%+*}"
    done
  find Sources Tests Benchmarks -name '*.swift' -exec awk 'END { if (NR > 300) print FILENAME ": " NR " lines, more than 300" }' {} \;
  # Tests: a display name each, and a suite named after its file. Their codes stand in Tests/CASES.md.
  grep -rnE '@Test( |$|\([^"])|func `' Tests --include='*.swift' | sed -E 's|^([^:]*:[0-9]*):.*|\1: a test without a display name|' || true
  find Tests -name '*Tests.swift' | while read -r file; do
    grep -q "^struct $(basename "$file" .swift) " "$file" || echo "$file: no suite that is named like the file"
    grep -E '^struct .*Tests ' "$file" | grep -v "^struct $(basename "$file" .swift) " | sed "s|^|$file: another suite: |" || true
  done
  Tests/cases.sh 2>&1 || true
)
[ -z "$broken" ] || { printf '%s\n' "$broken" >&2; exit 1; }
# Whoever reads a declaration of a library is told what it is.
Tests/documented.sh Sources/{Platform,Records,Hashing,Safetensors,Fetching,Evaluation,LinearModel,Tokenization,GPT2Kit,Conversion,FilterSupport,TrainingSupport}
