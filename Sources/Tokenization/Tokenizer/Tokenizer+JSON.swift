// Writes a tokenizer as tokenizer.json, the one file that Hugging Face's fast tokenizers read.

import Records

extension Tokenizer {
    /// tokenizer.json of vocab.json and merges.txt. There `<|endoftext|>` is a token of its own within a text too.
    ///
    /// - Parameter endOfText: the id of `<|endoftext|>`.
    package static func json(vocabulary: [UInt8], merges: [UInt8], endOfText: Int32) -> [UInt8] {
        func byteLevel(addingSpace: Bool, trimming: Bool) -> JSONValue {
            .object([
                JSONMember(key: "type", value: .string("ByteLevel")),
                JSONMember(key: "add_prefix_space", value: .bool(addingSpace)),
                JSONMember(key: "trim_offsets", value: .bool(trimming)),
                JSONMember(key: "use_regex", value: .bool(true)),
            ])
        }
        let endToken = JSONValue.object(
            [
                JSONMember(key: "id", value: .number(endOfText)),
                JSONMember(key: "content", value: .string(endOfTextName)),
            ]
                + [
                    ("single_word", false), ("lstrip", false), ("rstrip", false), ("normalized", false),
                    ("special", true),
                ]
                .map { JSONMember(key: $0, value: .bool($1)) })
        let head: [(String, JSONValue)] = [
            ("version", .string("1.0")), ("truncation", .null), ("padding", .null),
            ("added_tokens", .array([endToken])),
            ("normalizer", .null), ("pre_tokenizer", byteLevel(addingSpace: false, trimming: true)),
            ("post_processor", byteLevel(addingSpace: true, trimming: false)),
            ("decoder", byteLevel(addingSpace: true, trimming: true)),
        ]
        var json = JSONWriter()
        json.beginObject()
        for (key, value) in head {
            json.key(key)
            json.value(value)
        }
        json.key("model")
        // The vocabulary is JSON already, and stays as it is.
        var bytes = json.bytes
        bytes +=
            #"{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":"","end_of_word_suffix":"","#
            .utf8
        bytes += #""fuse_unk":false,"byte_fallback":false,"ignore_merges":false,"vocab":"#.utf8
        bytes += vocabulary
        bytes += #","merges":["#.utf8
        var isFirst = true
        for line in merges.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            if isFirst, line.starts(with: "#version".utf8) { continue }
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            bytes.append(UInt8(ascii: "\""))
            for byte in line {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
                bytes.append(byte)
            }
            bytes.append(UInt8(ascii: "\""))
        }
        bytes += "]}}\n".utf8
        return bytes
    }
}
