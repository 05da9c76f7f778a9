// What a fine-tuning run reports while it runs.

import Evaluation
import Records

/// What happens in a run, in order of time. Steps count from 0, epochs from 1.
public enum TrainingEvent: Sendable {
    /// Everything is loaded; training is about to begin.
    case start(StartSummary)
    /// The same for a run that resumes after `step` steps.
    case resume(StartSummary, step: Int)
    /// The features are ready. Not reported where nothing is frozen.
    case frozen(FeatureSummary)
    /// Something is wrong, but the run continues.
    case warning(Diagnosis)
    /// A step: the loss of its texts before the update, its learning rate and, where gradients are clipped, their norm
    /// before clipping.
    case step(step: Int, epoch: Int, loss: Double, learningRate: Double, gradientNorm: Double?)
    /// Mean cross entropies over ``TrainingSettings/evaluationBatches`` batches, after the update of `step`. Where
    /// evaluations decide something, the validation loss is that of the whole set, and `isBest` tells whether it is the
    /// lowest so far.
    case evaluation(step: Int, trainingLoss: Double, validationLoss: Double, isBest: Bool?)
    /// Accuracies over the same batches at the end of an epoch, `step` steps and `seconds` seconds after the beginning.
    case epoch(epoch: Int, step: Int, trainingAccuracy: Double, validationAccuracy: Double, seconds: Double)
    /// A checkpoint after `step` steps is on disk; `isLast` where no step follows.
    case checkpoint(step: Int, isLast: Bool)
    /// A trial of a search is over.
    case trial(TrialSummary)
    /// The run is over; losses and accuracies over whole sets.
    case end(EndSummary)

    /// The model and the data of a run.
    public struct StartSummary: Sendable {
        /// K, the number of classes.
        public let classes: Int
        /// Numbers in all parameters, those of the head included.
        public let parameters: Int
        /// Those of them that are trained; with LoRA the numbers in adapters count instead.
        public let trainableParameters: Int
        /// Texts of the training set.
        public let trainingRows: Int
        /// Texts of the validation set.
        public let validationRows: Int
        /// Texts of the test set; nil without one.
        public let testRows: Int?
        /// T, the length that texts are padded or cut to, in tokens.
        public let paddedLength: Int
        /// Texts of all sets together.
        public let texts: Int
        /// Texts of all sets together, equal ones counted once.
        public let distinctTexts: Int
        /// Tokens of the distinct texts, the ones that are computed.
        public let tokens: Int
        /// Steps of the whole run; nil in a search.
        public let steps: Int?
        /// The SHA-256 of the tokenizer, in hexadecimal.
        public let tokenizerSHA256: String
    }

    /// The weights that a run ends with.
    public enum Kept: Sendable, Equatable {
        /// Those after a step, the last or the best one.
        case step(Int)
        /// The average of the last weights.
        case average
    }

    /// How a run ended. Losses are mean cross entropies and accuracies are shares, over whole sets, with the weights
    /// that are kept.
    public struct EndSummary: Sendable {
        /// Steps that were made.
        public let steps: Int
        /// Why the run ended.
        public let reason: EndReason
        /// The weights that are kept.
        public let kept: Kept
        /// The number of the trial that won; nil without a search.
        public let trial: Int?
        /// Over the training set.
        public let trainingLoss: Double
        /// Over the validation set.
        public let validationLoss: Double
        /// Over the training set.
        public let trainingAccuracy: Double
        /// Over the validation set.
        public let validationAccuracy: Double
        /// Over the test set; nil without one.
        public let testAccuracy: Double?
        /// Expected and predicted labels of the test texts; nil without a test set.
        public let testClasses: ConfusionMatrix?
        /// Seconds from beginning to end; those before a run was resumed count too.
        public let seconds: Double
        /// Seconds in each phase.
        public let secondsByPhase: [(phase: Phase, seconds: Double)]
    }

    /// What a run spends its time on.
    public enum Phase: String, Sendable, CaseIterable {
        /// Prepacking weights and running the frozen blocks once per text.
        case frozen
        /// Steps: forward, backward, update.
        case training
        /// Loss and accuracy after steps, and of whole sets at the end.
        case evaluation
    }
}

/// The progress of a long phase.
public enum TrainingProgress: Sendable {
    /// Tokens through the frozen blocks.
    case frozen(done: Int, total: Int)
    /// Steps made, and the loss of the last one.
    case training(done: Int, total: Int, loss: Double)
    /// Steps made in a round of a search; rounds count from 1.
    case search(round: Int, rounds: Int, done: Int, total: Int)
}
