// The prompts of an input: lines of text, or records.

import GPT2Kit
import Records

/// A prompt, and what is written beside its continuation.
struct Prompt {
    /// Its line, from 1.
    let line: Int
    /// UTF-8.
    let text: [UInt8]
    /// Whether bytes of it weren't UTF-8.
    var isRepaired = false
    /// The members of a record that are passed on; nil for a line of text.
    var members: [(key: ArraySlice<UInt8>, value: ArraySlice<UInt8>)]?

    /// A line of NDJSON.
    func json(_ continuation: TextGenerator.Continuation) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.key("line")
        json.number(line)
        json.key("continuation")
        json.string(String(decoding: continuation.utf8, as: UTF8.self))
        json.key("tokens")
        json.number(continuation.tokens.count)
        json.key("end")
        json.string(continuation.end.rawValue)
        json.endObject()
        json.newline()
        var output: [UInt8] = [UInt8(ascii: "{")]
        if let members {
            for member in members { output += member.key + [UInt8(ascii: ":")] + member.value + [UInt8(ascii: ",")] }
        } else {
            var own = JSONWriter()
            own.string(utf8: text[...])
            output += Array("\"text\":".utf8) + own.bytes + [UInt8(ascii: ",")]
        }
        return output + json.bytes.dropFirst()
    }
}

/// Reads prompts, one after another.
struct Prompts {
    private let reader: LineReader
    private let kind: Generate.Kind
    private var records: RecordReader

    /// Keys of results, which aren't passed on from records.
    private static let ownKeys = ["line", "continuation", "tokens", "end"].map { Array($0.utf8) }

    init(_ reader: LineReader, kind: Generate.Kind, fields: RecordFields) {
        self.reader = reader
        self.kind = kind
        records = RecordReader(reader, fields: fields)
    }

    /// The next prompt; nil at the end.
    mutating func next() throws -> Prompt? {
        guard let line = try reader.next() else { return nil }
        if kind == .ndjson { return try record(line) }
        let content = line.content
        guard UTF8.firstInvalidOffset(in: content) != nil else {
            return Prompt(line: line.number, text: Array(content))
        }
        return Prompt(
            line: line.number, text: Array(String(decoding: content, as: UTF8.self).utf8), isRepaired: true)
    }

    private mutating func record(_ line: Line) throws -> Prompt {
        let record = try records.record(line)
        let text = try record.textBytes()
        let members = records.members.filter { member in !Self.ownKeys.contains { record.isNamed(member, $0) } }
            .map { member in
                let key = member.key.lowerBound - 1..<member.key.upperBound + 1
                return (line.bytes[key], line.bytes[member.value])
            }
        return Prompt(line: line.number, text: text, members: members)
    }
}
