// The options that a filter has, as its parser tells them, and the words about options that messages have.
// The libraries know no options: they tell which of the user's choices would help, and here that gets its name.

import ArgumentParser
import Records

/// The names of a filter's options.
struct CommandLineOptions {
    /// As they are written: `--out`, `-q`.
    let names: Set<String>

    init(of command: any ParsableCommand.Type) {
        var names: Set = ["--help", "-h", "--help-hidden", "--version", "--experimental-dump-help"]
        names.insert("--generate-completion-script")
        let description = try? JSONValue(parsing: Array(command._dumpHelp().utf8))
        Self.collect(description?["command"], into: &names)
        self.names = names
    }

    /// The first word of the command line that can only be an option and isn't one.
    ///
    /// The parser tells of what is missing first, though that is missing, more often than not, because it is misspelt.
    func firstUnknown(in arguments: some Sequence<String>) -> String? {
        for argument in arguments {
            if argument == "--" { return nil }
            let word = String(argument.prefix { $0 != "=" })
            if word.hasPrefix("--") {
                if !names.contains(word) { return word }
            } else if word.hasPrefix("-"), word.dropFirst().allSatisfy(\.isLetter) {
                if !word.dropFirst().allSatisfy({ names.contains("-\($0)") }) { return word }
            }
        }
        return nil
    }

    /// The option that was meant by `unknown`, if one is nearly called that, begins so, or is its beginning.
    func nearest(to unknown: String) -> String? {
        guard unknown.count > 3 else { return nil }
        return names.filter { $0.hasPrefix("--") }
            .map { (distance: editDistance(unknown, $0), name: $0) }
            .filter { $0.distance <= 2 || $0.name.hasPrefix(unknown) || unknown.hasPrefix($0.name) }
            .min { $0 < $1 }?.name
    }

    /// `diagnosis` with the option that helps, where there is one.
    func complete(_ diagnosis: Diagnosis) -> Diagnosis {
        guard let (name, advice) = diagnosis.choice.map(Self.advice), name.map(names.contains) ?? true else {
            return diagnosis
        }
        var diagnosis = diagnosis
        diagnosis.remedy += advice
        return diagnosis
    }

    /// What is added to a remedy, where the filter has the option `name`. The same name means the same in every filter;
    /// nil is an option of another filter.
    private static func advice(_ choice: Diagnosis.Choice) -> (name: String?, advice: String) {
        switch choice {
        case .textField: ("--text-field", ", or name the key of the text with --text-field")
        case .labelField: ("--label-field", ", or name the key of the label with --label-field")
        case .expectedField: ("--expected-field", ", or name the key of the right label with --expected-field")
        case .predictedField: ("--predicted-field", ", or name the key of the predicted label with --predicted-field")
        case .lineLength: ("--max-line", ", or raise --max-line")
        case .rowLength: ("--length", ", or raise --length, or leave out --strict")
        case .memory: ("--max-memory", ", or raise --max-memory")
        case .output: ("--out", ", or choose another --out")
        case .perClass: ("--per-class", ", or lower --per-class")
        case .labels: ("--labels", ", or correct --labels")
        case .mirror: ("--mirror", ", or name a folder that has it with --mirror")
        case .mirrorOfModels: ("--mirror", " and name what holds it with --mirror")
        case .fallback: ("--fallback", ", or name another one with --fallback")
        case .downloadLimit: ("--max-bytes", ", or raise --max-bytes")
        case .columns:
            (
                "--columns",
                ", or correct --format and --columns, where _ leaves a column out (with --header others are left out)"
            )
        case .columnSource: ("--columns", ", or take it under another name: --columns KEY=COLUMN")
        case .header: ("--header", ", or take the columns from it with --header")
        case .entry: ("--entry", " with --entry")
        case .noEntry: ("--entry", ", or leave out --entry")
        case .resume: ("--resume", " with --resume")
        case .tokenizer: ("--tokenizer", " with --tokenizer")
        case .heads: ("--heads", " with --heads")
        case .base: ("--base", " with --base")
        case .length: ("--length", " with --length")
        case .replacing: ("--force", " with --force")
        case .tokenizerOfShards: (nil, " (tokenize-pad --tokenizer)")
        case .labelsOfShards: (nil, " (tokenize-pad --labels-from)")
        case .lengthOfShards: (nil, " (tokenize-pad --length)")
        }
    }

    private static func collect(_ command: JSONValue?, into names: inout Set<String>) {
        for name in command?["arguments"]?.array?.flatMap({ $0["names"]?.array ?? [] }) ?? [] {
            guard let text = name["name"]?.string else { continue }
            names.insert(name["kind"]?.string == "long" ? "--\(text)" : "-\(text)")
        }
        for command in command?["subcommands"]?.array ?? [] { collect(command, into: &names) }
    }
}

/// How many letters have to be inserted, removed or replaced to make the one of the other (Levenshtein).
private func editDistance(_ a: String, _ b: String) -> Int {
    let b = Array(b.utf8)
    var row = Array(0...b.count)
    for (i, letter) in a.utf8.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, other) in b.enumerated() {
            let replaced = diagonal + (letter == other ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
        }
    }
    return row[b.count]
}
