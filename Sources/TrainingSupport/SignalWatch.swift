// How signals and checkpoints go together.

import FilterSupport
import GPT2Kit
import Records

/// While steps are made, a signal is noted and leads to a checkpoint; before them, and after the checkpoint of the last one,
/// it ends the process as ever.
public struct SignalWatch {
    private var isHolding = false

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

    /// What `train` gives, which tells the watch its events.
    ///
    /// - Parameters:
    ///   - notes: gets how a run is resumed that a signal has stopped.
    ///   - stopped: called before that is told.
    ///   - train: the run.
    /// - Throws: what `train` throws. After a `TrainingStopped` signals end the process again.
    public static func watching<Model>(
        _ notes: Notes, stopped: () -> Void, _ train: (inout SignalWatch) throws -> Model
    ) throws -> Model {
        var watch = SignalWatch()
        do {
            return try train(&watch)
        } catch let stop as TrainingStopped {
            stopped()
            notes.always("stopped after step \(stop.step), which is saved: resume from there with --resume")
            Interruption.release()
            throw stop
        }
    }
}
