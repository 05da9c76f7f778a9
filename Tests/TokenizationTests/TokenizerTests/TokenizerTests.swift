// The tokenizer against the reference ids, where GPT-2's vocabulary is at hand, and against itself everywhere.

import Foundation
import Records
import TestSupport
import Testing
import Tokenization

/// The directory of GPT-2's vocab.json and merges.txt: $GPT2_TOKENIZER, or ../shared/mirror/gpt2 beside the checkout.
private let gpt2Directory: String? = {
    let checkout = #filePath.components(separatedBy: "/Tests/")[0]
    let candidates = [ProcessInfo.processInfo.environment["GPT2_TOKENIZER"], checkout + "/../shared/mirror/gpt2"]
    return candidates.compactMap { $0 }.first { directory in
        ["merges.txt", "tokenizer.json"].contains { FileManager.default.fileExists(atPath: "\(directory)/\($0)") }
    }
}()

/// A small tokenizer, learned from `texts`.
func learnedTokenizer(
    _ texts: [String] = TokenizerTests.texts, size: Int = 400
) throws -> (tokenizer: Tokenizer, merges: BPETrainer.Merges) {
    var trainer = BPETrainer()
    for text in texts { try trainer.add(Array(text.utf8)) }
    let merges = try trainer.train(vocabularySize: size)
    return (try tokenizer(merges.vocabulary, merges.mergeLines), merges)
}

private func tokenizer(_ vocabulary: [UInt8], _ merges: [UInt8]) throws(TokenizerError) -> Tokenizer {
    try Tokenizer(
        vocabulary: MappedFile(copying: vocabulary, name: "vocab.json"),
        merges: MappedFile(copying: merges, name: "merges.txt"))
}

struct TokenizerTests {
    static let texts = [
        "Free entry in 2 a wkly comp! Text WIN to 80086 now", "I'll be there at 7, don't wait for me",
        "the cat sat on the mat and the dog sat on the cat", "xxxxxxxxxxxxxxxx ^^^^^^^^   \n\n\n  1111 日本語日本語 😀😀😀",
        "there they're then these those that the other", "we've you've I'd she'd it's that's can't won't",
    ]

