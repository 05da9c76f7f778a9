// The best evaluation of a run, and whether the run is over because none is better.

/// The best evaluation so far.
package struct BestEvaluation: Sendable, Equatable {
    /// The lowest validation loss; nil before the first evaluation.
    package private(set) var loss: Double?
    /// The step after which it was measured.
    package private(set) var step: Int?
    /// Evaluations since then, none of them better.
    package private(set) var evaluationsSince = 0

    package init() {}

    /// The state that a checkpoint has kept.
    package init(loss: Double?, step: Int?, evaluationsSince: Int) {
        self.loss = loss
        self.step = step
        self.evaluationsSince = evaluationsSince
    }

    /// Takes a validation loss into account.
    ///
    /// - Returns: whether it is the lowest so far.
    package mutating func note(_ loss: Double, step: Int) -> Bool {
        if let least = self.loss, loss >= least {
            evaluationsSince += 1
            return false
        }
        self.loss = loss
        self.step = step
        evaluationsSince = 0
        return true
    }
}

extension TrainingSettings {
    /// The limit that a run has reached after `steps` steps and `minutes` minutes, if any.
    package func limit(steps: Int, minutes: Double, _ best: BestEvaluation) -> EndReason? {
        if let maxSteps, steps >= maxSteps { return .maxSteps }
        if let patience, best.evaluationsSince >= patience { return .patience }
        if let maxMinutes, minutes >= maxMinutes { return .maxMinutes }
        return nil
    }
}
