// A corpus on disk: the rows of the shards, in any order, and the shards' errors.

import Foundation
import Records
import TestSupport
import Testing
import Tokenization

struct TokenCorpusTests {
    private let folder: Folder
    private let tokenizer: Tokenizer
    init() throws {
        folder = try Folder()
        try writeByteTokenizer(folder.path)
        tokenizer = try Tokenizer(directory: folder.path)
    }

    private let texts = ["abc", "", "a longer text", "d", "ef", "ghi", "jklmnop"]

    /// Each text and `<|endoftext|>`, a row each.
    private func shards(_ texts: [String], perShard: Int = 3, length: Int = 16) throws -> [UInt8] {
        try written { sink in
            let description = TokenSetDescription(
                paddedLength: length, padToken: tokenizer.endOfText, labelNames: [], tokenizerSHA256: tokenizer.sha256)
            var writer = ShardWriter(sink, description: description, rowsPerShard: perShard)
            for (line, text) in texts.enumerated() {
                try writer.append(tokenizer.encode(text) + [tokenizer.endOfText], label: -1, line: Int64(line + 1))
            }
            try writer.finish()
        }
    }

    private func corpus(_ bytes: [UInt8], tokenizer other: Tokenizer? = nil) throws -> TokenCorpus {
        try folder.write("shards", Data(bytes))
        return try TokenCorpus(path: folder.path + "/shards", tokenizer: other ?? tokenizer)
    }

    private func rows(_ corpus: TokenCorpus, _ order: some Sequence<Int>) throws -> [[Int32]] {
        try order.map { row in
            var tokens: [Int32] = []
            try corpus.append(row, to: &tokens)
            #expect(tokens.count == corpus.length(row))
            return tokens
        }
    }

    @Test("rows are read in any order, without pads, from any number of shards", arguments: [1, 2, 3, 7, 100])
    func anyOrder(perShard: Int) throws {
        let corpus = try corpus(shards(texts, perShard: perShard))
        let expected = texts.map { tokenizer.encode($0) + [tokenizer.endOfText] }
        #expect(corpus.count == texts.count)
        #expect(try rows(corpus, texts.indices) == expected)
        #expect(try rows(corpus, texts.indices.reversed()) == expected.reversed())
        #expect(corpus.description.paddedLength == 16 && !corpus.isFormerFormat)
    }

    @Test("tokens, predictions and their bytes are counted: no first token of a row, and nothing for <|endoftext|>")
    func counts() throws {
        let corpus = try corpus(shards(["abc", "", "ü"]))
        #expect(corpus.tokens == 4 + 1 + 3)
        // b c end, nothing, the second byte of ü and end.
        #expect(corpus.predictions == 3 + 0 + 2)
        #expect(corpus.predictedBytes == 2 + 0 + 1)
    }

    @Test("the hash tells rows and their order, not shards and padding")
    func hash() throws {
        let hash = try corpus(shards(texts)).sha256
        #expect(try corpus(shards(texts, perShard: 2)).sha256 == hash)
        #expect(try corpus(shards(texts, length: 20)).sha256 == hash)
        #expect(try corpus(shards(texts.reversed())).sha256 != hash)
        #expect(try corpus(shards(["ab", "c"])).sha256 != corpus(shards(["a", "bc"])).sha256)
    }

    @Test("what comes through a pipe is read like a file")
    func pipe() throws {
        let bytes = try shards(texts)
        let path = folder.path + "/pipe"
        #expect(mkfifo(path, 0o600) == 0)
        let writer = Thread { try? Data(bytes).write(to: URL(filePath: path), options: []) }
        writer.start()
        let piped = try TokenCorpus(path: path, tokenizer: tokenizer)
        let file = try corpus(bytes)
        #expect(piped.sha256 == file.sha256)
        #expect(try rows(piped, texts.indices) == rows(file, texts.indices))
    }

    @Test("shards cut anywhere or with a flipped bit are refused as a reader of shards refuses them")
    func damage() throws {
        let bytes = try shards(texts)
        func failure(_ body: () throws -> Void) -> String {
            do {
                try body()
                return "none"
            } catch {
                return "\(error)"
            }
        }
        var generator = SeededGenerator(seed: 7)
        for round in 0..<300 {
            var damaged = bytes
            let place = generator.nextInteger(below: bytes.count)
            if round % 2 == 0 {
                damaged.removeLast(bytes.count - place)
            } else {
                damaged[place] ^= 1 << UInt8(round % 8)
            }
            let path = folder.path + "/shards"
            let found = failure { _ = try corpus(damaged) }
            let expected = failure { _ = try ShardReader.readAll(ByteSource(bytes: damaged, name: path)) }
            #expect(found == expected && found != "none", "round \(round) at \(place)")
        }
        #expect(failure { _ = try corpus([]) }.contains("no records"))
        #expect(failure { _ = try corpus(bytes + bytes) }.contains("bytes follow the last shard"))
    }

    @Test("another tokenizer's shards are refused before their tokens are looked at")
    func otherTokenizer() throws {
        let other = try Folder()
        let swapped = try String(decoding: folder.read("vocab.json"), as: UTF8.self)
            .replacing("\"a\":", with: "\"other\":").replacing("\"b\":", with: "\"a\":")
            .replacing("\"other\":", with: "\"b\":")
        try other.write("vocab.json", swapped)
        try other.write("merges.txt", "#version: 0.2\n")
        #expect(throws: OtherTokenizer.self) {
            try corpus(shards(texts), tokenizer: Tokenizer(directory: other.path))
        }
    }

    @Test("a token beyond the vocabulary is refused with its row")
    func beyondVocabulary() throws {
        let bytes = try written { sink in
            let description = TokenSetDescription(
                paddedLength: 4, padToken: tokenizer.endOfText, labelNames: [], tokenizerSHA256: tokenizer.sha256)
            var writer = ShardWriter(sink, description: description)
            try writer.append([1, 2, 257], label: -1, line: 1)
            try writer.finish()
        }
        #expect {
            try corpus(bytes)
        } throws: {
            ($0 as? ShardError)?.reason == .tokenOutOfRange(row: 0, 257)
        }
    }

    @Test("a file that is written to while it is used is an error, never a crash")
    func changedFile() throws {
        let bytes = try shards(texts, perShard: 100)
        let corpus = try corpus(bytes)
        let handle = try FileHandle(forWritingTo: folder.url.appending(path: "shards"))
        try handle.seek(toOffset: UInt64(bytes.count - 4 * 16 * texts.count))
        try handle.write(contentsOf: Data(repeating: 0x7F, count: 4 * 16 * texts.count))
        try handle.close()
        #expect(throws: ShardError.self) { try rows(corpus, texts.indices) }
    }
}
