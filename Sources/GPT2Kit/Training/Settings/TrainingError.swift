// What is wrong with a training itself.

import Records

/// What is wrong with the settings or the data of a training, or with its progress.
public enum TrainingError: DiagnosableError, Equatable {
    /// A setting that this model or these data can't be trained with.
    case impossibleSetting(String, remedy: String)
    /// The loss of a training step is infinite or NaN.
    case lossNotFinite(step: Int)
    /// The norm of the gradients of a step, which is to be clipped, is infinite or NaN.
    case gradientNotFinite(step: Int)
    /// A checkpoint belongs to a run with other settings or data.
    case otherRun(differences: [String], file: String)
    /// A set that can't be trained on or evaluated.
    case unusableData(String, remedy: String, file: String)

    public var diagnosis: Diagnosis {
        switch self {
        case .impossibleSetting(let what, let remedy):
            Diagnosis(source: "arguments", problem: what, remedy: remedy, status: .usage)
        case .lossNotFinite(let step): Self.diverged("loss", step)
        case .gradientNotFinite(let step): Self.diverged("gradients", step)
        case .otherRun(let differences, let file):
            Diagnosis(
                source: file, problem: "this run has other settings or data: \(differences.joined(separator: ", "))",
                remedy:
                    "resume with those of the checkpoint, or remove \(Path.parent(of: file)) to start from the beginning",
                status: .configuration)
        case .unusableData(let what, let remedy, let file):
            Diagnosis(source: file, problem: what, remedy: remedy, status: .badData)
        }
    }
}

extension TrainingError {
    private static func diverged(_ what: String, _ step: Int) -> Diagnosis {
        Diagnosis(
            source: "training", problem: "\(what) not finite at step \(step)",
            remedy:
                "lower the learning rate, the weight decay, the class weights or LoRA's alpha; no model was written",
            status: .badData)
    }

    /// Refuses counts below 1.
    ///
    /// - Throws: ``impossibleSetting(_:remedy:)``.
    static func requirePositive(_ counts: [(name: String, count: Int)]) throws(TrainingError) {
        for (name, count) in counts where count < 1 {
            throw .impossibleSetting("\(count) \(name) are too few", remedy: "choose at least 1")
        }
    }
}
