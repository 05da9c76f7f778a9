// Which words make a label: each is deleted, and what is left is scored anew ("leave one out"; Li, Monroe & Jurafsky 2016,
// https://arxiv.org/abs/1612.08220). Deleted, not masked: the model scores a text that someone could have written.

import Platform
import Records

/// A word of a text.
public struct Word: Sendable, Equatable {
    /// Its bytes in the text: a run without white space.
    public let range: Range<Int>

    /// The words of valid UTF-8.
    static func words(of text: [UInt8]) -> [Word] {
        var words: [Word] = []
        var start: Int?
        var position = 0
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            if scalar.properties.isWhitespace {
                if let start { words.append(Word(range: start..<position)) }
                start = nil
            } else if start == nil {
                start = position
            }
            position += UTF8.width(scalar)
        }
        if let start { words.append(Word(range: start..<position)) }
        return words
    }
}

/// What the words of a text contribute to a label.
public struct Explanation: Sendable {
    /// The score of the whole text.
    public let score: Score
    /// The label that is explained, by its index.
    public let label: Int
    /// The words, and by how much the log-odds of the label, log p/(1 − p) in nats, are higher with the word than without.
    public let words: [(word: Word, weight: Double)]
    /// A text with fewer words that gets another label; nil where none was looked for or found.
    public var counterfactual: Counterfactual?

    /// Words whose deletion changes the label.
    public struct Counterfactual: Sendable {
        /// The deleted words, in the order of their deletion.
        public let removed: [Word]
        /// What is left.
        public let text: [UInt8]
        /// The label that it gets.
        public let label: Int
    }
}

/// Explains scores.
public final class Explainer {
    private let scorer: Scorer

    /// Explains the scores of `scorer`.
    public init(_ scorer: Scorer) { self.scorer = scorer }

    /// The weight of every word.
    ///
    /// - Parameters:
    ///   - text: valid UTF-8.
    ///   - label: the index of the label to explain; nil for the one that the text gets.
    /// - Throws: as ``Scorer/score(_:)`` does.
    public func explain(_ text: [UInt8], label: Int? = nil) throws -> Explanation {
        let text = EditableText(text)
        let scores = try scores(of: text)
        let label = label ?? scores.text.label
        let whole = Self.logOdds(scores.text, label)
        let weights = scores.edits.map { whole - Self.logOdds($0, label) }
        return Explanation(
            score: scores.text, label: label,
            words: text.words.enumerated().map { ($1, $0 < weights.count ? weights[$0] : 0) })
    }

    /// Few words whose deletion changes the label: always the one with the largest weight in what is left, until another label
    /// is chosen. Greedy: a smaller choice may exist.
    ///
    /// - Parameters:
    ///   - text: valid UTF-8.
    ///   - most: how many words may go.
    /// - Returns: nil where so many don't change it.
    public func counterfactual(_ text: [UInt8], most: Int) throws -> Explanation.Counterfactual? {
        var left = EditableText(text)
        var words = left.words
        var removed: [Word] = []
        var original: Int?
        while !words.isEmpty, removed.count < most {
            let scores = try scores(of: left)
            let label = original ?? scores.text.label
            original = label
            let odds = scores.edits.map { Self.logOdds($0, label) }
            let best = odds.indices.reduce(0) { odds[$1] < odds[$0] ? $1 : $0 }
            removed.append(words.remove(at: best))
            left = EditableText(left.removing(best))
            if scores.edits[best].label != label {
                return Explanation.Counterfactual(removed: removed, text: left.bytes, label: scores.edits[best].label)
            }
        }
        return nil
    }

    /// The scores of a text, and of a copy without each of its words, up to the last one that the model reads: without one behind
    /// that the score is the same.
    private func scores(of text: EditableText) throws -> (text: Score, edits: [Score]) {
        let count = text.words(before: scorer.readLength(of: text.bytes))
        return try scorer.score(
            text.bytes, edits: (0..<count).lazy.map { text.removing($0, keeping: self.scorer.mostBytes) })
    }

    /// log p/(1 − p).
    static func logOdds(_ score: Score, _ label: Int) -> Double {
        let others = score.probabilities.indices.reduce(0) { $1 == label ? $0 : $0 + score.probabilities[$1] }
        return log(max(score.probabilities[label], .leastNonzeroMagnitude)) - log(max(others, .leastNonzeroMagnitude))
    }
}
