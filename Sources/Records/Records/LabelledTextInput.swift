// Labelled texts that a filter reads one after another: records, or fastText's lines.

/// A text and its label.
public struct LabelledText: Sendable, Equatable {
    /// Its line, from 1.
    public let line: Int
    /// UTF-8.
    public let text: [UInt8]
    /// UTF-8, not empty.
    public let label: [UInt8]
    /// The line as it was read, without its line feed.
    public let lineBytes: [UInt8]
}

/// Reads labelled texts one after another.
public struct LabelledTextInput {
    /// What a line of the input is.
    public enum Kind: String, Sendable, CaseIterable {
        /// A record with text and label.
        case ndjson
        /// A label and a text, as fastText reads them: `__label__spam Win a prize`.
        case fasttext
    }

    private let reader: LineReader
    private let kind: Kind
    private var records: RecordReader
    private static let mark = Array("__label__".utf8)

    /// Reads from `reader` what `kind` says; `fields` are the keys of records.
    public init(_ reader: LineReader, kind: Kind, fields: RecordFields) {
        self.reader = reader
        self.kind = kind
        records = RecordReader(reader, fields: fields)
    }

    /// The name of the input.
    public var source: String { reader.source.name }

    /// The next text; nil at the end.
    ///
    /// - Throws: ``StreamError``; ``RecordError`` for a line that is no record with text and label;
    ///   ``LabelledLineError`` for one of another kind that has not exactly one label.
    public mutating func next() throws -> LabelledText? {
        guard let line = try reader.next() else { return nil }
        if kind == .ndjson {
            let record = try records.record(line)
            return LabelledText(
                line: line.number, text: try record.textBytes(), label: try record.label(), lineBytes: line.bytes)
        }
        if let offset = UTF8.firstInvalidOffset(in: line.content) {
            throw LabelledLineError(source: source, line: line.number, problem: .notUTF8(byte: offset + 1))
        }
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        let first = line.content.prefix { !isBlank($0) }
        let rest = line.content.dropFirst(first.count).drop(while: isBlank)
        let label = first.dropFirst(Self.mark.count)
        guard first.starts(with: Self.mark), !label.isEmpty else {
            throw LabelledLineError(source: source, line: line.number, problem: .noLabel)
        }
        // fastText takes a word with the mark for a label wherever it stands.
        guard !rest.split(whereSeparator: isBlank).contains(where: { $0.starts(with: Self.mark) }) else {
            throw LabelledLineError(source: source, line: line.number, problem: .severalLabels)
        }
        return LabelledText(line: line.number, text: Array(rest), label: Array(label), lineBytes: line.bytes)
    }
}

/// A line that should begin with one label, and doesn't.
public struct LabelledLineError: DiagnosableError, Equatable {
    /// What is wrong with it.
    enum Problem: Equatable {
        case noLabel, severalLabels
        case notUTF8(byte: Int)
    }

    let source: String
    let line: Int
    let problem: Problem

    public var diagnosis: Diagnosis {
        let (what, remedy) =
            switch problem {
            case .noLabel:
                (
                    "no __label__ at the beginning of this line",
                    "write it like '__label__spam the text', or read it as records"
                )
            case .severalLabels: ("this line has more than one label", "keep one: a text has exactly one class")
            case .notUTF8(let byte): ("byte \(byte) of this line isn't UTF-8", "convert the input to UTF-8")
            }
        return Diagnosis(source: source, position: .line(line), problem: what, remedy: remedy, status: .badData)
    }
}
