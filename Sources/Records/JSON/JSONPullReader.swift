// A strict JSON reader that walks over bytes and builds nothing: safetensors headers with 100,000 tensors and
// vocabularies with 50,000 entries are read in milliseconds. Source: RFC 8259.
// Not here: values in memory, and records (Records has those).

/// What isn't JSON, or isn't the JSON that was expected, and at which byte.
package struct JSONProblem: Error, Equatable {
    package var at: Int
    package var what: String

    package init(at: Int, what: String) { (self.at, self.what) = (at, what) }
}

/// A cursor over JSON text, driven by the caller. Every method skips white space first, and stops at the first wrong byte.
package struct JSONPullReader {
    private let bytes: UnsafeRawBufferPointer
    package private(set) var position = 0

    /// Deeper nesting than this is refused, so that `[[[[…` can't exhaust the stack.
    private static let deepest = 64

    package init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    package func problem(_ what: String) -> JSONProblem {
        JSONProblem(at: position, what: what)
    }

    /// The next byte that isn't white space, not consumed; nil at the end.
    package mutating func peek() -> UInt8? {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            case let byte: return byte
            }
        }
        return nil
    }

    /// Consumes `byte` if it is next.
    package mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: byte) else { return false }
        position += 1
        return true
    }

    package mutating func expect(_ byte: Unicode.Scalar) throws(JSONProblem) {
        guard take(byte) else { throw problem("expected '\(byte)'") }
    }

    /// Nothing but white space may follow.
    package mutating func expectEnd() throws(JSONProblem) {
        guard peek() == nil else { throw problem("something follows the end") }
    }

    /// Reads the name of the next member of an object whose `{` has been consumed; nil at its `}`.
    package mutating func nextName(isFirst: inout Bool) throws(JSONProblem) -> String? {
        var name: [UInt8] = []
        return try nextName(isFirst: &isFirst, into: &name) ? String(decoding: name, as: UTF8.self) : nil
    }

    /// The same with the name as UTF-8 in place of what was in `name`; false at the `}`. Many names need no memory each.
    package mutating func nextName(isFirst: inout Bool, into name: inout [UInt8]) throws(JSONProblem) -> Bool {
        if take("}") { return false }
        if isFirst { isFirst = false } else { try expect(",") }
        try string(into: &name)
        try expect(":")
        return true
    }

    /// Moves to the next element of an array whose `[` has been consumed; false at its `]`.
    package mutating func nextElement(isFirst: inout Bool) throws(JSONProblem) -> Bool {
        if take("]") { return false }
        if isFirst { isFirst = false } else { try expect(",") }
        return true
    }

    /// A whole number without sign, fraction or exponent that fits an Int.
    package mutating func count() throws(JSONProblem) -> Int {
        guard let first = peek(), isDigit(first) else { throw problem("expected a whole number") }
        let start = position
        var value = 0
        while position < bytes.count, isDigit(bytes[position]) {
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = scaled.addingReportingOverflow(Int(bytes[position] - 0x30))
            guard !overflow, !carry else { throw problem("a number is too large") }
            value = sum
            position += 1
        }
        if first == 0x30, position > start + 1 { throw problem("a number starts with 0") }
        if position < bytes.count, [0x2E, 0x65, 0x45].contains(bytes[position]) {
            throw problem("expected a whole number")
        }
        return value
    }

    package mutating func string() throws(JSONProblem) -> String {
        var content: [UInt8] = []
        try string(into: &content)
        return String(decoding: content, as: UTF8.self)
    }

    /// The string as UTF-8, in place of what was in `content`.
    private mutating func string(into content: inout [UInt8]) throws(JSONProblem) {
        try expect("\"")
        content.removeAll(keepingCapacity: true)
        while true {
            // What has no escapes is copied in one piece.
            let start = position
            while position < bytes.count, bytes[position] != 0x22, bytes[position] != 0x5C, bytes[position] >= 0x20 {
                position += 1
            }
            content.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[start..<position]))
            guard position < bytes.count else { throw problem("a string doesn't end") }
            let byte = bytes[position]
            position += 1
            switch byte {
            case 0x22:
                guard UTF8.firstInvalidOffset(in: content[...]) == nil else { throw problem("a string isn't UTF-8") }
                return
            case 0x5C: try escape(into: &content)
            default: throw problem("a control character inside a string")
            }
        }
    }

    /// Checks and passes one value of any kind.
    package mutating func skipValue(depth: Int = 0) throws(JSONProblem) {
        guard depth < Self.deepest else { throw problem("nested too deeply") }
        var isFirst = true
        switch peek() {
        case UInt8(ascii: "{"):
            position += 1
            while try nextName(isFirst: &isFirst) != nil { try skipValue(depth: depth + 1) }
        case UInt8(ascii: "["):
            position += 1
            while try nextElement(isFirst: &isFirst) { try skipValue(depth: depth + 1) }
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        default: try skipNumber()
        }
    }

    // MARK: - Parts

    private mutating func escape(into content: inout [UInt8]) throws(JSONProblem) {
        guard position < bytes.count else { throw problem("a string doesn't end") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0C)
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "u"):
            var value = try hexadecimal()
            if value >> 10 == 0x36 {  // the first half of a surrogate pair
                guard position + 1 < bytes.count, bytes[position] == 0x5C, bytes[position + 1] == 0x75 else {
                    throw problem("half a surrogate pair")
                }
                position += 2
                let low = try hexadecimal()
                guard low >> 10 == 0x37 else { throw problem("half a surrogate pair") }
                value = 0x10000 + (value & 0x3FF) << 10 + low & 0x3FF
            }
            guard let scalar = Unicode.Scalar(value) else { throw problem("half a surrogate pair") }
            if let encoded = UTF8.encode(scalar) { content.append(contentsOf: encoded) }
        default: throw problem("an unknown escape")
        }
    }

    private mutating func hexadecimal() throws(JSONProblem) -> UInt32 {
        guard position + 4 <= bytes.count else { throw problem("a string doesn't end") }
        var value: UInt32 = 0
        for _ in 0..<4 {
            let byte = bytes[position]
            switch byte {
            case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
            case 0x41...0x46: value = value << 4 | UInt32(byte - 0x37)
            case 0x61...0x66: value = value << 4 | UInt32(byte - 0x57)
            default: throw problem("an unknown escape")
            }
            position += 1
        }
        return value
    }

    private mutating func word(_ word: StaticString) throws(JSONProblem) {
        for index in 0..<word.utf8CodeUnitCount {
            guard position < bytes.count, bytes[position] == word.utf8Start[index] else {
                throw problem("expected a value")
            }
            position += 1
        }
    }

    private mutating func skipNumber() throws(JSONProblem) {
        _ = take("-")
        let start = position
        try digits()
        if bytes[start] == 0x30, position > start + 1 { throw problem("a number starts with 0") }
        if position < bytes.count, bytes[position] == 0x2E {
            position += 1
            try digits()
        }
        if position < bytes.count, bytes[position] == 0x65 || bytes[position] == 0x45 {
            position += 1
            if position < bytes.count, bytes[position] == 0x2B || bytes[position] == 0x2D { position += 1 }
            try digits()
        }
    }

    private mutating func digits() throws(JSONProblem) {
        guard position < bytes.count, isDigit(bytes[position]) else { throw problem("expected a value") }
        while position < bytes.count, isDigit(bytes[position]) { position += 1 }
    }

    private func isDigit(_ byte: UInt8) -> Bool {
        byte >= 0x30 && byte <= 0x39
    }
}
