// What evaluations have shown, and what follows from it: whether a run is over.

/// What evaluations have shown so far.
package struct BestEvaluation: Sendable, Equatable {
    /// The least validation loss, and the step after which it was measured.
    package private(set) var loss: Double?
    package private(set) var step: Int?
    /// Evaluations since.
    package private(set) var evaluationsSince = 0

    package init() {}

    /// Goes on from what a checkpoint kept.
    package init(loss: Double?, step: Int?, evaluationsSince: Int) {
        self.loss = loss
        self.step = step
        self.evaluationsSince = evaluationsSince
    }

    /// Takes a validation loss into account; whether it is the least so far.
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
    /// The limit that a run has reached after so many steps and minutes, if any.
    package func limit(steps: Int, minutes: Double, _ best: BestEvaluation) -> EndReason? {
        if let maxSteps, steps >= maxSteps { return .maxSteps }
        if let patience, best.evaluationsSince >= patience { return .patience }
        if let maxMinutes, minutes >= maxMinutes { return .maxMinutes }
        return nil
    }
}
