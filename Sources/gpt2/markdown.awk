# Turns a page of docs/ into the body of a page of the manual (mdoc): headings, paragraphs, lists, tables, blocks of code.
#
#   awk -f markdown.awk docs/formats.md

function escaped(text) {
  gsub(/\\/, "\\e", text)
  gsub(/-/, "\\-", text)
  return text
}

# Running text: without the marks of code, emphasis and links; a sentence a line.
function inline(text) {
  while (match(text, /\[[^]]*\]\([^)]*\)/)) {
    link = substr(text, RSTART, RLENGTH)
    words = link
    sub(/^\[/, "", words)
    sub(/\]\(.*/, "", words)
    address = link
    sub(/^[^(]*\(/, "", address)
    sub(/\)$/, "", address)
    if (address ~ /^https?:/) words = words " <" address ">"
    text = substr(text, 1, RSTART - 1) words substr(text, RSTART + RLENGTH)
  }
  gsub(/`|\*\*/, "", text)
  gsub(/\\\|/, "|", text)
  text = escaped(text)
  # Several filters write a period behind a name; a line that begins with one would be a macro.
  gsub(/[.:] +/, "&\n", text)
  gsub(/ +\n/, "\n", text)
  gsub(/\n['.]/, "\n\\\\\\&&", text)
  if (text ~ /^['.]/) text = "\\&" text
  return text
}

function finish() {
  if (paragraph != "") {
    if (!isFirst) print ".Pp"
    print inline(paragraph)
    isFirst = 0
  }
  paragraph = ""
  if (list) print ".El"
  list = 0
}

/^```/ {
  if (inCode) {
    print ".Ed"
  } else {
    finish()
    print ".Bd -literal"
    isFirst = 0
  }
  inCode = !inCode
  next
}
inCode {
  line = escaped($0)
  if (line ~ /^['.]/) line = "\\&" line
  print line
  next
}
/^# / { title = 1; next }
/^## / {
  finish()
  print ".Sh " toupper(inline(substr($0, 4)))
  isFirst = 1
  started = 1
  next
}
/^### / {
  finish()
  print ".Ss " inline(substr($0, 5))
  isFirst = 1
  next
}
# Before the first heading there is the list of them.
!started { next }
/^\|/ {
  if (!inTable) {
    finish()
    inTable = 1
    print ".Bl -tag -width Ds"
    getline  # the line under the heads
    next
  }
  row = $0
  gsub(/\\\|/, "\001", row)
  columns = split(row, cells, "|")
  for (i = 1; i <= columns; i++) {
    gsub(/\001/, "|", cells[i])
    sub(/^ +/, "", cells[i])
    sub(/ +$/, "", cells[i])
  }
  head = cells[2]
  if (columns > 4 && cells[3] != "") head = head "  " cells[3]
  tag = inline(head)
  gsub(/\n/, " ", tag)
  print ".It " tag
  print inline(cells[columns - 1])
  next
}
inTable { print ".El"; inTable = 0; isFirst = 0 }
/^- / {
  if (!list) {
    finish()
    list = 1
    print ".Bl -bullet -compact"
  }
  print ".It\n" inline(substr($0, 3))
  next
}
list && /^  / { print inline(substr($0, 3)); next }
/^$/ { finish(); next }
{ paragraph = paragraph (paragraph == "" ? "" : " ") $0 }
END { finish() }
