// What a model says of one text.

/// The probability of every class for one text.
public struct Score: Sendable, Equatable {
    /// In the order of the model's labels; they sum to 1.
    public let probabilities: [Double]
    /// The index of the class that is chosen.
    public let label: Int
    /// The plausible classes, where the decision has sets.
    public var set: [Int]?
    /// Which of two models it is of; nil where there is one, or both count.
    public var source: Source?
    /// Whether the probabilities are those of a decision, and not the model's own.
    public var isCalibrated = false

    /// One of two models that share the work.
    public enum Source: String, Sendable {
        /// The linear one.
        case baseline
        /// GPT-2.
        case model
    }

    /// The class, or nil where the model is unsure: where other classes are plausible, too, or none is.
    public var verdict: Int? { self.set.map { $0 == [label] ? label : nil } ?? label }

    /// A score without a set of classes.
    package init(probabilities: [Double], label: Int, set: [Int]? = nil, source: Source? = nil) {
        self.probabilities = probabilities
        self.label = label
        self.set = set
        self.source = source
    }
}

/// A probability from which on a label is chosen, whatever the others have.
public struct Threshold: Sendable, Equatable {
    /// The index of the class.
    public let label: Int
    /// The lowest probability that suffices, 0 ... 1.
    public let probability: Double

    /// A threshold for the class with the index `label`.
    public init(label: Int, probability: Double) {
        self.label = label
        self.probability = probability
    }
}
