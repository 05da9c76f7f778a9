// A JSON document in memory, for configurations and vocabularies: objects keep their order, numbers their digits.
// Streams of records don't go through this: see JSONScanner.

/// A JSON value.
public enum JSONValue: Sendable, Equatable {
    /// The members in order; no key is there twice.
    case object([JSONMember])
    /// The elements in order.
    case array([JSONValue])
    /// The text, its escapes decoded.
    case string(String)
    /// The number as it is written.
    case number(String)
    /// `true` or `false`.
    case bool(Bool)
    /// `null`.
    case null

    /// A number; `null` for nil, for NaN and for infinities, which JSON has no numbers for.
    public static func number<Value: Numeric & CustomStringConvertible>(_ value: Value?) -> JSONValue {
        guard let value, (value as? any FloatingPoint)?.isFinite ?? true else { return .null }
        return .number(value.description)
    }

    /// Parses a whole text; a byte order mark at its start is dropped. Linear time.
    ///
    /// - Parameters:
    ///   - bytes: the text, as UTF-8.
    ///   - source: the file's name, for the error.
    /// - Throws: ``JSONError`` where it isn't JSON, or has a key twice in one object.
    public init(parsing bytes: [UInt8], source: String? = nil) throws(JSONError) {
        let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        let result = text.withUnsafeBufferPointer { buffer in
            Result { () throws(JSONError) in
                var builder = JSONBuilder(buffer)
                var lexer = JSONLexer(buffer)
                try lexer.walk(&builder, maximumDepth: JSONScanner.maximumDepth)
                if lexer.skipWhitespace() != nil { throw JSONError(.trailingBytes, at: lexer.position) }
                return builder.value
            }
        }
        do {
            self = try result.get()
        } catch {
            throw JSONError(error.kind, at: error.offset, source: source)
        }
    }

    /// The value of an object's key, nil where there is none or this isn't an object. Keys are compared as bytes.
    public subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
    }

    /// The members, nil where this isn't an object.
    public var object: [JSONMember]? {
        if case .object(let members) = self { members } else { nil }
    }
    /// The strings of an object whose keys are 0, 1, …, in the order of these numbers; nil for anything else.
    public var indexedStrings: [String]? {
        guard let members = object else { return nil }
        var strings = [String?](repeating: nil, count: members.count)
        for member in members {
            guard let index = Int(member.key), strings.indices.contains(index), let string = member.value.string else {
                return nil
            }
            strings[index] = string
        }
        let found = strings.compactMap { $0 }
        return found.count == members.count ? found : nil
    }
    /// The elements, nil where this isn't an array.
    public var array: [JSONValue]? {
        if case .array(let values) = self { values } else { nil }
    }
    /// The text, nil where this isn't a string.
    public var string: String? {
        if case .string(let text) = self { text } else { nil }
    }
    /// The number, nil where this isn't one without a fraction that fits.
    public var int: Int? {
        guard case .number(let text) = self else { return nil }
        if let value = Int(text) { return value }
        return Double(text).flatMap { Int(exactly: $0) }
    }
    /// The nearest number of 64 bits, nil where this isn't a number.
    public var double: Double? {
        if case .number(let text) = self { Double(text) } else { nil }
    }
    /// The truth value, nil where this isn't one.
    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }
}

/// A key of an object, and its value.
public struct JSONMember: Sendable, Equatable {
    /// As text: escapes are decoded.
    public var key: String
    /// What the key is given.
    public var value: JSONValue

    /// Puts the two together.
    public init(key: String, value: JSONValue) {
        self.key = key
        self.value = value
    }
}

/// Builds a value from a walk over its text.
private struct JSONBuilder: JSONVisitor {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var open: [Container] = []
    /// The outermost value, once it has ended.
    private(set) var value = JSONValue.null

    /// An array or object whose end hasn't come yet.
    private struct Container {
        let isObject: Bool
        var members: [JSONMember] = []
        var values: [JSONValue] = []
        var key = ""
        var keys = Set<[UInt8]>()
    }

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    mutating func begin(isObject: Bool, at position: Int) {
        open.append(Container(isObject: isObject))
    }

    mutating func end(isObject: Bool, before end: Int) {
        guard let container = open.popLast() else { return }
        add(isObject ? .object(container.members) : .array(container.values))
    }

    mutating func key(_ range: Range<Int>, hasEscapes: Bool) throws(JSONError) {
        guard let last = open.indices.last else { return }
        let key = JSONLexer.decoded(bytes[range], hasEscapes: hasEscapes)
        // The offset is that of the key's quote.
        guard open[last].keys.insert(key).inserted else {
            throw JSONError(.duplicateKey, at: range.lowerBound - 1)
        }
        open[last].key = String(decoding: key, as: UTF8.self)
    }

    mutating func scalar(_ kind: JSONValueKind, _ range: Range<Int>, hasEscapes: Bool) {
        switch kind {
        case .string:
            let content = bytes[range.lowerBound + 1..<range.upperBound - 1]
            add(.string(String(decoding: JSONLexer.decoded(content, hasEscapes: hasEscapes), as: UTF8.self)))
        case .number: add(.number(String(decoding: bytes[range], as: UTF8.self)))
        case .bool: add(.bool(bytes[range.lowerBound] == UInt8(ascii: "t")))
        default: add(.null)
        }
    }

    private mutating func add(_ value: JSONValue) {
        guard let last = open.indices.last else {
            self.value = value
            return
        }
        if open[last].isObject {
            open[last].members.append(JSONMember(key: open[last].key, value: value))
        } else {
            open[last].values.append(value)
        }
    }
}
