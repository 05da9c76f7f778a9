// How one trial of a search ended.

/// A trial of a search, when it is over.
public struct TrialSummary: Sendable {
    /// Why it ended.
    public enum Outcome: String, Sendable {
        /// Other trials did better in a comparison.
        case stopped
        /// All its epochs are done.
        case finished
        /// A loss was infinite or NaN.
        case diverged
    }

    /// The trial's number, from 1.
    public let number: Int
    /// The settings that were drawn for it.
    public let settings: TrainingSettings
    /// Why it ended.
    public let outcome: Outcome
    /// Steps that were made.
    public let steps: Int
    /// Steps of all its epochs.
    public let stepsOfAllEpochs: Int
    /// Mean cross entropy over the whole validation set after these steps; nil where it diverged.
    public let validationLoss: Double?
    /// Accuracy over the whole validation set after these steps; nil where it diverged.
    public let validationAccuracy: Double?
    /// Seconds that its training took.
    public let seconds: Double
}
