// How signals and checkpoints go together.

import FilterSupport
import GPT2Kit
import Records

/// While steps are made, a signal is noted and leads to a checkpoint; before them, and after the checkpoint of the last one,
/// it ends the process as ever.
public struct SignalWatch {
    private var isHolding = false

    /// A watch over a run that has made no step yet.
    public init() {}

    /// Follows a run of `finetune` that writes checkpoints.
    public mutating func follow(_ event: TrainingEvent) {
        if case .step = event { stepMade() }
        if case .checkpoint(_, isLast: true) = event { Interruption.release() }
    }

    /// Follows a run of `pretrain` that writes checkpoints.
    public mutating func follow(_ event: PretrainingEvent) {
        if case .step = event { stepMade() }
        if case .checkpoint(_, isLast: true) = event { Interruption.release() }
    }

    private mutating func stepMade() {
        if isHolding { return }
        isHolding = true
        Interruption.hold()
    }

    /// Says how a run that a signal has stopped is resumed, and lets signals end the process again.
    public func end(_ stopped: TrainingStopped, _ notes: Notes) {
        notes.always("stopped after step \(stopped.step), which is saved: resume from there with --resume")
        Interruption.release()
    }
}
