// What a fine-tuning run tells while it runs.

import Evaluation
import Records

/// What happens in a run, in order of time. Steps and epochs: steps count from 0, epochs from 1.
public enum TrainingEvent: Sendable {
    /// Everything is loaded; training is about to begin.
    case start(StartSummary)
    /// The same for a run that goes on after so many steps.
    case resume(StartSummary, step: Int)
    /// The output of the frozen blocks is there; not told where nothing is frozen.
    case frozen(FeatureSummary)
    /// Something is wrong that the run gets over.
    case warning(Diagnosis)
    /// The loss that is minimised, of a batch before its update; where gradients are clipped, their norm before.
    case step(step: Int, epoch: Int, loss: Double, learningRate: Double, gradientNorm: Double?)
    /// Mean cross entropies over ``TrainingSettings/evaluationBatches`` batches, after the update of `step`. Where they
    /// decide something: over the whole validation set, and whether it is the least so far.
    case evaluation(step: Int, trainingLoss: Double, validationLoss: Double, isBest: Bool?)
    /// Accuracies over the same batches at the end of an epoch; `step` steps and `seconds` since the beginning.
    case epoch(epoch: Int, step: Int, trainingAccuracy: Double, validationAccuracy: Double, seconds: Double)
    /// The run after so many steps is on disk; whether they were all.
    case checkpoint(step: Int, isLast: Bool)
    /// A trial of a search is over: its number, from 1, its settings, and how it ended.
    case trial(TrialSummary)
    /// Accuracies over whole sets.
    case end(EndSummary)

    public struct StartSummary: Sendable {
        public let classes: Int
        public let parameters: Int
        public let trainableParameters: Int
        public let trainingRows: Int
        public let validationRows: Int
        public let testRows: Int?
        public let paddedLength: Int
        /// Rows of all sets together, and how many different texts they have.
        public let texts: Int
        public let distinctTexts: Int
        /// Tokens that are computed: those of the distinct texts.
        public let tokens: Int
        /// nil in a search.
        public let steps: Int?
        public let tokenizerSHA256: String
    }

    public struct EndSummary: Sendable {
        public let steps: Int
        public let reason: EndReason
        /// The step after which the weights were as they are kept: the last, or the best.
        public let keptStep: Int
        /// The trial that won; nil without a search.
        public let trial: Int?
        public let trainingLoss: Double
        public let validationLoss: Double
        public let trainingAccuracy: Double
        public let validationAccuracy: Double
        public let testAccuracy: Double?
        /// What labels the test texts got; nil without any.
        public let testClasses: ConfusionMatrix?
        public let seconds: Double
        public let secondsByPhase: [(phase: Phase, seconds: Double)]
    }

    /// Where the time goes.
    public enum Phase: String, Sendable, CaseIterable {
        /// Packing weights and running the frozen blocks once per text.
        case frozen
        /// Steps: forward, backward, update.
        case training
        case evaluation
    }
}

/// How far a long phase has come, for a progress bar.
public enum TrainingProgress: Sendable {
    /// Tokens through the frozen blocks.
    case frozen(done: Int, total: Int)
    /// Steps made, and the loss of the last one.
    case training(done: Int, total: Int, loss: Double)
    /// Trials of a round of a search, from 1.
    case search(round: Int, rounds: Int, done: Int, total: Int)
}
