// Why a run ended.

/// Why a training run ended.
public enum EndReason: String, Sendable {
    case epochs
    case maxSteps = "max-steps"
    case maxMinutes = "max-minutes"
    /// The validation loss didn't improve any more.
    case patience
}
