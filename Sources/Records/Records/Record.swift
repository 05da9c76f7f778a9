// A record: one line of NDJSON with a text, perhaps a label, and any other keys, which are kept.
// Labels are bytes here. Swift's `String ==` holds "é" and "e\u{301}" for the same; two classes may differ in that.

/// The names of the two keys that the filters look at.
public struct RecordFields: Sendable, Equatable {
    /// The key of the text.
    public var text: String
    /// The key of the label.
    public var label: String

    /// The names that records have unless the user chooses others.
    public init(text: String = "text", label: String = "label") {
        self.text = text
        self.label = label
    }
}

/// What can be wrong with a line as a record.
public enum RecordError: DiagnosableError, Equatable {
    /// Reading failed, or the line is too long.
    case stream(StreamError)
    /// The line has nothing but white space.
    case blank(source: String, line: Int)
    /// The line isn't a JSON object.
    case malformed(source: String, line: Int, JSONError)
    /// A key that is needed is missing.
    case missing(source: String, line: Int, field: String, choice: Diagnosis.Choice? = nil)
    /// A key's value is of another type than it has to be: null, a number, an object.
    case notAString(source: String, line: Int, field: String, choice: Diagnosis.Choice? = nil)
    /// The label is an empty string.
    case emptyLabel(source: String, line: Int, field: String)
    /// There isn't a single record.
    case noRecords(source: String)

    public var diagnosis: Diagnosis {
        func at(
            _ source: String, _ line: Int, _ problem: String, _ remedy: String, _ choice: Diagnosis.Choice? = nil
        ) -> Diagnosis {
            Diagnosis(
                source: source, position: .line(line), problem: problem, remedy: remedy, status: .badData,
                choice: choice)
        }
        switch self {
        case .stream(let error): return error.diagnosis
        case .blank(let source, let line):
            return at(source, line, "the line is blank", "remove it: every line is one record")
        case .malformed(let source, let line, let error):
            return at(source, line, error.diagnosis.problem, error.remedy)
        case .missing(let source, let line, let field, let choice):
            return at(source, line, "no \"\(field)\"", "add it", choice)
        case .notAString(let source, let line, let field, let choice):
            return at(source, line, "\"\(field)\" isn't a string", Self.stringRemedy(field), choice)
        case .emptyLabel(let source, let line, let field):
            return at(source, line, "\"\(field)\" is empty", "give the record a label")
        case .noRecords(let source):
            return Diagnosis(
                source: source, problem: "no records", remedy: "check the command that should have written them",
                status: .badData)
        }
    }
}

extension RecordError {
    /// How to make a string of a key's value, on a command line where the key needs no quotes there.
    private static func stringRemedy(_ field: String) -> String {
        let isPlain = field.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || byte == UInt8(ascii: "_")
        }
        return isPlain && field.first?.isLetter == true
            ? "jq -c '.\(field) |= tostring' makes it one" : "write it as a string"
    }
}

/// One line that is a valid JSON object. Its fields are decoded when they are asked for.
public struct Record: Sendable {
    /// The bytes as they came, which is what filters pass on.
    public let line: Line
    fileprivate let source: String
    fileprivate let fields: RecordFields
    fileprivate let textMember: JSONScanner.Member?
    fileprivate let labelMember: JSONScanner.Member?

    /// The text. It has to be there and to be a string; it may be empty.
    public func text() throws(RecordError) -> String {
        String(decoding: try textBytes(), as: UTF8.self)
    }

    /// The text as UTF-8.
    public func textBytes() throws(RecordError) -> [UInt8] {
        guard let textMember else {
            throw .missing(source: source, line: line.number, field: fields.text, choice: .textField)
        }
        return try string(textMember, fields.text, .textField)
    }

    /// The label as UTF-8; nil where there is none, or null.
    public func labelIfPresent() throws(RecordError) -> [UInt8]? {
        try label(labelMember, fields.label, .labelField)
    }

    fileprivate func label(
        _ member: JSONScanner.Member?, _ field: String, _ choice: Diagnosis.Choice?
    ) throws(RecordError) -> [UInt8]? {
        guard let member, member.kind != .null else { return nil }
        let label = try string(member, field, choice)
        if label.isEmpty { throw .emptyLabel(source: source, line: line.number, field: field) }
        return label
    }

