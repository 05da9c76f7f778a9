// Token shards: what is written is read, and nothing else.

import Foundation
import Records
import Safetensors
import TestSupport
import Testing
import Tokenization

private let hash = String(repeating: "0123456789abcdef", count: 4)

private func shards(rows: Int, perShard: Int, length: Int = 3, labels: [String] = ["ham", "spam"]) throws -> [UInt8] {
    try written { sink in
        let description = TokenSetDescription(
            paddedLength: length, padToken: 9, labelNames: labels, tokenizerSHA256: hash)
        var writer = ShardWriter(sink, description: description, rowsPerShard: perShard)
        for row in 0..<rows {
            try writer.append(
                (0...row % length).map { Int32($0 + row % 5) }, label: Int32(row % 3) - 1, line: Int64(row + 1),
                isTruncated: row % 4 == 0)
        }
        try writer.finish()
    }
}

private func read(_ bytes: [UInt8], vocabularySize: Int? = 10) throws -> TokenizedTexts {
    try ShardReader.readAll(ByteSource(bytes: bytes, name: "shards"), vocabularySize: vocabularySize)
}

private func reason(_ bytes: [UInt8], vocabularySize: Int? = 10) -> ShardError.Reason? {
    do {
        _ = try read(bytes, vocabularySize: vocabularySize)
        return nil
    } catch let error as ShardError {
        return error.reason
    } catch {
        Issue.record("\(error)")
        return nil
    }
}

/// A shard by another writer: valid but for what `change` does to it.
private func foreign(
    _ change: (inout [String: String], inout [String: [Int32]]) -> Void = { _, _ in }, lines: [Int64] = [1, 2]
) throws -> [UInt8] {
    var metadata = [
        "format": "gpt2kit.tokens/2", "pad_token_id": "9", "label_names": "[\"ham\",\"spam\"]",
        "tokenizer_sha256": hash, "truncated": "0", "shard": "0", "last": "true", "rows_total": "2",
    ]
    var tensors: [String: [Int32]] = ["input_ids": [1, 2, 3, 4, 9, 9], "lengths": [3, 1], "labels": [0, -1]]
    change(&metadata, &tensors)
    var crc = CRC32()
    lines.withUnsafeBytes { crc.update($0) }
    for name in ["input_ids", "lengths", "labels"] { tensors[name]?.withUnsafeBytes { crc.update($0) } }
    if metadata["crc32"] == nil { metadata["crc32"] = crc.hexadecimal }
    var all = CRC32()
    for key in metadata.keys.sorted() { Array("\(key)=\(metadata[key]!)\n".utf8).withUnsafeBytes { all.update($0) } }
    if metadata["metadata_crc32"] == nil { metadata["metadata_crc32"] = all.hexadecimal }
    var writer = SafetensorsWriter(metadata: metadata)
    writer.add("lines", type: .int64, shape: [lines.count], values: lines)
    for name in ["input_ids", "lengths", "labels"] {
        guard let values = tensors[name] else { continue }
        let shape = name == "input_ids" ? [2, values.count / 2] : [values.count]
        writer.add(name, type: .int32, shape: shape, values: values)
    }
    var result: [UInt8] = []
    try writer.write { result.append(contentsOf: $0) }
    return result
}

struct ShardsTests {
    @Test("the checksum is zlib's")
    func checksum() {
        var crc = CRC32()
        Array("123456789".utf8).withUnsafeBytes { crc.update($0) }
        #expect(crc.hexadecimal == "cbf43926")
        #expect(CRC32().hexadecimal == "00000000")
    }

