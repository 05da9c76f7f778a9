import Testing

import Records

/// A source that gives its bytes in pieces of random sizes.
func chunked(_ bytes: [UInt8], seed: UInt64 = 1, name: String = "test") -> ByteSource {
    var position = 0
    var generator = SeededGenerator(seed: seed)
    return ByteSource(name: name) { buffer throws(StreamError) in
        let count = min(buffer.count, bytes.count - position, 1 + generator.nextInteger(below: 7))
        for index in 0..<max(0, count) { buffer[index] = bytes[position + index] }
        position += count
        return count
    }
}

func lines(_ text: String, maximum: Int = 1 << 20) throws -> [Line] {
    let reader = LineReader(chunked(Array(text.utf8)), maximumLineLength: maximum)
    var result: [Line] = []
    while let line = try reader.next() { result.append(line) }
    return result
}

struct LineTests {
    @Test("lines are cut at line feeds and nowhere else")
    func lineFeeds() throws {
        let found = try lines("a\u{85}b\u{2028}c\rd\n\ne\r\n")
        #expect(found.map { String(decoding: $0.content, as: UTF8.self) } == ["a\u{85}b\u{2028}c\rd", "", "e"])
        #expect(found.map(\.number) == [1, 2, 3])
        #expect(found[2].bytes == Array("e\r".utf8))
    }

    @Test("a last line without a line feed counts, and empty input has no line [A11] [A12]")
    func lastLine() throws {
        #expect(try lines("a\nb") == lines("a\nb\n"))
        #expect(try lines("").isEmpty)
        #expect(try lines("\n").count == 1)
    }

    @Test("a byte order mark at the start is dropped, and elsewhere it is text [A13]")
    func byteOrderMark() throws {
        #expect(try lines("\u{FEFF}a\n\u{FEFF}b\n").map(\.bytes.count) == [1, 4])
        #expect(try lines("\u{FEFF}").isEmpty)
        let cut = LineReader(chunked([0xEF, 0xBB]))
        #expect(try cut.next()?.bytes == [0xEF, 0xBB])
    }

    @Test("a line that is too long is an error, and the next call continues after it [A16]")
    func tooLongLine() throws {
        let long = String(repeating: "x", count: 300_000)
        let reader = LineReader(chunked(Array("ab\n\(long)\ncd\nabc\n".utf8)), maximumLineLength: 3)
        #expect(try reader.next()?.number == 1)
        #expect(throws: StreamError.lineTooLong(source: "test", line: 2, maximum: 3)) { try reader.next() }
        #expect(try reader.next() == Line(number: 3, bytes: Array("cd".utf8)))
        #expect(try reader.next()?.bytes == Array("abc".utf8))
        #expect(try reader.next() == nil)
    }

    @Test("a long line needs few reads: each asks for as many bytes as are there already")
    func readsOfLongLine() throws {
        let bytes = [UInt8](repeating: 0x78, count: 3_000_000)
        let all = ByteSource(bytes: bytes, name: "test")
        var reads = 0
        let reader = LineReader(
            ByteSource(name: "test") { buffer throws(StreamError) in
                reads += 1
                return try all.read(into: buffer)
            })
        #expect(try reader.next()?.bytes == bytes)
        #expect(reads <= 8)
    }

    @Test("hasBufferedLine tells whether a line is there without reading")
    func bufferedLine() throws {
        var pieces = ["a\nb\nc", "d\n", ""].map { Array($0.utf8) }
        let reader = LineReader(
            ByteSource(name: "test") { buffer throws(StreamError) in
                let piece = pieces.removeFirst()
                buffer.copyBytes(from: piece)
                return piece.count
            })
        #expect(!reader.hasBufferedLine)
        #expect(try reader.next()?.number == 1)
        #expect(reader.hasBufferedLine)
        #expect(try reader.next()?.number == 2)
        #expect(!reader.hasBufferedLine)
        #expect(try reader.next()?.bytes == Array("cd".utf8))
    }
}
