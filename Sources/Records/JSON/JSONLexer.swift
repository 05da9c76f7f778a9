// The one lexer of JSON (RFC 8259): white space, strings, numbers, literals, strictly. Whoever reads JSON here, reads with it:
// JSONScanner and JSONValue by way of its walk (JSONVisitor), JSONPullReader token by token.

/// What a JSON value is.
public enum JSONValueKind: Sendable {
    /// As RFC 8259 calls them; `bool` is `true` and `false`.
    case object, array, string, number, bool, null
}

/// A position in a JSON text, and what can be passed from there.
struct JSONLexer {
    let bytes: UnsafeBufferPointer<UInt8>
    /// Bytes before the next one that is looked at.
    var position: Int

    init(_ bytes: UnsafeBufferPointer<UInt8>, from position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    /// The next byte; nil at the end.
    @inline(__always)
    var peek: UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    /// Passes white space.
    ///
    /// - Returns: the byte behind it; nil at the end.
    @inline(__always) @discardableResult
    mutating func skipWhitespace() -> UInt8? {
        while position < bytes.count {
            let byte = bytes[position]
            if byte > 0x20 { return byte }
            switch byte {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return byte
            }
        }
        return nil
    }

    /// That the next byte, or the end, can't stand here.
    var unexpected: JSONError {
        guard let byte = peek else { return JSONError(.unexpectedEnd, at: position) }
        return JSONError(.unexpectedByte(byte), at: position)
    }

    /// Passes a number, `true`, `false` or `null`.
    mutating func skipScalar() throws(JSONError) -> JSONValueKind {
        switch peek {
        case UInt8(ascii: "t"):
            try skipLiteral("true")
            return .bool
        case UInt8(ascii: "f"):
            try skipLiteral("false")
            return .bool
        case UInt8(ascii: "n"):
            try skipLiteral("null")
            return .null
        case .some(UInt8(ascii: "-")), .some(UInt8(ascii: "0")...UInt8(ascii: "9")):
            try skipNumber()
            return .number
        default:
            throw unexpected
        }
    }

    private mutating func skipLiteral(_ literal: StaticString) throws(JSONError) {
        for index in 0..<literal.utf8CodeUnitCount {
            guard peek == literal.utf8Start[index] else { throw unexpected }
            position += 1
        }
    }

    private mutating func skipNumber() throws(JSONError) {
        let start = position
        if peek == UInt8(ascii: "-") { position += 1 }
        if peek == UInt8(ascii: "0") {
            position += 1
            if let next = peek, isDigit(next) { throw JSONError(.invalidNumber, at: start) }
        } else {
            try skipDigits(start)
        }
        if peek == UInt8(ascii: ".") {
            position += 1
            try skipDigits(start)
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            position += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
            try skipDigits(start)
        }
    }

    private mutating func skipDigits(_ start: Int) throws(JSONError) {
        guard let first = peek else { throw JSONError(.unexpectedEnd, at: position) }
        guard isDigit(first) else { throw JSONError(.invalidNumber, at: start) }
        while let byte = peek, isDigit(byte) { position += 1 }
    }

    func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// Passes a string, from its opening quote to behind its closing one. It is valid UTF-8 then.
    ///
    /// - Returns: whether it has escapes.
    @inline(__always)
    mutating func skipString() throws(JSONError) -> Bool {
        let base = UnsafeRawPointer(bytes.baseAddress.unsafelyUnwrapped)
        let count = bytes.count
        var index = position + 1
        var hasEscapes = false
        while true {
            // Eight bytes at once while none of them is a quote, a backslash, a control character or beyond ASCII.
            while index + 8 <= count {
                let word = base.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
                let ones: UInt64 = 0x0101_0101_0101_0101
                let high: UInt64 = 0x8080_8080_8080_8080
                let quote = word ^ (ones &* 0x22)
                let backslash = word ^ (ones &* 0x5C)
                let special =
                    ((word &- (ones &* 0x20)) | (quote &- ones) | (backslash &- ones) | word) & high
                if special == 0 {
                    index += 8
                } else {
                    // The lowest flag may be a false one (a borrow); the loop below looks at the byte itself.
                    index += special.trailingZeroBitCount >> 3
                    break
                }
            }
            guard index < count else { throw JSONError(.unexpectedEnd, at: count) }
            let byte = bytes[index]
            if byte == 0x22 {
                position = index + 1
                return hasEscapes
            } else if byte == 0x5C {
                hasEscapes = true
                index = try endOfEscape(at: index)
            } else if byte < 0x20 {
                throw JSONError(.controlCharacter, at: index)
            } else if byte < 0x80 {
                index += 1
            } else {
                let length = UTF8.sequenceLength(bytes, at: index)
                guard length > 0 else { throw JSONError(.invalidUTF8, at: index) }
                index += length
            }
        }
    }

    private func endOfEscape(at start: Int) throws(JSONError) -> Int {
        guard start + 1 < bytes.count else { throw JSONError(.unexpectedEnd, at: bytes.count) }
        switch bytes[start + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return start + 2
        case UInt8(ascii: "u"):
            let unit = try codeUnit(at: start)
            guard 0xD800..<0xE000 ~= unit else { return start + 6 }
            guard unit < 0xDC00, start + 7 < bytes.count, bytes[start + 6] == 0x5C,
                bytes[start + 7] == UInt8(ascii: "u"), 0xDC00..<0xE000 ~= (try codeUnit(at: start + 6))
            else { throw JSONError(.loneSurrogate, at: start) }
            return start + 12
        default:
            throw JSONError(.invalidEscape, at: start)
        }
    }

    private func codeUnit(at start: Int) throws(JSONError) -> UInt32 {
        var unit: UInt32 = 0
        for index in start + 2..<start + 6 {
            guard index < bytes.count else { throw JSONError(.unexpectedEnd, at: bytes.count) }
            guard let digit = Self.hexDigit(bytes[index]) else { throw JSONError(.invalidEscape, at: start) }
            unit = unit << 4 | digit
        }
        return unit
    }

    // MARK: - What a string says

    /// The text of a string that was passed: `content` without its quotes, escapes decoded.
    static func decoded(_ content: Slice<UnsafeBufferPointer<UInt8>>, hasEscapes: Bool) -> [UInt8] {
        if !hasEscapes { return Array(content) }
        var result: [UInt8] = []
        result.reserveCapacity(content.count)
        appendDecoded(content, to: &result)
        return result
    }

    /// Appends the text of a string that was passed: `content` without its quotes, escapes decoded.
    static func appendDecoded(_ content: Slice<UnsafeBufferPointer<UInt8>>, to result: inout [UInt8]) {
        func unit(at start: Int) -> UInt32 {
            content[start + 2..<start + 6].reduce(0) { $0 << 4 | (hexDigit($1) ?? 0) }
        }
        var index = content.startIndex
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
    }

    static func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte) - 0x30
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte) - 0x57
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte) - 0x37
        default: nil
        }
    }
}