    @Test("a shard that comes in small pieces makes room for itself a few times, not for each of them")
    func smallPieces() throws {
        let bytes = try shards(rows: 8000, perShard: 8000, length: 30)
        try #require(bytes.count > 1_000_000)
        let all = ByteSource(bytes: bytes, name: "shards")
        // Where the room ends that is left to be filled.
        var ends: Set<UnsafeMutableRawPointer> = []
        let source = ByteSource(name: "shards") { buffer throws(StreamError) in
            if let start = buffer.baseAddress { ends.insert(start + buffer.count) }
            return try all.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(1000)))
        }
        let texts = try ShardReader.readAll(source)
        let whole = try read(bytes, vocabularySize: nil)
        #expect(texts.rows.count == 8000 && texts.rows.lines == whole.rows.lines)
        #expect(ends.count < 30)
    }

    @Test("a written stream is read back", arguments: [(0, 4), (1, 1), (7, 2), (8, 2), (30, 100)])
    func roundTrip(rows: Int, perShard: Int) throws {
        let texts = try read(try shards(rows: rows, perShard: perShard))
        #expect(texts.description.paddedLength == 3 && texts.description.padToken == 9)
        #expect(texts.description.labelNames == ["ham", "spam"] && texts.description.tokenizerSHA256 == hash)
        #expect(texts.rows.count == rows && texts.truncated == (rows + 3) / 4)
        for row in 0..<rows {
            #expect(texts.rows[row].elementsEqual((0...row % 3).map { Int32($0 + row % 5) }))
            #expect(texts.rows.labels[row] == Int32(row % 3) - 1 && texts.rows.lines[row] == Int64(row + 1))
        }
    }

    @Test("a stream of one shard is a safetensors file")
    func singleShard() throws {
        let file = try SafetensorsFile(bytes: try shards(rows: 5, perShard: 10), name: "shard")
        #expect(try file.integers("input_ids", as: Int32.self, shape: [5, 3]).count == 15)
        #expect(file.metadata["rows_total"] == "5" && file.metadata["last"] == "true")
    }

    @Test("a stream cut at any byte is refused [D57]")
    func cutStream() throws {
        let whole = try shards(rows: 5, perShard: 2)
        #expect(try read(whole).rows.count == 5)
        for count in 0..<whole.count {
            #expect(throws: (any Error).self, "\(count) bytes") { _ = try read(Array(whole[..<count])) }
        }
        #expect(reason([]) == .noRecords)
        #expect(reason(Array(whole[..<1])) == .endedEarly)
    }

    /// Only in the key of the metadata's checksum, which other writers leave out, may a bit flip unseen: it changes
    /// nothing else.
    @Test("a flip of any bit is detected or changes nothing [D57]")
    func flippedBit() throws {
        let whole = try shards(rows: 2, perShard: 2)
        var changed = whole
        for index in whole.indices {
            for bit in 0..<8 {
                changed[index] ^= 1 << bit
                do {
                    _ = try read(changed)
                    Issue.record("byte \(index), bit \(bit) went unnoticed")
                } catch {
                    #expect((error as? any DiagnosableError)?.diagnosis.status == .badData, "\(error)")
                }
                changed[index] = whole[index]
            }
        }
    }

    @Test("every field of a foreign shard is checked [D58]")
    func foreignShard() throws {
        #expect(reason(try foreign()) == nil)
        func metadata(_ key: String, _ value: String?) throws -> ShardError.Reason? {
            reason(try foreign { metadata, _ in metadata[key] = value })
        }
        func tensor(_ name: String, _ values: [Int32]?) throws -> ShardError.Reason? {
            reason(try foreign { _, tensors in tensors[name] = values })
        }
        #expect(try metadata("format", "gpt2kit.tokens/3") == .foreignFormat("gpt2kit.tokens/3"))
        #expect(try metadata("format", nil) == .foreignFormat("none"))
        for key in ["pad_token_id", "label_names", "tokenizer_sha256", "truncated", "shard", "last", "rows_total"] {
            #expect(try metadata(key, nil) == .missingField(key))
        }
        for (key, value) in [
            ("pad_token_id", "-1"), ("pad_token_id", "10"), ("pad_token_id", "09"), ("label_names", "ham"),
            ("label_names", "[\"spam\",\"ham\"]"), ("label_names", "[\"a\",\"a\"]"), ("label_names", "[1]"),
            ("tokenizer_sha256", "00"), ("tokenizer_sha256", hash.uppercased()), ("truncated", "3"),
            ("truncated", "+1"), ("shard", "99999999999999999999"), ("last", "yes"), ("last", "1"), ("rows_total", "1"),
        ] { #expect(try metadata(key, value) == .wrongField(key, value: value)) }
        #expect(try metadata("last", "false") == .wrongField("rows_total", value: "2"))
        #expect(try metadata("rows_total", "3") == .rowsTotal(claimed: 3, found: 2))
        #expect(try metadata("shard", "1") == .outOfOrder(expected: 0, found: 1))
        #expect(try metadata("crc32", "00000000") == .dataChecksum)
        #expect(try metadata("metadata_crc32", "00000000") == .metadataChecksum)
        #expect(try tensor("input_ids", [1, 2, 3, 10, 9, 9]) == .tokenOutOfRange(row: 1, 10))
        #expect(try tensor("input_ids", [1, -2, 3, 4, 9, 9]) == .tokenOutOfRange(row: 0, -2))
        #expect(try tensor("input_ids", [1, 2, 3, 4, 9, 8]) == .paddingBroken(row: 1))
        #expect(try tensor("input_ids", []) == .wrongTensor("input_ids"))
        #expect(try tensor("lengths", [0, 1]) == .lengthOutOfRange(row: 0, 0))
        #expect(try tensor("lengths", [3, 4]) == .lengthOutOfRange(row: 1, 4))
        #expect(try tensor("lengths", [3]) == .wrongTensor("lengths"))
        #expect(try tensor("labels", [-2, 0]) == .labelOutOfRange(row: 0, -2))
        #expect(try tensor("labels", [2, 0]) == .labelOutOfRange(row: 0, 2))
        #expect(try tensor("labels", nil) == .wrongTensor("labels"))
        #expect(reason(try foreign(lines: [0, 1])) == .lineOutOfRange(row: 0, 0))
    }

    @Test("the metadata's checksum is required, except in shards of version 1, which are marked")
    func metadataChecksum() throws {
        // Another name for it has no effect on the sum, as if a bit of the key had changed.
        func renamed(_ format: String) throws -> [UInt8] {
            let shard = try foreign { metadata, _ in metadata["format"] = format }
            let text = String(decoding: shard, as: UTF8.self)
            #expect(text.contains("metadata_crc32"))
            let range = try #require(shard.firstRange(of: Array("metadata_crc32".utf8)))
            return Array(shard[..<range.lowerBound] + Array("metadata_crc33".utf8) + shard[range.upperBound...])
        }
        #expect(reason(try renamed("gpt2kit.tokens/2")) == .missingField("metadata_crc32"))
        #expect(try read(renamed("gpt2kit.tokens/1")).isFormerFormat)
        #expect(try read(foreign { metadata, _ in metadata["format"] = "gpt2kit.tokens/1" }).isFormerFormat)
        #expect(try !read(foreign()).isFormerFormat)
    }

    @Test("a shard of absurd size is refused before it is read [D58]")
    func absurdSize() throws {
        let header =
            "{\"input_ids\":{\"dtype\":\"I32\",\"shape\":[1073741824,1048576],"
            + "\"data_offsets\":[0,4503599627370496]}}"
        let bytes = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init) + Array(header.utf8)
        #expect(reason(bytes) == .tooLarge)
    }

    @Test("shards of two streams don't mix, and nothing may follow the last")
    func mixedStreams() throws {
        let one = try shards(rows: 2, perShard: 2)
        #expect(reason(one + one) == .trailingBytes)
        #expect(reason(one + [0]) == .trailingBytes)
        let first = try foreign { metadata, _ in
            metadata["last"] = "false"
            metadata["rows_total"] = nil
        }
        #expect(reason(first) == .endedEarly)
        #expect(reason(first + first) == .outOfOrder(expected: 1, found: 0))
        for (key, value) in [
            ("label_names", "[\"ham\",\"sp\"]"), ("tokenizer_sha256", String(repeating: "a", count: 64)),
        ] {
            let second = try foreign { metadata, _ in
                metadata[key] = value
                metadata["shard"] = "1"
                metadata["rows_total"] = "4"
            }
            #expect(reason(first + second) == .mixed(key))
        }
        let second = try foreign { metadata, _ in
            metadata["shard"] = "1"
            metadata["rows_total"] = "4"
        }
        #expect(try read(first + second).rows.count == 4)
    }

    @Test("records become rows")
    func recordsToRows() throws {
        let tokenizer = try learnedTokenizer().tokenizer
        func make(_ records: String, _ maker: TokenShardMaker) throws -> (TokenizedTexts, TokenShardMaker.Report) {
            var report: TokenShardMaker.Report?
            let reader = RecordReader(LineReader(ByteSource(bytes: Array(records.utf8), name: "stdin")))
            let result = try written { report = try maker.make(reader, into: $0) }
            return (try read(result, vocabularySize: tokenizer.vocabularySize), try #require(report))
        }
        let records = """
            {"text":"the cat","label":"b"}
            {"text":"","label":"é"}
            {"text":"the dog sat on the mat"}
            {"text":"zzz","label":"a"}
            """
        var maker = TokenShardMaker(tokenizer: tokenizer, paddedLength: .longest(maximum: 1024), rowsPerShard: 2)
        let (texts, report) = try make(records, maker)
        #expect(texts.description.labelNames == ["a", "b", "é"])
        #expect(texts.rows.labels == [1, 2, -1, 0] && texts.rows.lines == [1, 2, 3, 4])
        #expect(texts.rows[0].elementsEqual(tokenizer.encode("the cat")))
        #expect(Array(texts.rows[1]) == [tokenizer.endOfText], "R56 an empty text is one pad")
        #expect(texts.description.paddedLength == texts.rows.longest && report.truncated == 0)

        maker.paddedLength = .fixed(2)
        maker.labels = ["é", "b", "a"]
        let (cut, cutReport) = try make(records, maker)
        #expect(cut.truncated == 2 && cutReport.truncated == 2 && cut.rows.longest == 2, "R55 cut and counted")
        #expect(cut.rows.labels == texts.rows.labels)

        maker.isStrict = true
        #expect(throws: TokenShardMakerError.tooLong(source: "stdin", line: 3, length: 5)) {
            var maker = maker
            maker.paddedLength = .fixed(5)
            _ = try make(records.replacingOccurrences(of: "the dog sat on the mat", with: "qwrtp~"), maker)
        }
        maker.labels = ["a"]
        #expect(
            throws: TokenShardMakerError.unknownLabel(source: "stdin", line: 1, label: "b", known: ["a"])
        ) { _ = try make(records, maker) }
        #expect(throws: RecordError.noRecords(source: "stdin")) { _ = try make("", maker) }
    }
}
