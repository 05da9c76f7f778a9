// What a stream needs of whatever scores its texts.

import Tokenization

/// Scores texts, whatever the model: GPT-2, a linear one, or both.
public protocol TextScorer: AnyObject {
    /// The names of the classes, in the order of the probabilities.
    var labels: [String] { get }
    /// Texts so far that were longer than the model reads, and were cut.
    var truncated: Int { get }
    /// The check of the weights; nil where there is none.
    var weightsCheck: WeightsCheck? { get }
    /// What is kept of a text, valid UTF-8, until it is scored.
    func encode(_ text: ArraySlice<UInt8>) -> [Int32]
    /// The scores of texts, given as what ``encode(_:)`` has made of them.
    ///
    /// - Throws: ``OutOfMemory``; ``ModelError/notFinite(_:file:)``.
    func score(tokens texts: [[Int32]]) throws -> [Score]
}

extension Scorer: TextScorer {
    /// The names of the classes, in the order of the probabilities.
    public var labels: [String] { classifier.labels }
    /// The check of the weights; nil where nothing can be checked.
    public var weightsCheck: WeightsCheck? { classifier.weightsCheck }
}
