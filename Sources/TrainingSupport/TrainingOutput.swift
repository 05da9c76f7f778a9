// What a training run writes: the model directory, and its checkpoints. Both are checked and locked before a shard is read.

import GPT2Kit
import Records

/// The model directory of a run, locked as long as this lives, and its checkpoints.
public struct TrainingOutput {
    /// When a run saves itself, and whether it resumes.
    public struct Saving {
        let every: Int?
        let resumes: Bool

        /// - Parameters:
        ///   - every: steps between checkpoints; nil for as many as a resumed run had.
        ///   - resumes: whether the run resumes from its newest checkpoint.
        public init(every: Int?, resumes: Bool) { (self.every, self.resumes) = (every, resumes) }
    }

    private let directory: String
    private let saving: Saving?
    private let isReplaced: Bool
    private let lock: OutputLock

    /// - Parameters:
    ///   - directory: the model directory.
    ///   - base: what the run starts from.
    ///   - saving: nil for a run without checkpoints.
    ///   - isReplaced: whether a model that the directory holds is replaced. Otherwise only a run that resumes replaces it, with its own.
    /// - Throws: `StreamError` where it can't be written, or another run writes it; `ModelExists`; what
    ///   `Checkpoints.requirePossible(_:base:resumes:)` and `Checkpoints.requireNone(_:)` throw.
    public init(_ directory: String, base: Classifier.Base, saving: Saving?, isReplaced: Bool) throws {
        (self.directory, self.saving, self.isReplaced) = (directory, saving, isReplaced)
        try AtomicDirectory.requireWritable(directory)
        lock = try OutputLock(path: directory)
        AtomicDirectory.removeLeftovers(of: directory)
        if let saving {
            try Checkpoints.requirePossible(directory, base: base, resumes: saving.resumes)
        } else {
            try Checkpoints.requireNone(directory)
        }
        // Whether a run that is resumed has made the model, its data tell.
        if !isReplaced, saving?.resumes != true { try Classifier.requireNone(in: directory) }
    }

    /// The checkpoints of the run `identity`, which a signal asks for; nil for a run without.
    public func checkpoints(of identity: @autoclosure () -> RunIdentity) -> Checkpoints? {
        saving.map { saving in
            Checkpoints(
                output: directory, every: saving.every, resumes: saving.resumes, identity: identity(),
                shouldStop: { Interruption.heldSignal != nil })
        }
    }

    /// Whether the directory holds what the run ended in: see `Checkpoints.areFinished(mayReplace:)`.
    public func isFinished(_ checkpoints: Checkpoints?) throws -> Bool {
        try checkpoints?.areFinished(mayReplace: isReplaced) ?? false
    }
}
