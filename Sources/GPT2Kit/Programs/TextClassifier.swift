// The few calls that most programs need: labels of texts, the words that make them, and a model of one's own texts.

import Evaluation
import Records
import Synchronization
import Tokenization

/// Labels texts with a model directory that `finetune`, Hugging Face's library or
/// ``train(_:validation:base:settings:to:report:)`` has written.
///
/// What `calibrate` has fitted for the model is applied. Calls from several threads take turns.
public final class TextClassifier: Sendable {
    /// The names of the classes, in the order of the model's outputs.
    public let labels: [String]
    private let scorer: Mutex<Box>

    /// The scorer, which one call uses at a time.
    private struct Box: @unchecked Sendable { let scorer: Scorer }

    /// Reads a model, whose weights are mapped and checked.
    ///
    /// - Parameters:
    ///   - directory: the model directory.
    ///   - precision: the number type of matrix products; by default bf16 where that is faster.
    ///   - threads: how many threads compute; nil for one for every core.
    /// - Throws: ``ModelError``, and others that are `DiagnosableError` where a file can't be read; ``OutOfMemory``.
    public init(directory: String, precision: Precision = .automatic, threads: Int? = nil) throws {
        let workers = Workers(count: threads ?? Workers.cores)
        let classifier = try Classifier(directory: directory, workers: workers)
        try classifier.weightsCheck?.wait()
        labels = classifier.labels
        let scorer = try Scorer(
            classifier, decision: ClassifierDescription.decision(of: directory), precision: precision, workers: workers)
        self.scorer = Mutex(Box(scorer: scorer))
    }

    /// What the model says of a text.
    ///
    /// - Throws: ``OutOfMemory``; ``ModelError/notFinite(_:file:)`` where the model's numbers are damaged.
    public func classify(_ text: String) throws -> Classification {
        try classify([text])[0]
    }

    /// What the model says of each text, in their order. Many texts at once are faster than one after another.
    ///
    /// - Throws: as ``classify(_:)-(String)`` does.
    public func classify(_ texts: [String]) throws -> [Classification] {
        let scores = try scorer.withLock { try $0.scorer.score(texts.map { Array($0.utf8) }) }
        return scores.map { Classification($0, labels) }
    }

    /// How much each word of a text counts for the label that it gets.
    ///
    /// - Returns: the words in their order, and by how much the log-odds of the label, in nats, are higher with the word than
    ///   without it.
    /// - Throws: as ``classify(_:)-(String)`` does.
    public func explain(_ text: String) throws -> [(word: String, weight: Double)] {
        let bytes = Array(text.utf8)
        let explanation = try scorer.withLock { try Explainer($0.scorer).explain(bytes) }
        return explanation.words.map { (String(decoding: bytes[$0.word.range], as: UTF8.self), $0.weight) }
    }
}

/// What a model says of one text.
public struct Classification: Sendable, Equatable {
    /// The label that is chosen.
    public let label: String
    /// Its probability.
    public let probability: Double
    /// The probability of every label; they sum to 1.
    public let probabilities: [String: Double]
    /// Whether other labels are plausible, too, or none is: only where `calibrate --coverage` has fitted sets of labels.
    public let isUnsure: Bool

    init(_ score: Score, _ labels: [String]) {
        label = labels[score.label]
        probability = score.probabilities[score.label]
        probabilities = Dictionary(zip(labels, score.probabilities)) { first, _ in first }
        isUnsure = score.verdict == nil
    }
}
