// A strict JSON reader that is led by whoever knows what comes next, and builds nothing: safetensors headers with 100,000
// tensors and vocabularies with 50,000 entries are read in milliseconds. The lexer is that of all JSON here (JSONLexer).
// Not here: values in memory (JSONValue), and records (JSONScanner).

/// What isn't JSON, or isn't the JSON that was expected, and at which byte.
package struct JSONProblem: Error, Equatable {
    /// Bytes of the text before the one that is wrong.
    package var at: Int
    /// What is wrong, without a full stop.
    package var what: String

    /// Says that `what` is wrong at the byte `at`.
    package init(at: Int, what: String) { (self.at, self.what) = (at, what) }
}

/// A cursor over JSON text, driven by the caller. Every method skips white space first, and stops at the first wrong byte.
package struct JSONPullReader {
    private var lexer: JSONLexer

    /// Deeper nesting than this is refused in values that nobody asks for.
    private static let maximumDepth = 64

    /// A reader of all of `bytes`.
    package init(_ bytes: UnsafeRawBufferPointer) {
        self.init(bytes, in: bytes.indices)
    }

    /// A reader of a part of `bytes`, whose positions are those of the whole.
    package init(_ bytes: UnsafeRawBufferPointer, in range: Range<Int>) {
        let text = UnsafeRawBufferPointer(rebasing: bytes[..<range.upperBound])
        lexer = JSONLexer(text.assumingMemoryBound(to: UInt8.self), from: range.lowerBound)
    }

    /// Bytes before the next one that is read.
    package var position: Int { lexer.position }

    /// That `what` is wrong here.
    package func problem(_ what: String) -> JSONProblem {
        JSONProblem(at: position, what: what)
    }

    /// The next byte that isn't white space, not consumed; nil at the end.
    package mutating func peek() -> UInt8? {
        lexer.skipWhitespace()
    }

    /// Consumes `byte` if it is next.
    package mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: byte) else { return false }
        lexer.position += 1
        return true
    }

    /// Consumes `byte`.
    ///
    /// - Throws: ``JSONProblem`` where something else is next.
    package mutating func expect(_ byte: Unicode.Scalar) throws(JSONProblem) {
        guard take(byte) else { throw problem("expected '\(byte)'") }
    }

    /// Nothing but white space may follow.
    ///
    /// - Throws: ``JSONProblem`` where something does.
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
        guard let first = peek(), lexer.isDigit(first) else { throw problem("expected a whole number") }
        let start = position
        var value = 0
        while let byte = lexer.peek, lexer.isDigit(byte) {
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = scaled.addingReportingOverflow(Int(byte - 0x30))
            guard !overflow, !carry else { throw problem("a number is too large") }
            value = sum
            lexer.position += 1
        }
        if first == 0x30, position > start + 1 { throw problem("a number starts with 0") }
        if let byte = lexer.peek, [0x2E, 0x65, 0x45].contains(byte) { throw problem("expected a whole number") }
        return value
    }

    /// The text of a string.
    package mutating func string() throws(JSONProblem) -> String {
        var content: [UInt8] = []
        try string(into: &content)
        return String(decoding: content, as: UTF8.self)
    }

    /// The string as UTF-8, in place of what was in `content`.
    private mutating func string(into content: inout [UInt8]) throws(JSONProblem) {
        guard peek() == UInt8(ascii: "\"") else { throw problem("expected '\"'") }
        content.removeAll(keepingCapacity: true)
        let start = position + 1
        let hasEscapes: Bool
        do {
            hasEscapes = try lexer.skipString()
        } catch {
            throw problemOfString(error)
        }
        let text = lexer.bytes[start..<position - 1]
        if hasEscapes {
            JSONLexer.appendDecoded(text, to: &content)
        } else {
            content.append(contentsOf: UnsafeBufferPointer(rebasing: text))
        }
    }

    /// Checks and passes one value of any kind.
    package mutating func skipValue() throws(JSONProblem) {
        var nobody = NoVisitor()
        do {
            try lexer.walk(&nobody, maximumDepth: Self.maximumDepth)
        } catch {
            throw Self.problem(error)
        }
    }

    /// What the lexer says about a string, told where this reader stands then: behind what it has read. What isn't UTF-8 is told
    /// behind the string's end, unless something else in it is wrong too.
    private mutating func problemOfString(_ first: JSONError) -> JSONProblem {
        var error = first
        while error.kind == .invalidUTF8 {
            // As if the string began with the wrong byte.
            lexer.position = error.offset
            do throws(JSONError) {
                _ = try lexer.skipString()
                return Self.problem(JSONError(.invalidUTF8, at: position))
            } catch let next {
                error = next
            }
        }
        if error.kind == .unexpectedEnd { return JSONProblem(at: error.offset, what: "a string doesn't end") }
        error.offset = behind(error)
        return Self.problem(error)
    }

    private func behind(_ error: JSONError) -> Int {
        let (bytes, start) = (lexer.bytes, error.offset)
        switch error.kind {
        case .controlCharacter: return start + 1
        case .invalidEscape:
            guard bytes[start + 1] == UInt8(ascii: "u") else { return start + 2 }
            return (start + 2..<start + 6).first { JSONLexer.hexDigit(bytes[$0]) == nil } ?? start
        case .loneSurrogate:
            // The first half of a pair, and another escape that isn't the second one.
            let isFirstHalf = (JSONLexer.hexDigit(bytes[start + 3]) ?? 0) < 0xC
            let isFollowed = start + 7 < bytes.count && bytes[start + 6] == 0x5C && bytes[start + 7] == 0x75
            return start + (isFirstHalf && isFollowed ? 12 : 6)
        default: return start
        }
    }

    /// The lexer's error in the words of this reader.
    private static func problem(_ error: JSONError) -> JSONProblem {
        let what =
            switch error.kind {
            case .invalidNumber: "a malformed number"
            case .controlCharacter: "a control character inside a string"
            case .invalidEscape: "an unknown escape"
            case .loneSurrogate: "half a surrogate pair"
            case .invalidUTF8: "a string isn't UTF-8"
            case .tooDeep: "nested too deeply"
            default: "expected a value"
            }
        return JSONProblem(at: error.offset, what: what)
    }
}

/// Wants to know nothing.
private struct NoVisitor: JSONVisitor {
    @inline(__always) mutating func begin(isObject: Bool, at position: Int) {}
    @inline(__always) mutating func end(isObject: Bool, before end: Int) {}
    @inline(__always) mutating func key(_ range: Range<Int>, hasEscapes: Bool) {}
    @inline(__always) mutating func scalar(_ kind: JSONValueKind, _ range: Range<Int>, hasEscapes: Bool) {}
}
