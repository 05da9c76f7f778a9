#!/bin/bash
# Runs a command as the only one that works on a folder; another one waits until the first has ended.
#
#   locked.sh FOLDER COMMAND…
#
# The lock is FOLDER/.lock, held by the command and by all that it starts, however they end.
set -euo pipefail
folder=$1
shift
mkdir -p "$folder"
exec 9>> "$folder/.lock"
if command -v flock > /dev/null; then
  take() { flock ${1:+-n} 9; }
else
  take() { perl -MFcntl=:flock -e 'open(my $lock, ">&=", 9) or die; exit !flock($lock, LOCK_EX | ($ARGV[0] ? LOCK_NB : 0))' "${1:-}"; }
fi
if ! take now; then
  echo "make: another make is at work on $folder: this one waits for it" >&2
  take
fi
exec "$@"
