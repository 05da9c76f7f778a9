# Keeps a document unless an earlier one equals it, or it has something of a text that must stay unseen (unseen.awk).
#
#   LC_ALL=C awk -f words.awk -f unseen.awk -f clean.awk -v counts=FILE UNSEEN.ndjson DOCUMENTS.ndjson > CLEAN.ndjson
#
# COUNTS gets lines of a source, `kept` or the reason, documents, and the bytes of text of those that were kept.

FILENAME == ARGV[1] { keep_unseen(text_of($0)); next }

{
    text = text_of($0)
    source = source_of($0)
    key = letters_of(words_of(text))
    if (key == "") key = text
    reason = key in kept ? "repeats an earlier document" : unseen_in(text)
    if (reason == "") {
        kept[key] = 1
        bytes[source] += length_of(text)
        reason = "kept"
        print
    }
    documents[source "\t" reason]++
}

END {
    for (what in documents) {
        split(what, part, "\t")
        print what "\t" documents[what] "\t" (part[2] == "kept" ? bytes[part[1]] : 0) > counts
    }
}
