import Testing

import Records

/// What a reader says about `text`, of which it reads an object with a string in its first member.
private func problem(_ text: [UInt8]) -> JSONProblem? {
    text.withUnsafeBytes { bytes in
        var reader = JSONPullReader(bytes)
        do throws(JSONProblem) {
            try reader.expect("{")
            var isFirst = true
            while try reader.nextName(isFirst: &isFirst) != nil {
                if reader.peek() == UInt8(ascii: "\"") { _ = try reader.string() } else { try reader.skipValue() }
            }
            try reader.expectEnd()
            return nil
        } catch {
            return error
        }
    }
}

@Suite("JSON, pulled")
struct JSONPullReaderTests {
    @Test(
        "what is wrong is told with its byte",
        arguments: [
            ("", 0, "expected '{'"), ("{", 1, "expected '\"'"), ("{}x", 2, "something follows the end"),
            ("{\"a\" 1}", 5, "expected ':'"), ("{\"a\":}", 5, "expected a value"), ("{\"a\":1 2}", 7, "expected ','"),
            ("{\"a\":\"b", 7, "a string doesn't end"), ("{\"a\":\"\\x\"}", 8, "an unknown escape"),
            ("{\"a\":\"\\u00g0\"}", 10, "an unknown escape"),
            ("{\"a\":\"\\ud800\\u0041\"}", 18, "half a surrogate pair"),
            ("{\"a\":\"\\ud800\"}", 12, "half a surrogate pair"),
            ("{\"a\":\"\n\"}", 7, "a control character inside a string"), ("{\"a\":-}", 5, "a malformed number"),
            ("{\"a\":[1,01]}", 8, "a malformed number"), ("{\"a\":[1,]}", 8, "expected a value"),
            ("{\"a\":tru}", 8, "expected a value"),
        ])
    func problems(text: String, at: Int, what: String) {
        #expect(problem(Array(text.utf8)) == JSONProblem(at: at, what: what))
    }

    @Test("a string that isn't UTF-8 is told at its end, unless something else in it is wrong")
    func invalidUTF8() {
        let (start, end) = (Array("{\"a\":\"x".utf8), Array("y\"}".utf8))
        #expect(problem(start + [0xFF, 0xFE] + end) == JSONProblem(at: 11, what: "a string isn't UTF-8"))
        #expect(problem(start + [0xFF]) == JSONProblem(at: 8, what: "a string doesn't end"))
        #expect(problem(start + [0xFF, 0x0A] + end)?.what == "a control character inside a string")
    }

    @Test("values that nobody asks for may be nested 64 deep")
    func depth() {
        func nested(_ count: Int) -> [UInt8] {
            Array("{\"a\":".utf8) + [UInt8](repeating: 0x5B, count: count) + [UInt8](repeating: 0x5D, count: count)
                + Array("}".utf8)
        }
        #expect(problem(nested(64)) == nil)
        #expect(problem(nested(65)) == JSONProblem(at: 69, what: "nested too deeply"))
        #expect(problem(nested(100_000))?.what == "nested too deeply")
    }

    @Test("positions within a part of a text are those of the text")
    func range() throws {
        let text = Array("{\"model\": {\"a\": \"\\u00e9b\", \"n\": 12}}".utf8)
        try text.withUnsafeBytes { bytes in
            var reader = JSONPullReader(bytes, in: 10..<bytes.count - 1)
            try reader.expect("{")
            var isFirst = true
            #expect(try reader.nextName(isFirst: &isFirst) == "a")
            #expect(try reader.string() == "éb" && reader.position == 25)
            #expect(try reader.nextName(isFirst: &isFirst) == "n")
            #expect(try reader.count() == 12)
            #expect(try reader.nextName(isFirst: &isFirst) == nil)
            try reader.expectEnd()
        }
    }

    @Test("the scanner and the parser find the same error at the same byte")
    func sameErrors() {
        let text = Array("{\"a\":[-1.5e3,true,null,{\"k\":\"\\ud83d\\ude00é\"}],\"b\":\"\\n\"} ".utf8)
        for index in text.indices {
            for byte in [0x00, 0x22, 0x2C, 0x30, 0x5B, 0x5C, 0x5D, 0x61, 0x7D, 0x80, 0xC3, 0xFF] as [UInt8] {
                var changed = text
                changed[index] = byte
                var scanner = JSONScanner()
                let scanned = changed.withUnsafeBufferPointer { bytes in
                    Result { () throws(JSONError) in try scanner.scanObject(bytes) }
                }
                let parsed = Result { () throws(JSONError) in _ = try JSONValue(parsing: changed) }
                guard case .failure(let expected) = scanned, ![.notAnObject, .duplicateKey].contains(expected.kind)
                else { continue }
                guard case .failure(let got) = parsed else {
                    Issue.record("parsed with \(byte) at \(index)")
                    continue
                }
                #expect(got == expected, "\(byte) at \(index)")
            }
        }
    }
}