    /// The label as UTF-8. It has to be there.
    public func label() throws(RecordError) -> [UInt8] {
        guard let label = try labelIfPresent() else {
            throw .missing(source: source, line: line.number, field: fields.label, choice: .labelField)
        }
        return label
    }

    /// Whether `member`, of this record, has the key `key`, however it is escaped.
    public func isNamed(_ member: JSONScanner.Member, _ key: [UInt8]) -> Bool {
        line.bytes.withUnsafeBufferPointer { names(member, key, $0) }
    }

    private func string(
        _ member: JSONScanner.Member, _ field: String, _ choice: Diagnosis.Choice?
    ) throws(RecordError) -> [UInt8] {
        guard member.kind == .string else {
            throw .notAString(source: source, line: line.number, field: field, choice: choice)
        }
        let content = member.value.lowerBound + 1..<member.value.upperBound - 1
        if !member.hasEscapes { return Array(line.bytes[content]) }
        return line.bytes.withUnsafeBufferPointer { JSONLexer.decoded($0[content], hasEscapes: true) }
    }
}

/// Reads records one after another.
public struct RecordReader {
    /// Where the lines come from.
    public let lines: LineReader
    /// The keys of text and label.
    public let fields: RecordFields
    private let textKey: [UInt8]
    private let labelKey: [UInt8]
    private var scanner = JSONScanner()

    /// Reads records from `lines`, whose text and label have the keys `fields`.
    public init(_ lines: LineReader, fields: RecordFields = RecordFields()) {
        self.lines = lines
        self.fields = fields
        textKey = Array(fields.text.utf8)
        labelKey = Array(fields.label.utf8)
    }

    /// The next record, or nil at the end. After an error about a line a further call continues with the next line.
    public mutating func next() throws(RecordError) -> Record? {
        let line: Line?
        do {
            line = try lines.next()
        } catch {
            throw .stream(error)
        }
        return if let line { try record(line) } else { nil }
    }

    /// The members of the record that was read last, in order; their ranges are those of its line.
    public var members: [JSONScanner.Member] { scanner.members }

    /// A further label of `record`, which has to be the one that was read last: of the key `key`, nil where there is
    /// none, or null.
    ///
    /// - Parameters:
    ///   - key: as UTF-8.
    ///   - record: the one that was read last.
    ///   - choice: what the user can name another key with.
    /// - Throws: ``RecordError`` where it isn't a string, or is empty.
    public func label(
        _ key: [UInt8], of record: Record, choice: Diagnosis.Choice? = nil
    ) throws(RecordError) -> [UInt8]? {
        let member = scanner.members.first { record.isNamed($0, key) }
        return try record.label(member, String(decoding: key, as: UTF8.self), choice)
    }

    /// `line` as a record.
    public mutating func record(_ line: Line) throws(RecordError) -> Record {
        let result = line.bytes.withUnsafeBufferPointer { bytes in
            Result { () throws(JSONError) in
                try scanner.scanObject(bytes)
                var text: JSONScanner.Member?
                var label: JSONScanner.Member?
                for member in scanner.members {
                    if names(member, textKey, bytes) { text = member }
                    if names(member, labelKey, bytes) { label = member }
                }
                return Record(
                    line: line, source: lines.source.name, fields: fields, textMember: text, labelMember: label)
            }
        }
        do {
            return try result.get()
        } catch {
            let isBlank = line.bytes.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
            if isBlank { throw .blank(source: lines.source.name, line: line.number) }
            throw .malformed(source: lines.source.name, line: line.number, error)
        }
    }
}

@inline(__always)
private func names(_ member: JSONScanner.Member, _ key: [UInt8], _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    if member.keyHasEscapes { return JSONLexer.decoded(bytes[member.key], hasEscapes: true) == key }
    guard member.key.count == key.count else { return false }
    var offset = member.key.lowerBound
    for byte in key {
        if bytes[offset] != byte { return false }
        offset += 1
    }
    return true
}
