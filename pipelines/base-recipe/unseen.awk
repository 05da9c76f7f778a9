# What a text has of the texts that must stay unseen: those that models are tested on.
#
# Of an unseen text another one has something if it equals it (the same letters and digits in the same order, letter case
# aside), if one of its lines with 12 letters and digits or more does, or if both have the same 8 words in a row.

BEGIN { ROW = 8; LEAST_OF_LINE = 12 }

function row_at(word, place,   row, last) {
    row = word[place]
    for (last = place + ROW - 1; place < last;) row = row " " word[++place]
    return row
}

# Remembers an unseen text.
function keep_unseen(text,   words, letters, count, word, place) {
    words = words_of(text)
    letters = letters_of(words)
    # A text without a letter or digit (ASCII) can't be told from another one.
    if (letters != "") unseen[letters] = 1
    count = split(words, word, " ")
    for (place = 1; place <= count - ROW + 1; place++) {
        begins[word[place] " " word[place + 1]] = 1
        rows[row_at(word, place)] = 1
    }
}

# What it is that a text has of an unseen one, or "".
function unseen_in(text,   words, count, word, line, place, letters) {
    words = words_of(text)
    if (letters_of(words) in unseen) return "equals an unseen text"
    count = split(text, line, /\\n/)
    for (place = 1; count > 1 && place <= count; place++) {
        letters = letters_of(words_of(line[place]))
        if (length(letters) >= LEAST_OF_LINE && letters in unseen) return "has a line that equals an unseen text"
    }
    count = split(words, word, " ")
    for (place = 1; place <= count - ROW + 1; place++)
        if ((word[place] " " word[place + 1]) in begins && row_at(word, place) in rows)
            return "has " ROW " words of an unseen text in a row"
    return ""
}
