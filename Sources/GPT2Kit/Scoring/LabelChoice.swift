// Which label is chosen, given probabilities.

import Evaluation

/// Makes scores of a model's probabilities.
package struct LabelChoice: Sendable {
    /// What is made of the probabilities before; nil for nothing.
    let decision: Decision?
    /// The probabilities from which on certain labels are chosen.
    let thresholds: [Threshold]

    /// - Parameter thresholds: where there are none, the decision's counts.
    package init(decision: Decision?, thresholds: [Threshold]) {
        self.decision = decision
        let own = decision?.threshold.map { [Threshold(label: $0.label, probability: $0.probability)] } ?? []
        self.thresholds = thresholds.isEmpty ? own : thresholds
    }

    /// The score that follows from a model's probabilities.
    func score(_ probabilities: [Double], by source: Score.Source? = nil) -> Score {
        guard let decision else {
            return Score(probabilities: probabilities, label: choose(probabilities), source: source)
        }
        let calibrated = decision.probabilities(probabilities)
        var score = Score(
            probabilities: calibrated, label: choose(calibrated), set: decision.set(calibrated), source: source)
        score.isCalibrated = decision.changesProbabilities
        return score
    }

    /// Chooses the likeliest label that reaches its threshold; if none does, the likeliest label without a threshold;
    /// if all have one, the likeliest label.
    package func choose(_ probabilities: [Double]) -> Int {
        func best(_ labels: some Sequence<Int>) -> Int? {
            labels.max { (probabilities[$0], $1) < (probabilities[$1], $0) }
        }
        if thresholds.isEmpty { return LogProbabilities.likeliest(probabilities) }
        let reached = thresholds.filter { probabilities[$0.label] >= $0.probability }.map(\.label)
        let free = probabilities.indices.filter { label in !thresholds.contains { $0.label == label } }
        return best(reached) ?? best(free) ?? LogProbabilities.likeliest(probabilities)
    }
}
