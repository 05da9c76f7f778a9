// The state of a training run on disk, after a step: a safetensors file (docs/formats.md). Its tensors are those of the
// state (CheckpointedState). Its metadata hold all else that isn't a function of the data and the settings.

import Records
import Safetensors

/// The metadata of a checkpoint.
package struct CheckpointDescription: Sendable {
    static let format = "gpt2kit.checkpoint/1"

    /// Steps that were made.
    package var step: Int
    /// The best evaluation so far.
    package var evaluations = BestEvaluation()
    /// Seconds so far, by phase.
    package var seconds: [TrainingEvent.Phase: Double] = [:]
    /// Steps between checkpoints; nil where none are written regularly.
    package var every: Int?
    /// Whether the evaluation of the step isn't done yet.
    package var isEvaluationPending = false
    /// The tokens of all steps, where a run counts them.
    package var tokens: Int?
    /// The identity of the run.
    package var identity: RunIdentity

    fileprivate var metadata: [String: String] {
        var result = ["format": Self.format, "step": "\(step)"]
        if let every { result["every"] = "\(every)" }
        if isEvaluationPending { result["review"] = "pending" }
        if let tokens { result["tokens"] = "\(tokens)" }
        if let loss = evaluations.loss, let best = evaluations.step {
            result["best_loss"] = "\(loss)"
            result["best_step"] = "\(best)"
        }
        result["evaluations_since_best"] = "\(evaluations.evaluationsSince)"
        for (phase, time) in seconds { result["seconds_\(phase.rawValue)"] = "\(time)" }
        var json = JSONWriter()
        json.value(.object(identity.entries.map { JSONMember(key: $0.name, value: .string($0.value)) }))
        result["run"] = String(decoding: json.bytes, as: UTF8.self)
        return result
    }

    fileprivate init?(_ metadata: [String: String]) {
        guard metadata["format"] == Self.format, let step = metadata["step"].flatMap({ Int($0) }), step > 0,
            let run = metadata["run"],
            let members = try? JSONValue(parsing: Array(run.utf8)).object,
            let since = metadata["evaluations_since_best"].flatMap({ Int($0) })
        else { return nil }
        let every = metadata["every"].map { Int($0) ?? -1 }
        let tokens = metadata["tokens"].map { Int($0) ?? -1 }
        let times = metadata.filter { $0.key.hasPrefix("seconds_") }.values.map { Double($0) ?? -1 }
        guard every ?? 1 > 0, (1...1 << 53).contains(tokens ?? 1), times.allSatisfy((0...1e12).contains), since >= 0
        else {
            return nil
        }
        self.step = step
        self.every = every
        isEvaluationPending = metadata["review"] == "pending"
        self.tokens = tokens
        evaluations = BestEvaluation(
            loss: metadata["best_loss"].flatMap { Double($0) }, step: metadata["best_step"].flatMap { Int($0) },
            evaluationsSince: since)
        for phase in TrainingEvent.Phase.allCases {
            seconds[phase] = metadata["seconds_\(phase.rawValue)"].flatMap { Double($0) }
        }
        identity = RunIdentity(entries: members.map { ($0.key, $0.value.string ?? "") })
    }

    /// The description of a run after `step` steps, without evaluations.
    package init(step: Int, identity: RunIdentity) {
        self.step = step
        self.identity = identity
    }
}

/// A checkpoint that has been read and is whole.
struct TrainingCheckpoint {
    let path: String
    let description: CheckpointDescription
    private let file: SafetensorsFile

    init(path: String) throws(DamagedCheckpoint) {
        self.path = path
        do {
            file = try SafetensorsFile(MappedFile(path: path))
        } catch {
            let problem = (error as? any DiagnosableError)?.diagnosis.problem ?? "\(error)"
            throw DamagedCheckpoint(path: path, problem: problem)
        }
        guard file.metadata["metadata_crc32"] == CRC32.hexadecimal(ofMetadata: file.metadata),
            let description = CheckpointDescription(file.metadata)
        else { throw DamagedCheckpoint(path: path, problem: "its metadata are damaged") }
        self.description = description
        var crc = CRC32()
        for tensor in file.header.tensors {
            crc.update(tensor.name, tensor.type, tensor.shape, file.bytes(of: tensor))
        }
        guard file.metadata["crc32"] == crc.hexadecimal else {
            throw DamagedCheckpoint(path: path, problem: "its data don't match their checksum")
        }
    }

    /// Sets a state that is before its first step to that of the checkpoint.
    func restore(_ state: some CheckpointedState) throws {
        for (name, tensor) in state.tensors(description) {
            do {
                guard let numbers = try file.float32(name, shape: tensor.shape), let start = numbers.baseAddress else {
                    throw DamagedCheckpoint(path: path, problem: "tensor '\(name)' isn't F32")
                }
                tensor.mutablePointer.update(from: start, count: numbers.count)
            } catch let error as SafetensorsError {
                throw DamagedCheckpoint(path: path, problem: error.diagnosis.problem)
            }
        }
        state.resume(description)
    }

    /// Writes a checkpoint to `path`. The file appears whole, or not at all.
    static func write(
        _ state: some CheckpointedState, _ description: CheckpointDescription, to path: String
    ) throws {
        let tensors = state.tensors(description)
        var crc = CRC32()
        for (name, tensor) in tensors {
            crc.update(name, .float32, tensor.shape, UnsafeRawBufferPointer(tensor.values))
        }
        var metadata = description.metadata
        metadata["crc32"] = crc.hexadecimal
        metadata["metadata_crc32"] = CRC32.hexadecimal(ofMetadata: metadata)
        var writer = SafetensorsWriter(metadata: metadata)
        for (name, tensor) in tensors {
            writer.add(name, type: .float32, shape: tensor.shape) { try $0(UnsafeRawBufferPointer(tensor.values)) }
        }
        try writer.write(path: path)
    }
}

extension CRC32 {
    /// Takes in a tensor, with its name, type and shape.
    fileprivate mutating func update(
        _ name: String, _ type: ElementType, _ shape: [Int], _ bytes: UnsafeRawBufferPointer
    ) {
        Array("\(name) \(type.rawValue) \(shape)\n".utf8).withUnsafeBytes { update($0) }
        update(bytes)
    }
}

/// A checkpoint that isn't whole.
package struct DamagedCheckpoint: DiagnosableError, Equatable {
    /// The checkpoint's file.
    package let path: String
    /// What is wrong with it, in words.
    package let problem: String

    package var diagnosis: Diagnosis {
        Diagnosis(
            source: path, problem: problem, remedy: "remove \(Path.parent(of: path)) to start from the beginning",
            status: .badData)
    }
}
