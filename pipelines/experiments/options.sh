# What of finetune's options a result depends on: not on those that change how fast it is there.

lasting() { # WORD…
  local kept=() before= word
  for word; do
    case $before/$word in
      --features/* | --threads/*) ;;
      */--features | */--threads | */--features=* | */--threads=* | */-q | */--quiet) ;;
      *) kept+=("$word") ;;
    esac
    before=$word
  done
  printf '%s' "${kept[*]-}"
}

# Run as a program: the name of make's choice of LENGTH and options, for files; nothing for the usual one.
#
#   options.sh LENGTH OPTION…
if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  length=$1
  shift
  choice=$(lasting "$@")
  [ "$length" = longest ] || choice="length $length $choice"
  choice=$(printf '%s' "$choice" | tr -sc 'A-Za-z0-9.' '-' | sed 's/^-*//; s/-*$//')
  [ -z "$choice" ] || printf '%s' "-$choice"
fi
