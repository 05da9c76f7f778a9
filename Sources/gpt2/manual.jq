# A page of the manual (mdoc) of a filter, from what it tells of itself:
#
#   score --experimental-dump-help | jq -r --arg date 'November 25, 2026' -f manual.jq

def escaped: gsub("\\\\"; "\\e") | gsub("-"; "\\-") | gsub("(?<start>^|\n)(?<c>[.'])"; "\(.start)\\&\(.c)");
# Every sentence begins a line.
def sentences: escaped | gsub("(?<end>[.?!:]) +(?<next>[A-Z])"; "\(.end)\n\(.next)");
# Lines that begin with blanks stay as they are.
def paragraphs: split("\n") | map(select(. != ""))
  | reduce .[] as $line ({text: [], isInside: false};
      ($line | startswith("  ")) as $isIndented
      | .text += (if $isIndented == .isInside then [] elif $isIndented then [".Bd -literal"] else [".Ed"] end)
        + [if $isIndented then $line | sub("^  "; "") | escaped else ".Pp\n" + ($line | sentences) end]
      | .isInside = $isIndented)
  | .text + (if .isInside then [".Ed"] else [] end) | join("\n");
def literal: ".Bd -literal\n" + (split("\n") | map(sub("^  "; "") | escaped) | join("\n")) + "\n.Ed";

# --out, with the value that it takes: " Ar dir".
def long: .names | map(select(.kind == "long")) | first | .name;
def value: if .kind == "option" then " Ar \(.valueName)" else "" end;
def flags: [.names[] | if .kind == "long" then "Fl \\-\(.name | gsub("-"; "\\-"))" else "Fl \(.name)" end] | join(" , ");
def synopsis:
  if .kind == "positional" then (if .isOptional then ".Op Ar \(.valueName)" else ".Ar \(.valueName)" end)
  elif .isOptional then ".Op Fl \\-\(long | gsub("-"; "\\-"))\(value)"
  else ".Fl \\-\(long | gsub("-"; "\\-"))\(value)" end;
def item:
  (if .kind == "positional" then ".It Ar \(.valueName)" else ".It \(flags)\(value)" end) + "\n" + ((.abstract // "") | sentences)
  + (if (.allValues // []) | length > 0 then "\nOne of \(.allValues | join(", ") | escaped)." else "" end)
  + (if .defaultValue then "\nThe default is \(.defaultValue | escaped)." else "" end);

# The parts of the text, by the headings that stand alone in capitals.
def part(name): (.discussion // "") | split("\n\n") | map(select(test("^(\(name))\n"))) | first // "" | sub("^[^\n]*\n"; "");
def description: (.discussion // "") | [split("\n\nEXAMPLE")[0], split("\n\nENVIRONMENT")[0]] | min_by(length);
def examples: (.discussion // "") | [match("\n\nEXAMPLES?\n((?:.|\n)*?)(\n\nEXIT CODES|$)")][0].captures[0].string // "";

.command as $command | $command
| [.arguments[] | select(.shouldDisplay)] as $arguments
| ".Dd \($date)",
  ".Dt GPT2-\(.commandName | ascii_upcase) 1",
  ".Os",
  ".Sh NAME",
  ".Nm gpt2\\-\(.commandName | gsub("-"; "\\-"))",
  ".Nd \(.abstract | sub("\\.$"; "") | (.[0:1] | ascii_downcase) + .[1:] | escaped)",
  ".Sh SYNOPSIS",
  ".Nm gpt2 \(.commandName | gsub("-"; "\\-"))",
  ($arguments | sort_by(.kind == "positional") | .[] | synopsis),
  ".Sh DESCRIPTION",
  (description | paragraphs | sub("^.Pp\n"; "")),
  ".Pp",
  "The options are as follows:",
  ".Bl -tag -width Ds",
  ($arguments[] | item),
  ".El",
  (part("ENVIRONMENT") | select(. != "") | ".Sh ENVIRONMENT", literal),
  ".Sh EXIT STATUS",
  "0 if all went well, otherwise:",
  ".Bl -tag -width 3n -compact",
  (part("EXIT CODES") | split("\n")[] | select(. != "") | capture("^ *(?<code>[0-9]+) +(?<meaning>.*)$")
    | ".It \(.code)\n\(.meaning | escaped)"),
  ".El",
  ".Sh EXAMPLES",
  (examples | literal),
  ".Sh SEE ALSO",
  ".Xr gpt2 1"
