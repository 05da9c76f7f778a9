// When a run writes checkpoints, and how it resumes from them.

import Records
import Safetensors

/// The checkpoints of a run.
public struct Checkpoints: Sendable {
    private let output: String
    let directory: CheckpointDirectory
    /// Steps between checkpoints. nil for as many as the resumed run had; a new run then writes them only at a stop and
    /// at its end.
    public let every: Int?
    /// Whether the run resumes from the newest checkpoint.
    public let resumes: Bool
    /// See ``FineTuner/identity(_:_:)``.
    public let identity: RunIdentity
    /// Asked after every step whether to write a checkpoint and stop.
    public let shouldStop: @Sendable () -> Bool

    /// - Parameters:
    ///   - output: the model directory that training ends in. Its checkpoints are in `output.checkpoints`.
    ///   - every: see ``every``.
    ///   - resumes: whether the run resumes from the newest checkpoint.
    ///   - identity: that of the run.
    ///   - shouldStop: asked after every step whether to write a checkpoint and stop.
    public init(
        output: String, every: Int?, resumes: Bool, identity: RunIdentity,
        shouldStop: @escaping @Sendable () -> Bool = { false }
    ) {
        self.output = output
        directory = Self.directory(output)
        self.every = every
        self.resumes = resumes
        self.identity = identity
        self.shouldStop = shouldStop
    }

    private static func directory(_ output: String) -> CheckpointDirectory {
        var name = output[...]
        while name.count > 1, name.hasSuffix("/") { name.removeLast() }
        // Beside the directory that "." or "model/.." means, not in it.
        if [".", ".."].contains(Path.lastName(of: output)), let path = Path.resolved(String(name)) {
            name = path[...]
        }
        return CheckpointDirectory(path: name + ".checkpoints")
    }

    /// Fails where no checkpoint of `output` could be written, where some exist that the run doesn't resume from, and
    /// where `output` is the base, which a resumed run needs unchanged.
    ///
    /// - Throws: ``ForgottenCheckpoints``; ``TrainingError/impossibleSetting(_:remedy:)``; `StreamError` where the
    ///   directory can't be written to.
    public static func requirePossible(_ output: String, base: Classifier.Base, resumes: Bool) throws {
        if case .directory(let path) = base, let origin = Path.resolved(path), origin == Path.resolved(output) {
            throw TrainingError.impossibleSetting(
                "the output \(output) is also the base, which a resumed run needs unchanged",
                remedy: "write the model to another directory")
        }
        let directory = directory(output)
        if !resumes { try directory.requireNone() }
        let isNew = Directory.entryNames(of: directory.path) == nil
        defer { if isNew { directory.removeIfEmpty() } }
        try Directory.requireWritable(directory.path)
    }

    /// Fails where checkpoints of `output` exist. A run that writes none would leave them beside a model that isn't theirs.
    ///
    /// - Throws: ``ForgottenCheckpoints``.
    public static func requireNone(_ output: String) throws(ForgottenCheckpoints) {
        try directory(output).requireNone()
    }

    /// Removes the checkpoints. To be called when the model is written.
    public func remove() { directory.remove() }

    /// Whether the run that is to be resumed has ended already, in the model that its output holds. The checkpoints are then
    /// removed, as they are when a run was killed just before. Otherwise another model there is refused, unless a checkpoint
    /// tells that the run is the one that replaces it.
    ///
    /// - Parameter mayReplace: whether any model there may be replaced, a damaged one too.
    /// - Throws: ``ModelError/otherWeights(file:)`` where the model is this run's, but damaged; what
    ///   ``Classifier/requireNone(in:)`` throws.
    public func areFinished(mayReplace: Bool) throws -> Bool {
        guard resumes else { return false }
        if mayReplace ? (try? holdResult()) ?? false : try holdResult() {
            remove()
            return true
        }
        if !mayReplace, directory.steps.isEmpty { try Classifier.requireNone(in: output) }
        return false
    }

    /// Whether the output holds the model of this run already, undamaged.
    private func holdResult() throws(ModelError) -> Bool {
        guard directory.steps.isEmpty, let json = try? readJSON("\(output)/config.json"),
            let weights = try? WeightFiles(directory: output),
            json["gpt2kit"]?["run_sha256"]?.string == identity.sha256
        else { return false }
        try WeightsCheck(weights, expected: json["gpt2kit"]?["weights_sha256"]?.string)?.wait()
        return true
    }

