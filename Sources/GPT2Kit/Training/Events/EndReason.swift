// Why a run ended.

/// Why a training run ended.
public enum EndReason: String, Sendable {
    /// All epochs are done.
    case epochs
    /// ``TrainingSettings/maxSteps`` steps are done.
    case maxSteps = "max-steps"
    /// ``TrainingSettings/maxMinutes`` have passed.
    case maxMinutes = "max-minutes"
    /// The last ``TrainingSettings/patience`` evaluations found no lower validation loss.
    case patience
}
