// Word dropout (Iyyer, Manjunatha, Boyd-Graber & Daumé 2015, "Deep Unordered Composition Rivals Syntactic Methods for Text
// Classification", https://doi.org/10.3115/v1/P15-1162): every step drops some words of its texts, so that no class is
// learned from a single word. The words behind them move up.
//
// Whether a word is dropped depends only on the seed, the step, the text's row in the training set and the word's
// index. In Philox's terms (see Dropout), with p as ⌊p·2³²⌉:
//
//     key      seed, low and high 32 bits
//     counter  index / 4, 2³² − 1, row, step
//     dropped  where word[index % 4] < p

import Tokenization

/// Drops words of texts, others in every step.
///
/// A word begins at the beginning of a text, and at every token that begins with white space.
struct WordDropout: Sendable {
    private let threshold: UInt32
    private let key: SIMD2<UInt32>
    private let padToken: Int32
    private let keepsLength: Bool
    private let beginsWord: [Bool]

    /// - Parameters:
    ///   - probability: of dropping a word, 0 ..< 1.
    ///   - base: tells the tokens, and whether pads are read. Then pads take the place of what is dropped.
    init(probability: Double, seed: UInt64, for base: Classifier) {
        threshold = Philox.threshold(probability)
        key = Philox.key(seed)
        padToken = base.padToken
        keepsLength = base.pooling.readsPads
        // A model may have more tokens than its tokenizer.
        beginsWord = (0..<Int32(base.config.vocabularySize)).map { token in
            base.tokenizer.decode([token])?.first.map { (9...13).contains($0) || $0 == 32 } ?? false
        }
    }

    /// A batch without the words that are dropped.
    ///
    /// - Parameter rows: the texts' rows in the training set.
    func batch(_ whole: TokenBatch, rows: [Int], step: Int) -> TokenBatch {
        var tokens: [Int32] = []
        let lengths = rows.enumerated().map { index, row in
            let text = whole.tokens[whole.layout.offsets[index]..<whole.layout.offsets[index + 1]]
            let remaining = remaining(text, row: row, step: step)
            tokens += remaining
            return remaining.count
        }
        return TokenBatch(tokens: tokens, layout: TextLayout(lengths: lengths))
    }

    /// What remains of a text: all of it where no word would.
    func remaining(_ text: ArraySlice<Int32>, row: Int, step: Int) -> [Int32] {
        let end = keepsLength ? text.lastIndex { $0 != padToken }.map { $0 + 1 } ?? text.startIndex : text.endIndex
        var kept: [Int32] = []
        var word = -1
        var isKept = true
        for index in text.startIndex..<end {
            let token = text[index]
            if index == text.startIndex || beginsWord[Int(token)] {
                word += 1
                isKept = keeps(word, row: row, step: step)
            }
            if isKept { kept.append(token) }
        }
        if kept.isEmpty { return Array(text) }
        if keepsLength { kept += repeatElement(padToken, count: text.count - kept.count) }
        return kept
    }

    private func keeps(_ word: Int, row: Int, step: Int) -> Bool {
        let counter = SIMD4(
            UInt32(truncatingIfNeeded: word / 4), .max, UInt32(truncatingIfNeeded: row),
            UInt32(truncatingIfNeeded: step))
        return Philox.words(counter, key: key)[word % 4] >= threshold
    }
}
