// When a run saves itself, and from where it goes on.

import Records

/// The checkpoints of a run.
public struct Checkpoints: Sendable {
    let directory: CheckpointDirectory
    /// Steps between checkpoints; nil for those of the checkpoint that the run goes on from, or else none.
    public let every: Int?
    /// Whether the run goes on from the newest checkpoint.
    public let resumes: Bool
    /// See ``FineTuner/identity(_:training:validation:test:)``.
    public let identity: RunIdentity
    /// Asked after every step: whether to save and end.
    public let shouldStop: @Sendable () -> Bool

    /// - Parameter output: the model directory that training ends in; checkpoints are in `output.checkpoints`.
    public init(
        output: String, every: Int?, resumes: Bool, identity: RunIdentity,
        shouldStop: @escaping @Sendable () -> Bool = { false }
    ) {
        directory = Self.directory(output)
        self.every = every
        self.resumes = resumes
        self.identity = identity
        self.shouldStop = shouldStop
    }

    private static func directory(_ output: String) -> CheckpointDirectory {
        var name = output[...]
        while name.count > 1, name.hasSuffix("/") { name.removeLast() }
        return CheckpointDirectory(path: name + ".checkpoints")
    }

    /// Fails where no checkpoint of `output` could be written.
    public static func requireWritable(_ output: String) throws(StreamError) {
        let path = directory(output).path
        let isNew = entries(of: path) == nil
        try createDirectories(path)
        defer { if isNew { directory(output).remove() } }
        try AtomicFile(path: "\(path)/probe").cancel()
    }

    /// Whether there are any.
    public var exist: Bool { !directory.steps.isEmpty }

    /// To be called when the model is written: nobody needs them any more.
    public func remove() { directory.remove() }

    /// Whether the model in `output` is what this run ends in.
    public func areFinished(output: String) -> Bool {
        guard !exist, let json = try? readJSON("\(output)/config.json") else { return false }
        return json["gpt2kit"]?["run_sha256"]?.string == identity.sha256
    }

    /// The checkpoint to go on from; nil for the beginning.
    ///
    /// - Throws: ``ModelError/otherRun(differences:file:)``; ``DamagedCheckpoint`` where none is whole.
    func newest(report: (TrainingEvent) throws -> Void) throws -> TrainingCheckpoint? {
        directory.removeLeftovers()
        guard resumes else {
            if let step = directory.steps.first {
                try warn("checkpoints of an earlier run, up to step \(step)", "this run replaces them", report)
            }
            return nil
        }
        guard let found = try directory.newest(damaged: { try report(.warning($0)) }) else {
            try warn("no checkpoint to go on from", "training starts from the beginning", report)
            return nil
        }
        let differences = identity.differences(from: found.description.identity)
        guard differences.isEmpty else { throw ModelError.otherRun(differences: differences, file: found.path) }
        return found
    }

    private func warn(_ problem: String, _ remedy: String, _ report: (TrainingEvent) throws -> Void) throws {
        try report(
            .warning(Diagnosis(source: directory.path, problem: problem, remedy: remedy, status: .configuration)))
    }
}

/// A run that was asked to stop has saved itself.
public struct TrainingStopped: DiagnosableError {
    /// Steps made.
    public let step: Int

    public var diagnosis: Diagnosis {
        Diagnosis(
            source: "stdin", problem: "stopped after step \(step), which is saved", remedy: "go on with --resume",
            status: .interrupted)
    }
}

/// Saves a run.
struct CheckpointWriter {
    private let checkpoints: Checkpoints
    private let every: Int?
    /// Whether the directory's checkpoints are this run's.
    private var isFirst: Bool

    /// - Parameter origin: the checkpoint that the run goes on from.
    init(_ checkpoints: Checkpoints, from origin: TrainingCheckpoint?) {
        self.checkpoints = checkpoints
        every = checkpoints.every ?? origin?.description.every
        isFirst = origin == nil
    }

    /// To be called after every step.
    ///
    /// - Parameter isLast: whether no other follows: then there is nothing to save but where it is asked to stop.
    /// - Throws: ``TrainingStopped``, and what writing throws.
    mutating func afterStep(
        _ state: TrainingState, seconds: [TrainingEvent.Phase: Double], isLast: Bool,
        report: (TrainingEvent) throws -> Void
    ) throws {
        let stops = checkpoints.shouldStop()
        let isDue = every.map { state.step % $0 == 0 } ?? false
        guard stops || (isDue && !isLast) else { return }
        var description = CheckpointDescription(step: state.step, identity: checkpoints.identity)
        description.evaluations = state.evaluations
        description.seconds = seconds
        description.every = every
        try checkpoints.directory.write(state, description, isFirst: isFirst)
        isFirst = false
        try report(.checkpoint(step: state.step))
        if stops { throw TrainingStopped(step: state.step) }
    }
}
