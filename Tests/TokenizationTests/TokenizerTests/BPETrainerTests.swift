// Learning merges, against its definition.

import Records
import Testing
import Tokenization

struct BPETrainerTests {
    @Test("the merges of words with runs of one letter are those of counting all pairs anew for each merge")
    func runsOfLetters() throws {
        for seed in 1...12 as ClosedRange<UInt64> {
            var random = SeededGenerator(seed: seed)
            // Letters alone are one piece.
            var words = (1...7).map { String(repeating: "a", count: $0 * Int(seed)) }
            for _ in 0..<25 {
                var word = ""
                for _ in 0...random.nextInteger(below: 5) {
                    let letter = ["a", "b", "c"][random.nextInteger(below: 3)]
                    word += String(repeating: letter, count: 1 + random.nextInteger(below: 9))
                }
                words += Array(repeating: word, count: 1 + random.nextInteger(below: 3))
            }
            var trainer = BPETrainer()
            for word in words { try trainer.add(Array(word.utf8)) }
            let learned = try trainer.train(vocabularySize: 350)
            let expected = naive(words, bytes: Array(learned.tokens.prefix(256)), vocabularySize: 350)
            #expect(learned.tokens == expected.tokens, "seed \(seed)")
            #expect(learned.pairs.elementsEqual(expected.pairs, by: ==), "seed \(seed)")
            #expect(learned.pairs.contains { $0.left == $0.right }, "seed \(seed)")
        }
    }

    /// The definition: the most frequent pair, of several the one with the lowest ids, is merged everywhere from the left, unless
    /// its bytes are a token already; until the vocabulary is full or no pair occurs twice. The last token is no merge's.
    private func naive(
        _ texts: [String], bytes: [[UInt8]], vocabularySize: Int
    ) -> (tokens: [[UInt8]], pairs: [(left: Int32, right: Int32)]) {
        var tokens = bytes
        var words = texts.map { $0.utf8.compactMap { byte in bytes.firstIndex(of: [byte]) } }
        var pairs: [(left: Int32, right: Int32)] = []
        var refused: Set<[Int]> = []
        while tokens.count + 1 < vocabularySize {
            var counts: [[Int]: Int] = [:]
            for word in words { for pair in zip(word, word.dropFirst()) { counts[[pair.0, pair.1], default: 0] += 1 } }
            let candidates = counts.filter { $0.value >= 2 && !refused.contains($0.key) }
            let best = candidates.min { a, b in
                a.value != b.value ? a.value > b.value : a.key.lexicographicallyPrecedes(b.key)
            }
            guard let pair = best?.key else { break }
            let merged = tokens[pair[0]] + tokens[pair[1]]
            if tokens.contains(merged) {
                refused.insert(pair)
                continue
            }
            let id = tokens.count
            tokens.append(merged)
            pairs.append((Int32(pair[0]), Int32(pair[1])))
            words = words.map { word in
                var (result, place): ([Int], Int) = ([], 0)
                while place < word.count {
                    let isPair = place + 1 < word.count && word[place] == pair[0] && word[place + 1] == pair[1]
                    result.append(isPair ? id : word[place])
                    place += isPair ? 2 : 1
                }
                return result
            }
        }
        return (tokens, pairs)
    }
}
