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
        let words = Word.words(of: text)
        let scores = try scorer.score(text, edits: words.map { Self.removing([$0], from: text) })
        let label = label ?? scores.text.label
        let whole = Self.logOdds(scores.text, label)
        return Explanation(
            score: scores.text, label: label,
            words: zip(words, scores.edits).map { ($0, whole - Self.logOdds($1, label)) })
    }

    /// Few words whose deletion changes the label: always the one with the largest weight in what is left, until another label
    /// is chosen. Greedy: a smaller choice may exist.
    ///
    /// - Parameters:
    ///   - text: valid UTF-8.
    ///   - most: how many words may go.
    /// - Returns: nil where so many don't change it.
    public func counterfactual(_ text: [UInt8], most: Int) throws -> Explanation.Counterfactual? {
        var left = Word.words(of: text)
        var removed: [Word] = []
        let original = try scorer.score([text])[0].label
        while !left.isEmpty, removed.count < most {
            let base = Self.removing(removed, from: text)
            let scores = try scorer.score(base, edits: left.map { Self.removing(removed + [$0], from: text) })
            let odds = scores.edits.map { Self.logOdds($0, original) }
            let best = odds.indices.reduce(0) { odds[$1] < odds[$0] ? $1 : $0 }
            removed.append(left.remove(at: best))
            if scores.edits[best].label != original {
                return Explanation.Counterfactual(
                    removed: removed, text: Self.removing(removed, from: text), label: scores.edits[best].label)
            }
        }
        return nil
    }

    /// log p/(1 − p).
    static func logOdds(_ score: Score, _ label: Int) -> Double {
        let others = score.probabilities.indices.reduce(0) { $1 == label ? $0 : $0 + score.probabilities[$1] }
        return log(max(score.probabilities[label], .leastNonzeroMagnitude)) - log(max(others, .leastNonzeroMagnitude))
    }

    /// The text without some words, and without the white space before each; before the first one that is left none stays.
    static func removing(_ removed: [Word], from text: [UInt8]) -> [UInt8] {
        let gone = Set(removed.map(\.range))
        var result: [UInt8] = []
        var end = 0
        for word in Word.words(of: text) {
            defer { end = word.range.upperBound }
            if gone.contains(word.range) { continue }
            if !result.isEmpty || end == 0 { result += text[end..<word.range.lowerBound] }
            result += text[word.range]
        }
        return result + text[end...]
    }
}
