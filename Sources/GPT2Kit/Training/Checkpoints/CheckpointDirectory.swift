// The checkpoints of one output: step-000050.safetensors, step-000100.safetensors, the newest two.

import Platform
import Records

/// A directory of checkpoints. Whoever uses it holds the lock of the output that it belongs to.
struct CheckpointDirectory: Sendable {
    let path: String

    /// The steps with a checkpoint, the newest first.
    var steps: [Int] {
        (Directory.entryNames(of: path) ?? []).compactMap { name in
            guard name.hasPrefix("step-"), name.hasSuffix(".safetensors"),
                let step = Int(name.dropFirst(5).dropLast(12)), file(step) == "\(path)/\(name)"
            else { return nil }
            return step
        }.sorted(by: >)
    }

    /// The newest checkpoint that is whole; nil where the directory has none.
    ///
    /// - Parameter damaged: gets the diagnosis of every newer one, which can't be used.
    /// - Throws: ``DamagedCheckpoint`` where all are damaged.
    func newest(damaged: (Diagnosis) throws -> Void) throws -> TrainingCheckpoint? {
        var unusable: [DamagedCheckpoint] = []
        for step in steps {
            let found: TrainingCheckpoint
            do throws(DamagedCheckpoint) {
                found = try TrainingCheckpoint(path: file(step))
            } catch {
                unusable.append(error)
                continue
            }
            for checkpoint in unusable {
                var diagnosis = checkpoint.diagnosis
                diagnosis.remedy = "the one before it is used"
                try damaged(diagnosis)
            }
            return found
        }
        if let newest = unusable.first { throw newest }
        return nil
    }

    /// Adds a checkpoint. Once it is whole, all others but that of step `previous` are removed, older and damaged ones.
    func write(
        _ state: some CheckpointedState, _ description: CheckpointDescription, keeping previous: Int?
    ) throws {
        try Directory.create(path)
        try TrainingCheckpoint.write(state, description, to: file(description.step))
        for step in steps where step != description.step && step != previous { unlink(file(step)) }
    }

    /// Removes all checkpoints and temporary files of killed runs, and the directory if nothing else is in it.
    func remove() {
        for step in steps { unlink(file(step)) }
        removeLeftovers()
        removeIfEmpty()
    }

    /// Removes temporary files of killed runs.
    func removeLeftovers() {
        for name in Directory.entryNames(of: path) ?? [] where name.hasPrefix(".") && name.hasSuffix(".partial") {
            unlink("\(path)/\(name)")
        }
    }

    /// Removes the directory if it is empty.
    func removeIfEmpty() { rmdir(path) }

    private func file(_ step: Int) -> String {
        let digits = String(step)
        return "\(path)/step-\(String(repeating: "0", count: max(0, 6 - digits.count)))\(digits).safetensors"
    }
}
