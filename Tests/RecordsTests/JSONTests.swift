import Testing

import Records

/// Scans `text` as an object.
private func scan(_ text: [UInt8]) throws -> [JSONScanner.Member] {
    var scanner = JSONScanner()
    try text.withUnsafeBufferPointer { try scanner.scanObject($0) }
    return scanner.members
}

struct JSONTests {
    @Test(
        "legal values pass as the value of an ignored key [C43]",
        arguments: [
            "0", "-0", "-0.0e+00", "1E5", "12.5e-3", "1\(String(repeating: "0", count: 400))", "true", "false", "null",
            "\"\"", "\"\\u0000\"", "\"\\ud83d\\ude00\"", "\"\\/\\b\\f\\n\\r\\t\\\"\\\\\"", "[]", "{}", "[ [ ] , { } ]",
            "{\"a\":{\"a\":1}}", "\"\u{7F}\"", "\"é€😀\u{2028}\u{85}\"", "[1,2,\n\t\r 3]",
        ])
    func legalValues(value: String) throws {
        let members = try scan(Array(" {\"x\" : \(value) } ".utf8))
        #expect(members.count == 1)
        _ = try JSONValue(parsing: Array(value.utf8))
    }

    @Test(
        "malformed values are errors, never traps [C43]",
        arguments: [
            "", "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x1", "NaN", "Infinity", "tru", "nul", "'a'", "\"", "\"\\",
            "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\ud800\"", "\"\\ud800x\"",
            "[",
            "[1", "[1,", "[1,]", "[,]", "[1 2]", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}",
            "{a:1}",
            "{1:1}", "[}", "{]", "\"\n\"", "\"\u{1}\"", "1 1", "]", "}",
        ])
    func malformedValues(value: String) {
        #expect(throws: JSONError.self) { try scan(Array("{\"x\":\(value)}".utf8 + [0x21])) }
        #expect(throws: JSONError.self) { try scan(Array("{\"x\":\(value)".utf8)) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: Array(value.utf8)) }
    }

    @Test(
        "bytes that aren't UTF-8 are errors [A15]",
        arguments: [
            [0xFF], [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80],
            [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82], [0xC3],
        ] as [[UInt8]])
    func invalidUTF8(bytes: [UInt8]) throws {
        let text = Array("{\"x\":\"".utf8) + bytes + Array("\"}".utf8)
        let error = try #require(throws: JSONError.self) { try scan(text) }
        #expect(error.kind == .invalidUTF8 && error.offset == 6)
        #expect(UTF8.firstInvalidOffset(in: bytes[...]) == 0)
    }

    @Test("100,000 opening brackets are too deep, and 500 aren't [C43]")
    func nesting() throws {
        let deep = String(repeating: "[", count: 100_000)
        #expect(try #require(throws: JSONError.self) { try scan(Array("{\"x\":\(deep)".utf8)) }.kind == .tooDeep)
        #expect(throws: JSONError.self) { try JSONValue(parsing: Array(deep.utf8)) }
        let fine = String(repeating: "[", count: 500) + String(repeating: "]", count: 500)
        #expect(try scan(Array("{\"x\":\(fine)}".utf8)).count == 1)
    }

    @Test("a duplicate key is an error, also when one is written with escapes [C43]")
    func duplicateKeys() throws {
        for text in ["{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}"] {
            #expect(try #require(throws: JSONError.self) { try scan(Array(text.utf8)) }.kind == .duplicateKey)
            #expect(throws: JSONError.self) { try JSONValue(parsing: Array(text.utf8)) }
        }
        // Canonically equivalent, yet different bytes.
        #expect(try scan(Array("{\"\u{E9}\":1,\"e\u{301}\":2}".utf8)).count == 2)
        #expect(try JSONValue(parsing: Array("{\"\u{E9}\":1,\"e\u{301}\":2}".utf8)).object?.count == 2)
    }

    @Test("a duplicate is found among many keys, also when one of them is written with escapes")
    func manyKeys() throws {
        let keys = (0..<50_000).map { "\"k\($0)\":\($0)" }.joined(separator: ",")
        #expect(try scan(Array("{\(keys)}".utf8)).count == 50_000)
        for last in ["k0", "\\u006b25000", "k49999"] {
            let text = Array("{\(keys),\"\(last)\":0}".utf8)
            let error = try #require(throws: JSONError.self) { try scan(text) }
            #expect(error == JSONError(.duplicateKey, at: keys.utf8.count + 3), "\(last)")
        }
    }

    @Test("an object has at most 65,536 members; those inside of its values don't count")
    func mostMembers() throws {
        let keys = (0..<65_536).map { "\"\($0)\":0" }.joined(separator: ",")
        #expect(try scan(Array("{\(keys)}".utf8)).count == 65_536)
        #expect(try scan(Array("{\"a\":{\(keys),\"b\":0},\"c\":0}".utf8)).count == 2)
        let error = try #require(throws: JSONError.self) { try scan(Array("{\(keys),\"b\":0}".utf8)) }
        #expect(error == JSONError(.tooManyMembers, at: keys.utf8.count + 2))
        var records = reader(["{\(keys),\"b\":0}"])
        let refused = try #require(throws: RecordError.self) { try records.next() }
        #expect(refused.diagnosis.position == .line(1) && refused.diagnosis.problem.contains("more than 65536 keys"))
    }

    @Test("the ranges of members are those of their values")
    func memberRanges() throws {
        let text = Array("{ \"a\" : [1,{\"b\":2}] , \"c\":\"x\\n\" }".utf8)
        let members = try scan(text)
        #expect(members.map { String(decoding: text[$0.key], as: UTF8.self) } == ["a", "c"])
        #expect(members.map { String(decoding: text[$0.value], as: UTF8.self) } == ["[1,{\"b\":2}]", "\"x\\n\""])
        #expect(members.map(\.kind) == [.array, .string] && members[1].hasEscapes)
    }

    @Test("the parser reads back what the writer writes")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            let scalars = (0..<20).compactMap { _ in Unicode.Scalar(UInt32(generator.nextInteger(below: 0x11_0000))) }
            let text = String(String.UnicodeScalarView(scalars))
            let number = Double(bitPattern: generator.next())
            var writer = JSONWriter()
            writer.beginObject()
            writer.key(text)
            writer.beginArray()
            writer.string(text)
            writer.number(number)
            writer.number(Int.min)
            writer.bool(true)
            writer.null()
            writer.endArray()
            writer.endObject()
            let value = try JSONValue(parsing: writer.bytes)
            let array = try #require(value[text]?.array)
            #expect(array[0].string.map { Array($0.utf8) } == Array(text.utf8), "seed 7")
            #expect(number.isFinite ? array[1].double == number : array[1] == .null, "seed 7: \(number)")
            #expect(array[2].int == Int.min && array[3].bool == true && array[4] == .null)
            var again = JSONWriter()
            again.value(value)
            #expect(again.bytes == writer.bytes)
        }
    }

    @Test("a valid line cut anywhere is an error")
    func cutLine() throws {
        let text = Array("{\"id\":\"é-1\",\"n\":[-1.5e3,true,null,{\"k\":\"\\ud83d\\ude00\"}],\"label\":\"spam\"}".utf8)
        _ = try scan(text)
        for count in 0..<text.count {
            #expect(throws: JSONError.self) { try scan(Array(text[..<count])) }
        }
    }

    @Test("any changed byte is an error or still JSON, never a trap")
    func changedByte() throws {
        let text = Array("{\"id\":\"é-1\",\"n\":[-1.5e3,true,{\"k\":\"\\ud83d\\ude00\"}]}".utf8)
        for index in text.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = text
                changed[index] = byte
                let scanned = (try? scan(changed)) != nil
                let parsed = (try? JSONValue(parsing: changed)) != nil
                #expect(!scanned || parsed)
            }
        }
    }
}
