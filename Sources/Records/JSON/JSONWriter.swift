// Writes JSON into a byte buffer: compact, keys in the order of the calls, numbers in the shortest form that reads
// back the same.

/// Builds a JSON text. Commas and colons come by themselves.
public struct JSONWriter {
    /// What was written so far.
    public private(set) var bytes: [UInt8] = []
    private var needsComma = false

    public init() {}

    /// Forgets what was written and keeps the memory.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        needsComma = false
    }

    /// Writes `{`.
    public mutating func beginObject() { open(UInt8(ascii: "{")) }
    /// Writes `}`.
    public mutating func endObject() { close(UInt8(ascii: "}")) }
    /// Writes `[`.
    public mutating func beginArray() { open(UInt8(ascii: "[")) }
    /// Writes `]`.
    public mutating func endArray() { close(UInt8(ascii: "]")) }

    /// Writes a key of an object; its value follows.
    public mutating func key(_ key: String) {
        separate()
        append(quoted: key.utf8)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes a string, escaped as RFC 8259 asks for.
    public mutating func string(_ text: String) {
        separate()
        append(quoted: text.utf8)
        needsComma = true
    }

    /// A string of UTF-8 bytes. They have to be valid: nothing is checked here.
    public mutating func string(utf8 text: some Collection<UInt8>) {
        separate()
        append(quoted: text)
        needsComma = true
    }

    /// Writes a whole number.
    public mutating func number(_ value: Int) { raw(Array(String(value).utf8)) }
    /// A number; JSON has no NaN and no infinity, which become `null`.
    public mutating func number(_ value: Double) { raw(Array((value.isFinite ? "\(value)" : "null").utf8)) }
    /// A number; JSON has no NaN and no infinity, which become `null`.
    public mutating func number(_ value: Float) { raw(Array((value.isFinite ? "\(value)" : "null").utf8)) }
    /// Writes `true` or `false`.
    public mutating func bool(_ value: Bool) { raw(Array((value ? "true" : "false").utf8)) }
    /// Writes `null`.
    public mutating func null() { raw(Array("null".utf8)) }

    /// A value that is JSON already.
    public mutating func raw(_ json: some Collection<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
        needsComma = true
    }

    /// Writes a value and all that is in it.
    public mutating func value(_ value: JSONValue) {
        switch value {
        case .object(let members):
            beginObject()
            for member in members {
                key(member.key)
                self.value(member.value)
            }
            endObject()
        case .array(let values):
            beginArray()
            for value in values { self.value(value) }
            endArray()
        case .string(let text): string(text)
        case .number(let text): raw(Array(text.utf8))
        case .bool(let value): bool(value)
        case .null: null()
        }
    }

    /// Ends a line of NDJSON.
    public mutating func newline() {
        bytes.append(0x0A)
        needsComma = false
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func append(quoted text: some Collection<UInt8>) {
        bytes.append(UInt8(ascii: "\""))
        if text.withContiguousStorageIfAvailable({ append(characters: $0) }) == nil {
            Array(text).withUnsafeBufferPointer { append(characters: $0) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func append(characters text: UnsafeBufferPointer<UInt8>) {
        // What needs no escape is copied at once.
        var start = 0
        for (index, byte) in text.enumerated()
        where byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<index]))
            append(escaped: byte)
            start = index + 1
        }
        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start...]))
    }

    private mutating func append(escaped byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0..<0x20, 0x7F:
            let digits = Array("0123456789abcdef".utf8)
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(digits[Int(byte >> 4)])
            bytes.append(digits[Int(byte & 15)])
        default: bytes.append(byte)
        }
    }
}
