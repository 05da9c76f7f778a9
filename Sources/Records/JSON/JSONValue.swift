// A JSON document in memory, for configurations and vocabularies: objects keep their order, numbers their digits.
// Streams of records don't go through this: see JSONScanner.

/// A JSON value.
public enum JSONValue: Sendable, Equatable {
    case object([JSONMember])
    case array([JSONValue])
    case string(String)
    /// The number as it is written.
    case number(String)
    case bool(Bool)
    case null

    /// Parses a whole text; a byte order mark at its start is dropped. Linear time.
    ///
    /// - Parameter source: the file's name, for the error.
    public init(parsing bytes: [UInt8], source: String? = nil) throws(JSONError) {
        let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        let result = text.withUnsafeBufferPointer { buffer in
            Result { () throws(JSONError) in
                var parser = JSONParser(buffer)
                return try parser.parse()
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

    public var object: [JSONMember]? {
        if case .object(let members) = self { members } else { nil }
    }
    public var array: [JSONValue]? {
        if case .array(let values) = self { values } else { nil }
    }
    public var string: String? {
        if case .string(let text) = self { text } else { nil }
    }
    /// A number without a fraction that fits.
    public var int: Int? {
        guard case .number(let text) = self else { return nil }
        if let value = Int(text) { return value }
        return Double(text).flatMap { Int(exactly: $0) }
    }
    public var double: Double? {
        if case .number(let text) = self { Double(text) } else { nil }
    }
    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }
    public var isNull: Bool { self == .null }
}

/// A key of an object, and its value.
public struct JSONMember: Sendable, Equatable {
    public var key: String
    public var value: JSONValue

    public init(key: String, value: JSONValue) {
        self.key = key
        self.value = value
    }
}

private struct JSONParser {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var cursor: JSONCursor

    /// An array or object whose end hasn't come yet.
    private struct Open {
        var isObject: Bool
        var members: [JSONMember] = []
        var values: [JSONValue] = []
        var key = ""
        var keys = Set<[UInt8]>()
    }

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
        cursor = JSONCursor(bytes)
    }

    mutating func parse() throws(JSONError) -> JSONValue {
        var stack: [Open] = []
        cursor.skipWhitespace()
        nextValue: while true {
            var value: JSONValue
            switch cursor.peek {
            case UInt8(ascii: "\""):
                value = .string(try parseString())
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard stack.count < JSONScanner.maximumDepth else { throw JSONError(.tooDeep, at: cursor.position) }
                var open = Open(isObject: cursor.peek == UInt8(ascii: "{"))
                cursor.position += 1
                cursor.skipWhitespace()
                if cursor.peek == (open.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                    cursor.position += 1
                    value = open.isObject ? .object([]) : .array([])
                } else {
                    if open.isObject { try parseKey(into: &open) }
                    stack.append(open)
                    continue nextValue
                }
            case let other:
                let start = cursor.position
                switch try cursor.skipScalar(other) {
                case .number: value = .number(String(decoding: bytes[start..<cursor.position], as: UTF8.self))
                case .bool: value = .bool(other == UInt8(ascii: "t"))
                default: value = .null
                }
            }

            while let last = stack.indices.last {
                if stack[last].isObject {
                    stack[last].members.append(JSONMember(key: stack[last].key, value: value))
                } else {
                    stack[last].values.append(value)
                }
                cursor.skipWhitespace()
                let isObject = stack[last].isObject
                switch cursor.peek {
                case UInt8(ascii: ","):
                    cursor.position += 1
                    cursor.skipWhitespace()
                    if isObject { try parseKey(into: &stack[last]) }
                    continue nextValue
                case UInt8(ascii: "}") where isObject, UInt8(ascii: "]") where !isObject:
                    cursor.position += 1
                    value = isObject ? .object(stack[last].members) : .array(stack[last].values)
                    stack.removeLast()
                case let other:
                    throw cursor.unexpected(other)
                }
            }
            cursor.skipWhitespace()
            if cursor.peek != nil { throw JSONError(.trailingBytes, at: cursor.position) }
            return value
        }
    }

    private mutating func parseKey(into open: inout Open) throws(JSONError) {
        guard cursor.peek == UInt8(ascii: "\"") else { throw cursor.unexpected(cursor.peek) }
        let start = cursor.position
        open.key = try parseString()
        guard open.keys.insert(Array(open.key.utf8)).inserted else { throw JSONError(.duplicateKey, at: start) }
        cursor.skipWhitespace()
        guard cursor.peek == UInt8(ascii: ":") else { throw cursor.unexpected(cursor.peek) }
        cursor.position += 1
        cursor.skipWhitespace()
    }

    private mutating func parseString() throws(JSONError) -> String {
        let start = cursor.position + 1
        let hasEscapes = try cursor.skipString()
        let content = bytes[start..<cursor.position - 1]
        if !hasEscapes { return String(decoding: content, as: UTF8.self) }
        return String(decoding: unescapedJSON(content, hasEscapes: true), as: UTF8.self)
    }
}

/// The text of a validated JSON string: `content` without its quotes, escapes decoded.
func unescapedJSON(_ content: Slice<UnsafeBufferPointer<UInt8>>, hasEscapes: Bool) -> [UInt8] {
    if !hasEscapes { return Array(content) }
    var result: [UInt8] = []
    result.reserveCapacity(content.count)
    var index = content.startIndex
    func unit(at start: Int) -> UInt32 {
        content[start + 2..<start + 6].reduce(0) { $0 << 4 | (hexDigit($1) ?? 0) }
    }
    while index < content.endIndex {
        guard content[index] == 0x5C else {
            result.append(content[index])
            index += 1
            continue
        }
        switch content[index + 1] {
        case UInt8(ascii: "b"): result.append(0x08)
        case UInt8(ascii: "f"): result.append(0x0C)
        case UInt8(ascii: "n"): result.append(0x0A)
        case UInt8(ascii: "r"): result.append(0x0D)
        case UInt8(ascii: "t"): result.append(0x09)
        case UInt8(ascii: "u"):
            var value = unit(at: index)
            index += 4
            if 0xD800..<0xDC00 ~= value {
                value = 0x10000 + (value - 0xD800) << 10 + (unit(at: index + 2) - 0xDC00)
                index += 6
            }
            if let scalar = Unicode.Scalar(value) { result.append(contentsOf: Array(String(scalar).utf8)) }
        case let literal: result.append(literal)
        }
        index += 2
    }
    return result
}
