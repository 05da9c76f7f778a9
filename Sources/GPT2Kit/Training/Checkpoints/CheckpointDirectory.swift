// The checkpoints of one output: step-000050.safetensors, step-000100.safetensors, the newest two.

import Records

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A directory of checkpoints. Whoever uses it holds the lock of the output that it belongs to.
struct CheckpointDirectory: Sendable {
    let path: String

    /// Steps that there are checkpoints of, the newest first.
    var steps: [Int] {
        (entries(of: path) ?? []).compactMap { name in
            guard name.hasPrefix("step-"), name.hasSuffix(".safetensors"),
                let step = Int(name.dropFirst(5).dropLast(12)), file(step) == "\(path)/\(name)"
            else { return nil }
            return step
        }.sorted(by: >)
    }

    /// The newest checkpoint that is whole; nil where there is none at all.
    ///
    /// - Parameter damaged: told of every newer one, which can't be used.
    /// - Throws: ``DamagedCheckpoint`` where all are damaged.
    func newest(damaged: (Diagnosis) throws -> Void) throws -> TrainingCheckpoint? {
        let steps = steps
        for (index, step) in steps.enumerated() {
            do {
                return try TrainingCheckpoint(path: file(step))
            } catch let error as DamagedCheckpoint {
                if index == steps.count - 1 { throw error }
                var diagnosis = error.diagnosis
                diagnosis.remedy = "the one before it is used"
                try damaged(diagnosis)
            }
        }
        return nil
    }

    /// Adds a checkpoint, and removes all but the one before it: older ones, and those of steps that this run hasn't
    /// come to yet.
    ///
    /// - Parameter isFirst: whether those that are there are another run's, which has no say any more.
    func write(_ state: TrainingState, _ description: CheckpointDescription, isFirst: Bool) throws {
        try createDirectories(path)
        if isFirst { for step in steps { unlink(file(step)) } }
        let previous = steps.first { $0 < description.step }
        try TrainingCheckpoint.write(state, description, to: file(description.step))
        for step in steps where step != description.step && step != previous { unlink(file(step)) }
    }

    /// Removes all checkpoints, and what a run that was killed has left of one; the directory too where it is empty then.
    func remove() {
        for step in steps { unlink(file(step)) }
        removeLeftovers()
        rmdir(path)
    }

    /// Removes temporary files of runs that were killed.
    func removeLeftovers() {
        for name in entries(of: path) ?? [] where name.hasPrefix(".") && name.hasSuffix(".partial") {
            unlink("\(path)/\(name)")
        }
    }

    private func file(_ step: Int) -> String {
        let digits = String(step)
        return "\(path)/step-\(String(repeating: "0", count: max(0, 6 - digits.count)))\(digits).safetensors"
    }
}