    /// The checkpoint to resume from; nil for the beginning.
    ///
    /// - Parameter warn: gets what the run can do without.
    /// - Throws: ``TrainingError/otherRun(differences:file:)``; ``DamagedCheckpoint`` where none is whole.
    func newest(warn: (Diagnosis) throws -> Void) throws -> TrainingCheckpoint? {
        directory.removeLeftovers()
        guard resumes else {
            try directory.requireNone()
            return nil
        }
        guard let found = try directory.newest(damaged: warn) else {
            try warn(
                Diagnosis(
                    source: directory.path, problem: "no checkpoint to resume from",
                    remedy: "training starts from the beginning", status: .configuration))
            return nil
        }
        let differences = identity.differences(from: found.description.identity)
        guard differences.isEmpty else { throw TrainingError.otherRun(differences: differences, file: found.path) }
        return found
    }
}

extension CheckpointDirectory {
    /// Fails where checkpoints exist: a run that doesn't resume from them would have to remove them.
    fileprivate func requireNone() throws(ForgottenCheckpoints) {
        if let step = steps.first { throw ForgottenCheckpoints(directory: path, step: step) }
    }
}

/// Checkpoints of an earlier run exist, and the run neither resumes from them nor removes them.
public struct ForgottenCheckpoints: DiagnosableError, Equatable {
    let directory: String
    let step: Int

    public var diagnosis: Diagnosis {
        Diagnosis(
            source: directory, problem: "here are checkpoints of an earlier run, up to step \(step)",
            remedy: "remove them to start from the beginning, or resume from there", status: .cannotCreate,
            choice: .resume)
    }
}

/// A run was asked to stop, and its checkpoint is written, unless it has made no step.
public struct TrainingStopped: DiagnosableError {
    /// Steps that were made.
    public let step: Int

    public var diagnosis: Diagnosis {
        step == 0
            ? Diagnosis(
                source: "stdin", problem: "stopped before the first step, with nothing to save",
                remedy: "start it again",
                status: .interrupted)
            : Diagnosis(
                source: "stdin", problem: "stopped after step \(step), which is saved", remedy: "resume from there",
                status: .interrupted, choice: .resume)
    }
}

/// A checkpoint couldn't be written. Earlier ones are unchanged.
public struct CheckpointNotWritten: DiagnosableError {
    let cause: Diagnosis
    /// The step of the newest checkpoint, to resume from.
    let newest: Int?

    public var diagnosis: Diagnosis {
        var diagnosis = cause
        if let newest {
            diagnosis.remedy += ", then resume from step \(newest)"
            diagnosis.choice = .resume
        }
        return diagnosis
    }
}

/// Writes the checkpoints of a run.
struct CheckpointWriter {
    private let checkpoints: Checkpoints
    private let every: Int?
    /// The step of the newest checkpoint that is whole.
    private var newest: Int?

    /// - Parameter origin: the checkpoint that the run resumes from.
    init(_ checkpoints: Checkpoints, from origin: TrainingCheckpoint?) {
        self.checkpoints = checkpoints
        every = checkpoints.every ?? origin?.description.every
        newest = origin?.description.step
    }

    /// To be called after every step.
    ///
    /// - Parameters:
    ///   - isLast: whether no other step follows. It gets a checkpoint too, because the evaluation of whole sets takes
    ///     time.
    ///   - isEvaluationPending: whether the run was asked to stop before the evaluation of the step was done.
    ///   - isStopping: whether the run was asked to stop, and has left something undone for it.
    ///   - written: is told of a checkpoint that is on disk.
    /// - Throws: ``TrainingStopped``; ``CheckpointNotWritten``.
    mutating func afterStep(
        _ state: some CheckpointedState, seconds: [TrainingEvent.Phase: Double], isLast: Bool,
        isEvaluationPending: Bool = false, isStopping: Bool = false,
        written: (_ step: Int, _ isLast: Bool) throws -> Void
    ) throws {
        let stops = isStopping || isEvaluationPending || checkpoints.shouldStop()
        let isDue = every.map { state.step % $0 == 0 } ?? false
        guard stops || isDue || isLast else { return }
        var description = CheckpointDescription(step: state.step, identity: checkpoints.identity)
        state.describe(&description)
        description.seconds = seconds
        description.every = every
        description.isEvaluationPending = isEvaluationPending
        do {
            try checkpoints.directory.write(state, description, keeping: newest)
        } catch let error as any DiagnosableError {
            checkpoints.directory.removeIfEmpty()
            throw CheckpointNotWritten(cause: error.diagnosis, newest: newest)
        }
        newest = state.step
        try written(state.step, isLast)
        if stops { throw TrainingStopped(step: state.step) }
    }
}
