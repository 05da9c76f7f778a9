#!/bin/bash
# Installs the filters, `gpt2`, which runs them, the pages of the manual, and completions.
#
#   install.sh FOLDER-OF-THE-EXECUTABLES PREFIX FILTER…
set -euo pipefail
here=$(CDPATH= cd -- "$(dirname "$0")" && pwd -P)
executables=$1 prefix=$2
shift 2
. "$here/checkout.sh"
command -v jq > /dev/null || { echo "make: jq is missing: install it" >&2; exit 69; }
if ! { mkdir -p "$prefix" && [ -w "$prefix" ]; } 2> /dev/null; then
  echo "make: $prefix can't be written to: become root (sudo make install), or choose another PREFIX" >&2
  exit 77
fi
date=$(LC_ALL=C git -C "$here" log -1 --format=%cd --date='format:%B %-d, %Y' 2> /dev/null || LC_ALL=C date '+%B %-d, %Y')

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for filter in "$@"; do
  "$executables/$filter" --experimental-dump-help > "$work/$filter.json"
  jq -r --arg date "$date" -f "$here/manual.jq" "$work/$filter.json" > "$work/gpt2-$filter.1"
  jq -r '.command | "  \(.commandName + " " * ([22 - (.commandName | length), 1] | max))  \(.abstract)"' "$work/$filter.json"
done > "$work/filters.txt"
printf '%s\n' "$@" | sort | sed 's/.*/.Xr gpt2-& 1 ,/' > "$work/see"
sed -e "s/^\.Dd .*/.Dd $date/" -e "/^@SEE@/{r $work/see" -e 'd;}' "$here/gpt2.1" > "$work/gpt2.1"
sed "s/^\.Dd .*/.Dd $date/" "$here/gpt2kit.7" > "$work/gpt2kit.7"
{
  printf '.Dd %s\n.Dt GPT2KIT-FORMATS 5\n.Os\n.Sh NAME\n.Nm gpt2kit\\-formats\n' "$date"
  printf '.Nd streams and files of the gpt2 filters\n'
  awk -f "$here/markdown.awk" "$here/../../docs/formats.md"
  printf '.Sh SEE ALSO\n.Xr gpt2 1 ,\n.Xr gpt2kit 7\n'
} > "$work/gpt2kit-formats.5"
for shell in bash zsh fish; do
  for filter in "$@"; do cat "$work/$filter.json"; done | jq -sr --arg shell $shell -f "$here/completions.jq" > "$work/$shell"
done

install -d "$prefix/bin" "$prefix/libexec/gpt2" "$prefix"/share/man/man{1,5,7} "$prefix/share/bash-completion/completions" \
  "$prefix/share/zsh/site-functions" "$prefix/share/fish/vendor_completions.d"
for filter in "$@"; do
  install -m 755 "$executables/$filter" "$prefix/libexec/gpt2/$filter"
  if [ "$(uname -s)" = Linux ] && command -v strip > /dev/null; then strip --strip-unneeded "$prefix/libexec/gpt2/$filter"; fi
done
install -m 644 "$work/filters.txt" "$prefix/libexec/gpt2/filters.txt"
rm -f "$prefix/libexec/gpt2/commit"
if git -C "$here" describe --always --dirty --exclude '*' > "$work/commit" 2> /dev/null; then
  install -m 644 "$work/commit" "$prefix/libexec/gpt2/commit"
fi
install -m 755 "$here/gpt2" "$prefix/bin/gpt2"
for section in 1 5 7; do install -m 644 "$work"/*.$section "$prefix/share/man/man$section/"; done
install -m 644 "$work/bash" "$prefix/share/bash-completion/completions/gpt2"
install -m 644 "$work/zsh" "$prefix/share/zsh/site-functions/_gpt2"
install -m 644 "$work/fish" "$prefix/share/fish/vendor_completions.d/gpt2.fish"
