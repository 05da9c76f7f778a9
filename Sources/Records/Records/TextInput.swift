// Texts that a filter reads one after another: lines of text, or records.

/// A text, and what is written of its line beside the result.
public struct InputText: Sendable {
    /// Its line, from 1.
    public let line: Int
    /// UTF-8.
    public let text: [UInt8]
    /// Whether bytes of it weren't UTF-8.
    public var isRepaired = false
    /// The members of a record that are passed on, as slices of its line; nil for a line of text.
    var members: [Record.WrittenMember]?

    /// The beginning of an object, to which results are appended: a brace, and the record's own members or the text, each with a
    /// comma behind.
    public var beginningOfObject: [UInt8] {
        if let members { return Record.beginningOfObject(members) }
        var json = JSONWriter()
        json.string(utf8: text[...])
        return Array("{\"text\":".utf8) + json.bytes + [UInt8(ascii: ",")]
    }
}

/// Reads texts one after another.
public struct TextInput {
    /// What a line of the input is.
    public enum Kind: String, Sendable, CaseIterable {
        /// The text itself, or a record: an NDJSON object with a text.
        case text, ndjson
    }

    private let reader: LineReader
    private let kind: Kind
    private var records: RecordReader
    private let labelKey: [UInt8]?
    private let ownKeys: [[UInt8]]

    /// - Parameters:
    ///   - reader: the lines.
    ///   - kind: what a line is.
    ///   - fields: the key of a record's text.
    ///   - labelKey: the key of a label that is passed on as `expected`; nil for none.
    ///   - ownKeys: keys of results, which aren't passed on from records.
    public init(_ reader: LineReader, kind: Kind, fields: RecordFields, labelKey: String? = nil, ownKeys: [String]) {
        self.reader = reader
        self.kind = kind
        self.labelKey = labelKey.map { Array($0.utf8) }
        self.ownKeys = ownKeys.map { Array($0.utf8) }
        records = RecordReader(reader, fields: fields)
    }

    /// The name of the input.
    public var source: String { reader.source.name }

    /// The next text; nil at the end.
    ///
    /// - Throws: ``StreamError``; ``RecordError`` for a line that is no record with a text.
    public mutating func next() throws -> InputText? {
        guard let line = try reader.next() else { return nil }
        if kind == .ndjson { return try record(line) }
        let content = line.content
        guard UTF8.firstInvalidOffset(in: content) != nil else {
            return InputText(line: line.number, text: Array(content))
        }
        return InputText(line: line.number, text: UTF8.repaired(content), isRepaired: true)
    }

    private mutating func record(_ line: Line) throws -> InputText {
        let record = try records.record(line)
        let text = try record.textBytes()
        let members = record.passedOn(records.members, labelKey: labelKey, without: ownKeys)
        return InputText(line: line.number, text: text, members: members)
    }
}
