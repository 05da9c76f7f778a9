# The words that a shell completes after `gpt2 FILTER`, from what the filters tell of themselves:
#
#   for filter in …; do $filter --experimental-dump-help; done | jq -sr --arg shell bash -f completions.jq

def options: [.arguments[] | select(.shouldDisplay and .kind != "positional") | .names[] | (if .kind == "long" then "--" else "-" end) + .name];
def choices: [.arguments[] | select((.allValues // []) | length > 0)
  | {name: (.names[]? | select(.kind == "long") | .name), values: .allValues}];
# In single quotes, as a shell takes them.
def quoted: "'" + gsub("'"; "'\\''") + "'";
map(.command) as $filters
| ($filters | map(.commandName)) as $names
| if $shell == "fish" then
    "# Completions of gpt2 for fish.",
    "complete -c gpt2 -f -n __fish_use_subcommand -a help -d 'Show the help of a filter'",
    "complete -c gpt2 -f -n '__fish_seen_subcommand_from help' -a '\($names | join(" "))'",
    "complete -c gpt2 -f -n __fish_use_subcommand -l exec-path -d 'Print the folder of the filters'",
    ($filters[]
      | "complete -c gpt2 -f -n __fish_use_subcommand -a \(.commandName) -d \(.abstract | quoted)",
        (.commandName as $filter | .arguments[] | select(.shouldDisplay and .kind != "positional")
          | "complete -c gpt2 -n '__fish_seen_subcommand_from \($filter)'"
            + ([.names[] | if .kind == "long" then " -l \(.name)" else " -s \(.name)" end] | join(""))
            + (if (.allValues // []) | length > 0 then " -x -a \(.allValues | join(" ") | quoted)"
              elif .kind == "option" then " -r" else "" end)
            + " -d \(.abstract // "" | split(". ")[0] | quoted)"))
  else
    (if $shell == "zsh" then "#compdef gpt2" else empty end),
    "# Completions of gpt2 for \($shell).",
    (if $shell == "zsh" then "autoload -U +X bashcompinit && bashcompinit" else empty end),
    "_gpt2_words() {",
    "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words=''",
    "  if [ \"$COMP_CWORD\" -eq 1 ]; then",
    "    words='\($names | join(" ")) help --exec-path --version --help'",
    "  else",
    "    case \"${COMP_WORDS[1]} $previous\" in",
    "      'help help') words='\($names | join(" "))' ;;",
    ($filters[] | .commandName as $filter | choices[] | "      '\($filter) --\(.name)') words='\(.values | join(" "))' ;;"),
    "      *)",
    "        case \"${COMP_WORDS[1]} $current\" in",
    ($filters[] | "          '\(.commandName) -'*) words='\(options | join(" "))' ;;"),
    "        esac ;;",
    "    esac",
    "  fi",
    "  COMPREPLY=()",
    "  if [ -n \"$words\" ]; then",
    "    while IFS= read -r word; do COMPREPLY+=(\"$word\"); done < <(compgen -W \"$words\" -- \"$current\")",
    "  else",
    "    while IFS= read -r word; do COMPREPLY+=(\"$word\"); done < <(compgen -f -- \"$current\")",
    "  fi",
    "}",
    "complete -o filenames -F _gpt2_words gpt2",
    # zsh reads this file when gpt2 is completed for the first time.
    (if $shell == "zsh" then "if [[ ${funcstack[1]} = _gpt2 ]]; then _bash_complete -o filenames -F _gpt2_words; fi" else empty end)
  end
