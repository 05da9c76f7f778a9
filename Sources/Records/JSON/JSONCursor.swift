// The lexical level of JSON: white space, strings, numbers, literals.

/// A position in a JSON text.
struct JSONCursor {
    private let bytes: UnsafeBufferPointer<UInt8>
    var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    @inline(__always)
    var peek: UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    @inline(__always)
    mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    func unexpected(_ byte: UInt8?) -> JSONError {
        guard let byte else { return JSONError(.unexpectedEnd, at: position) }
        return JSONError(.unexpectedByte(byte), at: position)
    }

    /// A number, `true`, `false` or `null`.
    mutating func skipScalar(_ first: UInt8?) throws(JSONError) -> JSONScanner.ValueKind {
        switch first {
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
            throw unexpected(first)
        }
    }

    private mutating func skipLiteral(_ literal: StaticString) throws(JSONError) {
        for index in 0..<literal.utf8CodeUnitCount {
            guard peek == literal.utf8Start[index] else { throw unexpected(peek) }
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

    private func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// Skips a string, from its opening quote to behind its closing one.
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
            guard let digit = hexDigit(bytes[index]) else { throw JSONError(.invalidEscape, at: start) }
            unit = unit << 4 | digit
        }
        return unit
    }
}

func hexDigit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte) - 0x30
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte) - 0x57
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte) - 0x37
    default: nil
    }
}
