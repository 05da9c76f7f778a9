#!/bin/sh
# Zips messages.tsv in the layout of the UCI SMS Spam Collection. The same messages give the same archive.
set -eu
here=$(CDPATH= cd -- "$(dirname "$0")" && pwd)
command -v zip > /dev/null || { echo "build-archive.sh: zip is missing: install the package zip" >&2; exit 69; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/messages.tsv" "$work/MessageCollection"
cp "$here/README.md" "$work/readme"
touch -d '2026-01-01T00:00:00Z' "$work/MessageCollection" "$work/readme"
(cd "$work" && TZ=UTC zip -X -q -9 messages.zip MessageCollection readme)
mv "$work/messages.zip" "$here/messages.zip"
