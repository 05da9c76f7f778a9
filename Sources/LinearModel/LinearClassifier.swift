// A linear classifier on n-grams: TF-IDF of words and characters, a linear support vector machine for every class, and a softmax
// of their margins, whose temperature is fitted on margins of texts that a machine wasn't trained on.

import Evaluation

/// The baseline that a language model has to beat.
public struct LinearClassifier: Sendable {
    /// The classes, sorted by their bytes.
    public let labels: [String]
    /// The n-grams that training texts have.
    package let vocabulary: Vocabulary
    /// What a feature counts, for each: the rarer, the more.
    package let rarity: [Float]
    /// [features + 1, machines]: one machine of two classes, the second one's; otherwise one for each. The last row is the bias.
    package let weights: [Float]
    /// What margins are divided by before the softmax.
    public let temperature: Double

    /// Machines that `classes` classes need.
    static func machines(_ classes: Int) -> Int { classes == 2 ? 1 : classes }

    /// A classifier of parts that belong together.
    package init(labels: [String], vocabulary: Vocabulary, rarity: [Float], weights: [Float], temperature: Double) {
        (self.labels, self.vocabulary, self.rarity) = (labels, vocabulary, rarity)
        (self.weights, self.temperature) = (weights, temperature)
    }

    /// TF-IDF of a text, valid UTF-8.
    package func features(_ text: ArraySlice<UInt8>, _ scratch: CountingScratch = CountingScratch()) -> SparseText {
        vocabulary.counts(text, scratch).weighted(by: rarity, words: vocabulary.words)
    }

    /// The margin of every class.
    package func margins(_ text: SparseText) -> [Double] {
        let machines = Self.machines(labels.count)
        let bias = vocabulary.hashes.count * machines
        var sums = (0..<machines).map { Double(weights[bias + $0]) }
        weights.withUnsafeBufferPointer { weights in
            for (index, value) in zip(text.indices, text.values) {
                let start = Int(index) * machines
                for machine in 0..<machines { sums[machine] += Double(weights[start + machine] * value) }
            }
        }
        return labels.count == 2 ? [-sums[0], sums[0]] : sums
    }

    /// The probability of every class for a text, valid UTF-8.
    public func probabilities(_ text: ArraySlice<UInt8>) -> [Double] { probabilities(text, CountingScratch()) }

    /// The same, with room that is kept from text to text.
    package func probabilities(_ text: ArraySlice<UInt8>, _ scratch: CountingScratch) -> [Double] {
        LogProbabilities.probabilities(margins(features(text, scratch)).map { $0 / temperature })
    }
}
