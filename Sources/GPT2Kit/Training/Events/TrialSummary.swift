// One trial of a search, as its run tells it.

/// What the metrics tell of a trial.
public struct TrialSummary: Sendable {
    /// Why it ended.
    public enum Outcome: String, Sendable {
        /// Others did better after as long a training.
        case stopped
        /// All its epochs are over.
        case finished
        /// A loss wasn't finite.
        case diverged
    }

    /// From 1.
    public let number: Int
    public let settings: TrainingSettings
    public let outcome: Outcome
    /// Steps made, and those of all its epochs.
    public let steps: Int
    public let stepsOfAllEpochs: Int
    /// Over the whole validation set, after these steps; nil where it diverged.
    public let validationLoss: Double?
    public let validationAccuracy: Double?
    /// Spent on it by the thread or threads that trained it.
    public let seconds: Double
}