    @Test(
        "ids are those of tiktoken",
        .enabled(if: gpt2Directory != nil, "needs GPT-2's vocab.json and merges.txt in $GPT2_TOKENIZER"))
    func referenceIDs() throws {
        let tokenizer = try Tokenizer(directory: try #require(gpt2Directory))
        #expect(tokenizer.vocabularySize == 50257 && tokenizer.endOfText == 50256)
        var encoder = TokenEncoder(tokenizer)
        let lines = LineReader(try ByteSource(path: fixture("gpt2_tokens.ndjson")))
        var count = 0
        while let line = try lines.next() {
            let value = try JSONValue(parsing: Array(line.content))
            let text = try #require(value["text"]?.string)
            let ids = try #require(value["ids"]?.array).compactMap { $0.int.map(Int32.init) }
            #expect(encoder.encode(Array(text.utf8)) == ids, "line \(line.number)")
            #expect(tokenizer.decode(ids) == Array(text.utf8), "line \(line.number)")
            count += 1
        }
        #expect(count == 562)
    }

    @Test("random text makes the round trip")
    func randomTexts() throws {
        let tokenizer = try learnedTokenizer().tokenizer
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        var encoder = TokenEncoder(tokenizer)
        for round in 0..<400 {
            var scalars = String.UnicodeScalarView()
            for _ in 0..<random.nextInteger(below: 120) {
                let limit = [0x80, 0x80, 0x800, 0x10000, 0x110000][random.nextInteger(below: 5)]
                if let scalar = Unicode.Scalar(UInt32(random.nextInteger(below: limit))) { scalars.append(scalar) }
            }
            let text = Array(String(scalars).utf8)
            let ids = encoder.encode(text)
            #expect(tokenizer.decode(ids) == text, "seed \(seed), round \(round)")
        }
    }

    @Test("both ways of merging a piece, short by rescanning and long by a heap, are the definition's")
    func mergedPieces() throws {
        let (tokenizer, merges) = try learnedTokenizer()
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        var encoder = TokenEncoder(tokenizer)
        for count in 40..<60 {
            let text = [UInt8](repeating: UInt8(ascii: "x"), count: count)
            #expect(encoder.encode(text) == naive(text, merges), "\(count)")
        }
        // Letters alone are one piece, which the trained words have merges for.
        let parts = ["the", "th", "e", "re", "cat", "at", "on", "dog", "x", "xxx", "日本語", "本", "wkly", "ing", "s", "t"]
        for round in 0..<60 {
            let length = round < 20 ? 2 + random.nextInteger(below: 47) : 49 + random.nextInteger(below: 240)
            var text: [UInt8] = []
            while text.count < length { text += Array(parts[random.nextInteger(below: parts.count)].utf8) }
            #expect(encoder.encode(text) == naive(text, merges), "seed \(seed), round \(round)")
        }
    }

    /// The definition: merge the pair that was learned first, the leftmost first, until none is left.
    private func naive(_ text: [UInt8], _ merges: BPETrainer.Merges) -> [Int32] {
        var parts = text.map { [$0] }
        let tokens = merges.tokens
        let ranks = Dictionary(
            uniqueKeysWithValues: merges.pairs.enumerated().map {
                ([tokens[Int($1.left)], tokens[Int($1.right)]], $0)
            })
        while true {
            let candidates = zip(parts.indices, parts.indices.dropFirst()).compactMap { left, right in
                ranks[[parts[left], parts[right]]].map { (rank: $0, at: left) }
            }
            guard let best = candidates.min(by: { ($0.rank, $0.at) < ($1.rank, $1.at) }) else { break }
            parts.replaceSubrange(best.at...best.at + 1, with: [parts[best.at] + parts[best.at + 1]])
        }
        return parts.compactMap { tokens.firstIndex(of: $0).map(Int32.init) }
    }

    /// With quadratic work a million repetitions would take hours.
    @Test(
        "text repeated a million times makes the round trip [D52]", .timeLimit(.minutes(5)),
        arguments: ["x", "^", " ", "\n", "7", "漢", "😀", "the"])
    func repeatedText(unit: String) throws {
        let tokenizer = try learnedTokenizer().tokenizer
        var encoder = TokenEncoder(tokenizer)
        let text = Array(String(repeating: unit, count: 1_000_000).utf8)
        #expect(tokenizer.decode(encoder.encode(text)) == text)
    }

    @Test("the end-of-text word inside a text is ordinary text [D53]")
    func endOfText() throws {
        let tokenizer = try learnedTokenizer().tokenizer
        let ids = tokenizer.encode("a<|endoftext|>b<|endoftext|>")
        #expect(!ids.contains(tokenizer.endOfText))
        #expect(tokenizer.decode(ids) == Array("a<|endoftext|>b<|endoftext|>".utf8))
        #expect(tokenizer.decode([tokenizer.endOfText]) == Array("<|endoftext|>".utf8))
        #expect(tokenizer.decode([Int32(tokenizer.vocabularySize)]) == nil && tokenizer.decode([-1]) == nil)
    }

    @Test("files cut anywhere are refused as a mismatch [D54]")
    func cutFiles() throws {
        let merges = try learnedTokenizer(size: 290).merges
        let (vocabulary, lines) = (merges.vocabulary, merges.mergeLines)
        for count in stride(from: 0, to: vocabulary.count, by: 7) {
            do throws(TokenizerError) {
                _ = try tokenizer(Array(vocabulary[..<count]), lines)
                Issue.record("vocab.json of \(count) bytes was accepted")
            } catch { #expect(error.diagnosis.status == .configuration) }
        }
        // Without its last line feed the file is whole.
        for count in 0..<lines.count - 1 {
            #expect(throws: TokenizerError.self, "\(count) bytes") {
                _ = try tokenizer(vocabulary, Array(lines[..<count]))
            }
        }
    }

    @Test("each kind of wrong entry has its own error [D54]")
    func wrongEntries() throws {
        let merges = try learnedTokenizer(size: 260).merges
        let (vocabulary, lines) = (String(decoding: merges.vocabulary, as: UTF8.self), merges.mergeLines)
        func error(_ vocabulary: String, _ lines: [UInt8]) -> TokenizerError? {
            do throws(TokenizerError) {
                _ = try tokenizer(Array(vocabulary.utf8), lines)
                return nil
            } catch { return error }
        }
        func edit(_ old: String, _ new: String) -> TokenizerError? {
            let edited = vocabulary.replacingOccurrences(of: old, with: new)
            #expect(edited != vocabulary)
            return error(edited, lines)
        }
        #expect(error(vocabulary, lines) == nil)
        #expect(edit("\"A\":32", "\"A\":33") == .duplicateID(path: "vocab.json", id: 33))
        #expect(edit("\"A\":32", "\"B\":32") == .duplicateToken(path: "vocab.json", token: "B"))
        #expect(edit("\"A\":32", "\"A\":320") == .idOutOfRange(path: "vocab.json", id: 320, count: 260))
        #expect(edit("\"A\":32", "\"A漢\":32") == .unknownCharacter(path: "vocab.json", token: "A漢"))
        #expect(edit("\"A\":32", "\"AA\":32") == .missingByte(path: "vocab.json", byte: 65))
        #expect(edit("<|endoftext|>", "<|end|>") == .missingEndOfText(path: "vocab.json"))
        let more = vocabulary.dropLast() + ",\"zzz\":260}"
        #expect(error(String(more), lines) == .unmadeToken(path: "merges.txt", token: "zzz"))
        let special = vocabulary.dropLast() + ",\"<|pad|>\":260}"
        #expect(error(String(special), lines) == nil)
        for (line, expected): (String, TokenizerError) in [
            ("ab", .mergeMalformed(path: "merges.txt", line: 5)),
            ("a b c", .mergeMalformed(path: "merges.txt", line: 5)),
            (" b", .mergeMalformed(path: "merges.txt", line: 5)),
            ("q q", .mergeOfUnknownToken(path: "merges.txt", line: 5, token: "qq")),
            ("qq q", .mergeOfUnknownToken(path: "merges.txt", line: 5, token: "qq")),
        ] { #expect(error(vocabulary, lines + Array(line.utf8)) == expected) }
        let second = lines.split(separator: 10)[1]
        #expect(error(vocabulary, lines + second) == .duplicateMerge(path: "merges.txt", line: 5))
        #expect(error(vocabulary, lines + [0xFF, 0x20, 0x61]) == .mergesNotUTF8(path: "merges.txt"))
    }

    @Test("learning is deterministic and merges the most frequent pair first")
    func learning() throws {
        let (tokenizer, merges) = try learnedTokenizer(["ab ab ab cd cd cd", "ab"], size: 300)
        // " a" occurs twice, "ab" four times, "cd" and " c" three times; ' ' has a higher id than letters.
        let names = merges.tokens.dropFirst(256).map { String(decoding: $0, as: UTF8.self) }
        #expect(names == ["ab", "cd", " cd", " ab"])
        #expect(tokenizer.vocabularySize == 261 && tokenizer.endOfText == 260)
        #expect(try learnedTokenizer(["ab ab ab cd cd cd", "ab"], size: 300).merges == merges)
        #expect(String(decoding: merges.mergeLines, as: UTF8.self) == "#version: 0.2\na b\nc d\nĠ cd\nĠ ab\n")
        #expect(throws: BPETrainerError.vocabularyTooSmall(256)) { try BPETrainer().train(vocabularySize: 256) }
        #expect(try BPETrainer().train(vocabularySize: 300).tokens.count == 256)
    }
}
