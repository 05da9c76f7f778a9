// A linear model and GPT-2 together: the one asked where the other is unsure, or both averaged.

import Evaluation

/// Scores texts with a linear model and GPT-2, which know the same labels.
public final class CombinedScorer: TextScorer {
    /// How the two work together.
    public enum Way: Sendable {
        /// GPT-2 is asked where the linear model's likeliest label has less than this probability.
        case cascade(above: Double)
        /// The mean of log-probabilities, in which the linear model counts this share, scaled to a sum of 1.
        case average(share: Double)
    }

    /// The names of the classes, in the order of the probabilities: GPT-2's.
    public let labels: [String]
    private let linear: LinearScorer
    private let model: any TextScorer
    /// The place of every label in the linear model's labels.
    private let places: [Int]
    private let way: Way
    private let choice: LabelChoice

    /// - Parameters:
    ///   - linear: the fast model; its thresholds don't count.
    ///   - model: GPT-2, without thresholds and decision.
    ///   - way: how the two share the work.
    ///   - thresholds: probabilities from which on labels are chosen, by the index of ``labels``, which are GPT-2's.
    ///   - directory: the linear model's, for a message.
    /// - Throws: ``ModelError/mismatch(_:remedy:choice:file:)`` where they know different labels.
    public init(
        _ linear: LinearScorer, _ model: any TextScorer, _ way: Way, thresholds: [Threshold] = [], directory: String
    ) throws(ModelError) {
        guard let places = linear.labels.places(ofLabels: model.labels) else {
            func list(_ labels: [String]) -> String { labels.joined(separator: ", ") }
            throw .mismatch(
                "its labels are \(list(linear.labels)), and the model's \(list(model.labels))",
                remedy: "train both on the same records", file: directory)
        }
        (self.linear, self.model, self.way, self.places) = (linear, model, way, places)
        labels = model.labels
        choice = LabelChoice(decision: nil, thresholds: thresholds)
    }

    /// Texts so far that GPT-2 was asked about, and that were longer than it reads.
    public var truncated: Int { model.truncated }
    /// The check of GPT-2's weights.
    public var weightsCheck: WeightsCheck? { model.weightsCheck }

    /// The text's bytes. GPT-2's tokens are made of them when it is asked.
    public func encode(_ text: ArraySlice<UInt8>) -> [Int32] { linear.encode(text) }

    /// The scores of texts, given as what ``encode(_:)`` has made of them.
    ///
    /// - Throws: what GPT-2's scorer throws.
    public func score(tokens texts: [[Int32]]) throws -> [Score] {
        func tokens(_ text: Int) -> [Int32] { PackedBytes.withBytes(texts[text], model.encode) }
        let fast = linear.probabilities(texts).map { row in places.map { row[$0] } }
        switch way {
        case .cascade(let bound):
            var result = fast.map { choice.score($0, by: .baseline) }
            let unsure = fast.indices.filter { (fast[$0].max() ?? 0) < bound }
            for (text, score) in zip(unsure, try model.score(tokens: unsure.map(tokens))) {
                result[text] = choice.score(score.probabilities, by: .model)
            }
            return result
        case .average(let share):
            return zip(fast, try model.score(tokens: fast.indices.map(tokens))).map { linear, score in
                choice.score(LogProbabilities.average(linear, score.probabilities, share: share))
            }
        }
    }
}
