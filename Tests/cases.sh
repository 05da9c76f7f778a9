#!/bin/bash
# Compares the codes in the names of tests with Tests/CASES.md, in both directions and suite by suite: prints what differs,
# and fails then. Tests/floors.sh calls it.
set -euo pipefail
cd "$(dirname "$0")/.."
# Lines of CODE SUITE: of every test that has a code, and of every row of the tables.
tests=$(grep -roE '\[[A-Z][0-9]+\]' Tests --include='*.swift' | sed -E 's|.*/([^/]*)\.swift:\[(.*)\]|\2 \1|' | sort -u)
table=$(
  awk -F ' *[|] *' '/^\| [A-Z][0-9]+ \|/ { n = split($(NF - 1), suites, ", "); for (i = 1; i <= n; i++) print $2, suites[i] }' \
    Tests/CASES.md | sort -u
)
differences=$(
  comm -23 <(echo "$tests") <(echo "$table") | sed -E 's|(.*) (.*)|Tests/CASES.md: \1 lacks \2, which has a test of it|'
  comm -13 <(echo "$tests") <(echo "$table") | sed -E 's|(.*) (.*)|Tests/CASES.md: \1 names \2, which has no test of it|'
)
[ -z "$differences" ] || { printf '%s\n' "$differences" >&2; exit 1; }
