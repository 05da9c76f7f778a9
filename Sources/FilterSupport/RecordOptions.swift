// How records and their lines look, and what is drawn from them: options of several filters.

import ArgumentParser
import Records

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

/// The seed of everything that is drawn.
public struct SeedOption: ParsableArguments {
    @Option(
        help: ArgumentHelp("The same seed gives the same output, whatever the number of threads.", valueName: "number"))
    public var seed: UInt64 = 123

    public init() {}
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
