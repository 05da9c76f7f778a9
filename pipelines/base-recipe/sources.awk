# The sources of a base as a table in Markdown, for its model card.
#
#   awk -f sources.awk corpus.sha256 clean.tsv mix.tsv SOURCES.tsv > sources.md

BEGIN { FS = "\t" }

FILENAME == ARGV[1] {
    split($0, column, /  */)
    name = column[2]
    sub(/\.zst$/, "", name)
    sub(/\.ndjson$/, "", name)
    sum[name] = column[1]
    file[name] = column[2]
    order[++count] = name
    next
}
FILENAME == ARGV[2] { if ($2 == "kept") { documents[$1] = $3; bytes[$1] = $4 } else dropped[$2] += $3; next }
FILENAME == ARGV[3] { texts[$1] = $2; used[$1] = $3; all_texts += $2; all += $3; next }
/^#/ || NF < 6 { next }
{ copies[$1] = $2; turns[$1] = $3; what[$1] = $4; origin[$1] = $5; licence[$1] = $6 }

function megabytes(number) { return sprintf("%.2f", number / 1e6) }

END {
    print "## Sources\n"
    print "The texts are of others; their authors don't endorse this model. Every source allows this use under the licence named"
    print "here, and is credited with it. Names, addresses and markup were removed from some; documents have at most a few"
    print "thousand characters.\n"
    print "| file | what it is | from | licence |"
    print "| --- | --- | --- | --- |"
    for (i = 1; i <= count; i++) {
        name = order[i]
        if (name in what) print "| " name " | " what[name] " | " linked(origin[name]) " | " licence[name] " |"
        else print "| " name " | – | – | – |"
    }
    print "\nWhat is used of them: documents and MB of text after cleaning; how often they are in the mix, and the share of them that is"
    print "cut into lines; texts and MB in the mix; and the SHA-256 of the file.\n"
    print "| file | documents | MB | copies | cut | texts | MB in the mix | SHA-256 |"
    print "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |"
    for (i = 1; i <= count; i++) {
        name = order[i]
        printf "| %s | %d | %s | %s | %s | %d | %s | `%s` |\n", file[name], documents[name], megabytes(bytes[name]), \
            name in copies ? copies[name] : 1, turns[name] + 0, texts[name], megabytes(used[name]), sum[name]
    }
    printf "\n%d texts, %s MB.\n", all_texts, megabytes(all)
    if ("repeats an earlier document" in dropped) {
        repeated = dropped["repeats an earlier document"]
        delete dropped["repeats an earlier document"]
    }
    for (reason in dropped) unseen += dropped[reason]
    printf "Left out: %d documents that repeat others, and %d that have something of a text that models of this project are\n", repeated, unseen
    print "tested on (an equal text or line, or 8 words in a row)."
}

# Addresses with commits as links: ADDRESS COMMIT; ADDRESS COMMIT …
function linked(text,   part, pair, number, place, short, result) {
    number = split(text, part, "; ")
    for (place = 1; place <= number; place++) {
        split(part[place], pair, " ")
        short = pair[1]
        sub(/^https:\/\/github\.com\//, "", short)
        result = result (place > 1 ? ", " : "") "[" short "](" pair[1] (pair[2] == "" ? "" : "/tree/" pair[2]) ")"
    }
    return result
}
