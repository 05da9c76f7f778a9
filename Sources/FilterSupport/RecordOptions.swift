// How records and their lines look, and what is drawn from them: options of several filters.

import ArgumentParser
import Records

/// Which key of a record holds the text.
public struct TextOption: ParsableArguments {
    @Option(help: ArgumentHelp("The key that holds the text.", valueName: "key"))
    public var textField = RecordFields().text

    public init() {}
}

/// Which key of a record holds the label.
public struct LabelOption: ParsableArguments {
    @Option(help: ArgumentHelp("The key that holds the label.", valueName: "key"))
    public var labelField = RecordFields().label

    public init() {}
}

/// How records look, for filters that use text and label.
public struct RecordOptions: ParsableArguments {
    @OptionGroup public var text: TextOption
    @OptionGroup public var label: LabelOption
    @OptionGroup public var lines: LineOptions

    public init() {}

    /// The keys of text and label.
    public var fields: RecordFields { RecordFields(text: text.textField, label: label.labelField) }

    /// Reads the records of `source`.
    public func reader(_ source: ByteSource) -> RecordReader { lines.reader(source, fields: fields) }
}

/// How long a line may be.
public struct LineOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The longest line that is read. (default: 64 MiB)", valueName: "bytes"),
        transform: positiveInteger)
    public var maxLine = LineReader.defaultMaximumLineLength

    public init() {}

    /// Reads the lines of `source`, of which the first one has this number.
    public func reader(_ source: ByteSource, firstLine: Int = 1) -> LineReader {
        LineReader(source, maximumLineLength: maxLine, firstLine: firstLine)
    }

    /// Reads the records of `source`.
    public func reader(_ source: ByteSource, fields: RecordFields) -> RecordReader {
        RecordReader(reader(source), fields: fields)
    }
}

/// The seed of everything that is drawn.
public struct SeedOption: ParsableArguments {
    @Option(
        help: ArgumentHelp("The same seed and input give the same output.", valueName: "number"))
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
