// Pieces that are merged block by block have the tokens that they have when they are merged as a whole.

import Records
import Testing
import Tokenization

struct LongPieceTests {
    /// Text of one piece: letters, at random, or a pattern repeated, now and then with a letter that breaks it.
    private static func text(_ alphabet: Int, count: Int, _ random: inout SeededGenerator) -> [UInt8] {
        let pattern = (0..<1 + random.nextInteger(below: 7)).map { _ in random.nextInteger(below: alphabet) }
        let breaks = [1, 2, 50, 1 << 20][random.nextInteger(below: 4)]
        return (0..<count).map { index in
            let isBreak = random.nextInteger(below: breaks) == 0
            let letter = isBreak ? random.nextInteger(below: alphabet) : pattern[index % pattern.count]
            return UInt8(ascii: "a") + UInt8(letter)
        }
    }

    /// A tokenizer learned from such texts; every other one has its merges in an order that no training gives.
    private static func tokenizer(_ round: Int, _ alphabet: Int, _ random: inout SeededGenerator) throws -> Tokenizer {
        var trainer = BPETrainer()
        for _ in 0..<8 { try trainer.add(text(alphabet, count: 100 + random.nextInteger(below: 300), &random)) }
        let learned = try trainer.train(vocabularySize: 258 + random.nextInteger(below: 60))
        var lines = learned.mergeLines
        if round % 2 == 1 {
            let merges = lines.split(separator: 0x0A)
            let order = random.permutation(merges.count - 1)
            lines = Array(merges[0]) + [0x0A] + order.flatMap { Array(merges[1 + $0]) + [0x0A] }
        }
        return try Tokenizer(
            vocabulary: MappedFile(copying: learned.vocabulary, name: "vocab.json"),
            merges: MappedFile(copying: lines, name: "merges.txt"))
    }

    @Test("a piece merged in blocks has the tokens of the whole piece, or the first of them on request")
    func mergedInBlocks()
        throws
    {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        for round in 0..<60 {
            let alphabet = 1 + random.nextInteger(below: 4)
            let tokenizer = try Self.tokenizer(round, alphabet, &random)
            for _ in 0..<4 {
                let text = Self.text(alphabet, count: 20_000 + random.nextInteger(below: 20_000), &random)
                var whole = TokenEncoder(tokenizer, leastBlock: .max)
                var blocks = TokenEncoder(tokenizer, leastBlock: 1)
                let ids = whole.encode(text)
                #expect(blocks.encode(text) == ids, "seed \(seed), round \(round)")
                let limit = random.nextInteger(below: ids.count + 2)
                var first: [Int32] = [7]
                text.withUnsafeBufferPointer { blocks.encode($0, into: &first, limit: limit) }
                #expect(first == [7] + ids.prefix(limit), "seed \(seed), round \(round)")
            }
        }
    }

    @Test("a block is cut elsewhere or grows where the end of a text decides how its beginning is merged")
    func growingBlocks() throws {
        // Each letter merges with the next one, the later in the alphabet the sooner: which of them do depends on where
        // the text ends.
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        let pairs = zip(letters, letters.dropFirst()).map { String(decoding: [$0, $1], as: UTF8.self) }
        let bytes = try BPETrainer().train(vocabularySize: 257).vocabulary.dropLast()
        let entries = pairs.enumerated().map { ",\"\($1)\":\(257 + $0)" }.joined() + "}"
        let lines = "#version: 0.2\n" + pairs.reversed().map { "\($0.prefix(1)) \($0.suffix(1))\n" }.joined()
        let tokenizer = try Tokenizer(
            vocabulary: MappedFile(copying: bytes + Array(entries.utf8), name: "vocab.json"),
            merges: MappedFile(copying: Array(lines.utf8), name: "merges.txt"))
        var whole = TokenEncoder(tokenizer, leastBlock: .max)
        var blocks = TokenEncoder(tokenizer, leastBlock: 1)
        for start in 0..<letters.count {
            for length in [letters.count, letters.count - 1] {
                let text = Array(letters[start...]) + (0..<4_000).map { letters[$0 % length] }
                #expect(blocks.encode(text) == whole.encode(text), "\(start), \(length)")
            }
        }
    }

    @Test("the first tokens of a text of many words are those of the whole text")
    func firstTokens() throws {
        let tokenizer = try learnedTokenizer().tokenizer
        let text = Array(TokenizerTests.texts.joined(separator: " \n ").utf8)
        let ids = tokenizer.encode(String(decoding: text, as: UTF8.self))
        var encoder = TokenEncoder(tokenizer)
        for limit in 0...ids.count + 1 {
            var first: [Int32] = []
            text.withUnsafeBufferPointer { encoder.encode($0, into: &first, limit: limit) }
            #expect(first == Array(ids.prefix(limit)), "\(limit)")
        }
    }
}
