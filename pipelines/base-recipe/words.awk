# What the recipe's other programs share: the text of a record, its words, and a hash.
#
# Records are lines {"source":"…","text":"…"} as jq -c writes them. Everything works on bytes: call with LC_ALL=C.

# The text of the record, a JSON string without its quotes. U+0001, which no JSON string holds, stands for a backslash of
# the text, so that \n is always a line feed.
function text_of(record) {
    record = substr(record, index(record, "\"text\":\"") + 8)
    record = substr(record, 1, length(record) - 2)
    gsub(/\\\\/, "\001", record)
    return record
}

# The record of such a text. (What backslashes mean in a replacement differs from awk to awk.)
function record_of(source, text,   count, piece, place) {
    count = split(text, piece, "\001")
    text = piece[1]
    for (place = 2; place <= count; place++) text = text "\\\\" piece[place]
    return "{\"source\":\"" source "\",\"text\":\"" text "\"}"
}

# The bytes of a text, an escape counted as one.
function length_of(text) {
    gsub(/\\u..../, "x", text)
    gsub(/\\./, "x", text)
    return length(text)
}

function source_of(record) {
    match(record, /^\{"source":"[^"]*"/)
    return substr(record, 12, RLENGTH - 12)
}

# The words of a text: letters and digits (ASCII), lower case, one blank between two. Apostrophes are left out.
function words_of(text) {
    text = tolower(text)
    gsub(/\\[a-z]/, " ", text)
    gsub(/'|\342\200\231/, "", text)
    gsub(/[^a-z0-9]+/, " ", text)
    sub(/^ /, "", text)
    sub(/ $/, "", text)
    return text
}

# The letters and digits of words, without blanks.
function letters_of(words) {
    gsub(/ /, "", words)
    return words
}

# A number in 0..<2^31 - 1 from a text: its first and last 64 bytes and its length. All products are exact in doubles.
function hash_of(text,   sample, hash, place) {
    if (!("a" in code)) for (place = 1; place < 256; place++) code[sprintf("%c", place)] = place
    sample = length(text) <= 128 ? text : substr(text, 1, 64) substr(text, length(text) - 63)
    hash = length(text)
    for (place = 1; place <= length(sample); place++) hash = (hash * 257 + code[substr(sample, place, 1)]) % 2147483647
    return hash
}

# Another number in 0..<2^31 - 1 for each number of a draw.
function draw(hash, number,   round) {
    for (round = 0; round < 3; round++)
        hash = (hash * 16807 + int(hash / 65536) * (hash % 65536) + (number + 1) * 7919) % 2147483647
    return hash
}

# The same as a number in 0..<1.
function share(hash, number) { return draw(hash, number) / 2147483647 }
