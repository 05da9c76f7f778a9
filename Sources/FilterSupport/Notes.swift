// What a filter says on stderr besides errors, and the option that silences it.

import ArgumentParser
import Records

/// Silence on stderr, but for errors.
public struct QuietOption: ParsableArguments {
    @Flag(name: [.short, .long], help: "No progress, no notes: only errors on stderr.")
    public var quiet = false

    public init() {}

    /// How the filter `tool` speaks, apart from errors.
    public func notes(_ tool: String) -> Notes { Notes(tool: tool, quiet: quiet) }
}

/// What a filter says on stderr when nothing is wrong.
public struct Notes: Sendable {
    let tool: String
    /// Whether nothing but errors is told.
    public let quiet: Bool

    /// A line for whoever watches: only on a terminal, so that a pipeline's stderr has errors and nothing else.
    public func onTerminal(_ text: String) {
        if Terminal.isStandardError { always(text) }
    }

    /// That `source` is a stream of token shards in a format that later versions of the filter may refuse.
    public func formerShards(_ source: String) {
        always(
            "\(source): the shards are of version 1, in which damage can go unnoticed: run tokenize-pad again to replace it"
        )
    }

    /// That `count` lines had bytes that aren't UTF-8; nothing where none had.
    public func repaired(lines count: Int) {
        if count > 0 { always("lines with bytes that are not UTF-8, read as U+FFFD: \(count)") }
    }

    /// That `count` texts were longer than the model reads; nothing where none was.
    public func truncated(texts count: Int, to tokens: Int) {
        if count > 0 { always("texts cut to \(tokens) tokens: \(count)") }
    }

    /// A line wherever stderr goes, unless the filter is quiet.
    public func always(_ text: String) {
        if !quiet { writeToStandardError("\(tool): \(text.printable)\n") }
    }
}
