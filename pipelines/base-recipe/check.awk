# Fails if one of the texts has something of a text that must stay unseen (unseen.awk), and prints the first ten.
#
#   LC_ALL=C awk -f words.awk -f unseen.awk -f check.awk UNSEEN.ndjson TEXTS.ndjson …

FILENAME == ARGV[1] { keep_unseen(text_of($0)); next }

{
    texts++
    reason = unseen_in(text_of($0))
    if (reason != "" && ++found <= 10) print FILENAME ":" FNR ": " reason > "/dev/stderr"
}

END {
    print texts + 0 " texts: " found + 0 " with something of an unseen text"
    exit found > 0
}
