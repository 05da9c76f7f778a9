# Makes the texts of one part from the documents: copies and turns as the table of sources says, in an order of their own.
#
#   LC_ALL=C awk -f words.awk -f unseen.awk -f mix.awk -v part=train -v seed=1 -v counts=FILE \
#     SOURCES.tsv UNSEEN.ndjson CLEAN.ndjson | LC_ALL=C sort | cut -f 2-
#
# Every hundredth document (HELD_OUT) is for validation, before anything is cut into turns. A line of output is a number to
# sort by, a tab, and a record. All choices are functions of the document and the seed. COUNTS gets lines of a source, its
# texts, and their bytes.

BEGIN { HELD_OUT = 0.01; LEAST = 8 }

FILENAME == ARGV[1] {
    if ($0 !~ /^#/ && split($0, column, "\t") > 2) { copies[column[1]] = column[2]; turns[column[1]] = column[3] }
    next
}

FILENAME == ARGV[2] { keep_unseen(text_of($0)); next }

function write(text, number) {
    texts[source]++
    bytes[source] += length_of(text)
    printf "%010d\t%s\n", draw(hash, number), record_of(source, text)
}

# Turns with fewer letters than LEAST say nothing by themselves, and of equal ones the first is enough.
function write_turns(number,   count, turn, place, letters) {
    count = split(text, turn, /\\n/)
    for (place = 1; place <= count; place++) {
        letters = letters_of(words_of(turn[place]))
        if (length(letters) < LEAST || letters in known || letters in unseen) continue
        known[letters] = 1
        write(turn[place], number + place)
    }
}

{
    text = text_of($0)
    source = source_of($0)
    hash = draw(hash_of(text), seed)
    if ((share(hash, 1) < HELD_OUT) != (part == "validation")) next
    # A file that the table doesn't have is used once, as it is.
    wanted = source in copies ? copies[source] : 1
    for (copy = 0; copy < wanted; copy++) {
        if (wanted - copy < 1 && share(hash, 2) >= wanted - copy) continue
        # Of two copies, with turns for half of the documents, one is cut.
        if ((share(hash, 3) + copy / wanted) % 1 < turns[source] && text ~ /\\n/) write_turns(1000 * (copy + 1))
        else write(text, 4 + copy)
    }
}

END { for (source in texts) print source "\t" texts[source] "\t" bytes[source] > counts }
