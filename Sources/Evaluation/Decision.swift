// What turns a model's probabilities into decisions: calibrated probabilities, a threshold, and sets of labels.

import Platform

/// How a classifier's probabilities are used. It is fitted on a validation set (``DecisionFit``), and belongs to one model.
public struct Decision: Sendable, Equatable {
    /// The labels of the model, in its order.
    public let labels: [String]
    /// T: probabilities are raised to the power 1/T before anything else, which is what dividing the logits by it does (Guo et
    /// al. 2017, https://arxiv.org/abs/1706.04599).
    public var temperature = 1.0
    /// What every label's probability is multiplied by then: its stated share over that in training (Saerens, Latinne &
    /// Decaestecker 2002). All 1 for the same shares.
    public var ratios: [Double]
    /// The label that has a threshold, and the probability from which on it is chosen.
    public var threshold: (label: Int, probability: Double)?
    /// For every label the probability from which on it belongs to the set of plausible labels; nil for no sets.
    public var setThresholds: [Double]?
    /// The share of records whose own label is to be in their set, within every label.
    public var coverage: Double?

    /// A decision that changes nothing.
    public init(labels: [String]) {
        self.labels = labels
        ratios = [Double](repeating: 1, count: labels.count)
    }

    /// The calibrated probabilities, which add up to 1.
    ///
    /// - Parameter probabilities: the model's, in the order of ``labels``.
    public func probabilities(_ probabilities: [Double]) -> [Double] {
        let logs = zip(probabilities, ratios).map { p, ratio in
            log(max(p, .leastNonzeroMagnitude)) / temperature + log(max(ratio, .leastNonzeroMagnitude))
        }
        return LogProbabilities.probabilities(logs)
    }

    /// Whether ``probabilities(_:)`` gives others than the model's.
    public var changesProbabilities: Bool { temperature != 1 || ratios.contains { $0 != 1 } }

    /// The plausible labels, in their order; nil where there are no sets.
    public func set(_ calibrated: [Double]) -> [Int]? {
        setThresholds.map { bounds in calibrated.indices.filter { calibrated[$0] >= bounds[$0] } }
    }

    public static func == (a: Decision, b: Decision) -> Bool {
        a.labels.areSameLabels(as: b.labels) && a.temperature == b.temperature && a.ratios == b.ratios
            && a.threshold?.label == b.threshold?.label && a.threshold?.probability == b.threshold?.probability
            && a.setThresholds == b.setThresholds && a.coverage == b.coverage
    }
}
