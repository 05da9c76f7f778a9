// The options that several filters share: the same name means the same everywhere.

import ArgumentParser
import Records

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The optional input file.
public struct InputArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The file to read; - or nothing means stdin.", valueName: "file"))
    public var input: String?

    public init() {}

    public func open() throws -> ByteSource { try ByteSource(path: input) }

    /// Refuses an output that is the input.
    public func requireDistinct(from output: String) throws {
        var a = stat()
        var b = stat()
        let found = if let input, input != "-" { stat(input, &a) == 0 } else { fstat(0, &a) == 0 }
        guard found, stat(output, &b) == 0, a.st_mode & S_IFMT == S_IFREG else { return }
        if a.st_dev == b.st_dev, a.st_ino == b.st_ino {
            throw UsageError("the output \(output) is the input", remedy: "choose another output")
        }
    }
}

extension ByteSink {
    /// The standard output of a filter that writes something else than text, which nobody wants on a terminal.
    public static func binaryStandardOutput(of tool: String) throws -> ByteSink {
        guard isatty(1) == 0 else {
            throw UsageError(
                "the output is binary, and stdout is a terminal",
                remedy: "give it to a file or another filter: \(tool) … > file")
        }
        return standardOutput()
    }
}

/// How records look.
public struct RecordOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The key that holds the text.", valueName: "key"))
    public var textField = "text"

    @Option(help: ArgumentHelp("The key that holds the label.", valueName: "key"))
    public var labelField = "label"

    @Option(help: ArgumentHelp("The key that holds the id.", valueName: "key"))
    public var idField = "id"

    @OptionGroup public var lines: LineOptions

    public init() {}

    public var fields: RecordFields { RecordFields(text: textField, label: labelField, id: idField) }

    public func reader(_ source: ByteSource) -> RecordReader {
        RecordReader(lines.reader(source), fields: fields)
    }
}

/// How long a line may be.
public struct LineOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The longest line that is read.", valueName: "bytes"), transform: positiveInteger)
    public var maxLine = LineReader.defaultMaximumLineLength

    public init() {}

    public func reader(_ source: ByteSource) -> LineReader {
        LineReader(source, maximumLineLength: maxLine)
    }
}

/// How much of the input is held.
public struct MemoryOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            The memory for the input, in MiB; more is an error, and so is more than the system gives. (default: three \
            quarters of the machine's)
            """,
            valueName: "MiB"),
        transform: positiveInteger)
    public var maxMemory: Int?

    public init() {}

    /// In bytes.
    public var limit: Int {
        if let maxMemory { return maxMemory.multipliedReportingOverflow(by: 1 << 20).overflow ? .max : maxMemory << 20 }
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        let pageSize = sysconf(Int32(_SC_PAGESIZE))
        return pages > 0 && pageSize > 0 ? pages / 4 * 3 * pageSize : .max
    }
}

/// The seed of everything that is drawn.
public struct SeedOption: ParsableArguments {
    @Option(
        help: ArgumentHelp("The same seed gives the same output, whatever the number of threads.", valueName: "number"))
    public var seed: UInt64 = 123

    public init() {}
}

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
    public let quiet: Bool

    /// A line for whoever watches: only on a terminal, so that a pipeline's stderr has errors and nothing else.
    public func summary(_ text: String) {
        if isatty(2) == 1 { record(text) }
    }

    /// That `source` is a stream of token shards in a format that later versions of the filter may refuse.
    public func formerShards(_ source: String) {
        record(
            "\(source): the shards are of version 1, in which damage can go unnoticed: run tokenize-pad again to replace it"
        )
    }

    /// A line that belongs on record wherever stderr goes.
    public func record(_ text: String) {
        if !quiet { writeToStandardError("\(tool): \(printable(text))\n") }
    }
}

/// For `transform:` of options that are counts.
@Sendable public func positiveInteger(_ text: String) throws -> Int {
    guard let value = Int(text), value > 0 else { throw ValidationError("'\(text)' isn't a positive whole number") }
    return value
}

/// For `transform:` of options that are counts and may be 0.
@Sendable public func nonNegativeInteger(_ text: String) throws -> Int {
    guard let value = Int(text), value >= 0 else { throw ValidationError("'\(text)' is not a whole number from 0 on") }
    return value
}
