// When a run is over, and which of its weights are kept.

/// Why a training run ended.
public enum EndReason: String, Sendable {
    case epochs
    case maxSteps = "max-steps"
    case maxMinutes = "max-minutes"
    /// The validation loss didn't improve any more.
    case patience
}

/// The weights that a run ends with.
public enum KeptWeights: String, Sendable, CaseIterable {
    case last
    /// Those with the least loss over the whole validation set, of all evaluations and the end.
    case best
}

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

extension TrainingRun {
    /// Why the run is over after the steps that it has made; nil where it isn't. At least one step is made.
    func endReason(minutes: Double, _ evaluations: BestEvaluation) -> EndReason? {
        if state.step >= epochSteps { return .epochs }
        return state.step == 0 ? nil : settings.limit(steps: state.step, minutes: minutes, evaluations)
    }
}

/// Somebody wants the run to stop, and an evaluation was left for later.
struct StopRequested: Error {}

/// A copy of what is trained.
package struct Snapshot {
    /// In the order of the tensors that it was made for.
    package let copies: [Tensor]
    private let originals: [Tensor]

    /// Room for a copy of `tensors`.
    package init(of tensors: [Tensor]) throws(OutOfMemory) {
        originals = tensors
        var copies: [Tensor] = []
        for tensor in tensors { copies.append(try Tensor(shape: tensor.shape)) }
        self.copies = copies
    }

    package func save() {
        for (copy, original) in zip(copies, originals) {
            copy.pointer.update(from: original.pointer, count: copy.count)
        }
    }

    package func restore() {
        for (copy, original) in zip(copies, originals) {
            original.pointer.update(from: copy.pointer, count: copy.count)
        }
    }
}
