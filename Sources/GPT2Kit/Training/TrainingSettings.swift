// What a fine-tuning run is told, and what it tells while it runs.

import Evaluation
import Records

/// Hyperparameters; the defaults are those of the book's chapter 6.
public struct TrainingSettings: Sendable, Equatable {
    public enum Shuffle: String, Sendable, CaseIterable {
        /// A new order every epoch, drawn from the seed.
        case seeded
        /// The order of the input, every epoch.
        case none
    }

    public var trainable = TrainableSet.lastBlocks(1)
    public var pooling = Pooling.lastToken
    /// Of the frozen blocks' products; what is trained is Float32.
    public var precision = Precision.float32
    public var epochs = 5
    /// Rows of a step. A last batch with fewer rows is left out, as the chapter does, unless it is the only one.
    public var batch = 8
    /// The highest learning rate; ``schedule`` says what of it a step has.
    public var learningRate = 5e-5
    public var schedule = LearningRateSchedule()
    public var weightDecay = 0.1
    /// The largest norm of all gradients together; nil for any.
    public var clipNorm: Double?
    /// Parts that a step is computed in, each of ``batch`` rows: the update is that of a batch so many times as large.
    public var accumulate = 1
    /// ε of ``CrossEntropyLoss``, 0 ... 1.
    public var labelSmoothing = 0.0
    public var classWeights = ClassWeights.equal
    /// The probability that a number is dropped in the trainable part, 0 ..< 1.
    public var dropout = 0.0
    /// Whether attention is causal, as GPT-2's is.
    public var causalMask = true
    /// Steps between two ``TrainingEvent/evaluation``s.
    public var evaluateEvery = 50
    /// Batches of each set that an evaluation looks at; 0 for all.
    public var evaluationBatches = 5
    public var shuffle = Shuffle.seeded
    public var seed: UInt64 = 123
    /// Evaluations without a lower validation loss after which training ends; nil for never.
    public var patience: Int?
    public var keep = KeptWeights.last
    /// Steps and minutes after which training ends, whatever ``epochs`` says.
    public var maxSteps: Int?
    public var maxMinutes: Double?

    public init() {}

    /// Whether evaluations decide something: then they look at the whole validation set.
    package var dependsOnEvaluations: Bool { patience != nil || keep == .best }

    /// - Throws: ``ModelError/impossibleSetting(_:remedy:)``.
    package func check(_ config: GPT2Config) throws(ModelError) {
        if dropout > 0, trainable == .head {
            throw .impossibleSetting(
                "dropout has no effect where the head alone is trained", remedy: "leave it out, or train a block")
        }
        if case .lora(let lora) = trainable, lora.rank > config.width {
            throw .impossibleSetting(
                "LoRA's rank \(lora.rank) is more than the model's width of \(config.width)",
                remedy: "choose a smaller one")
        }
    }
}

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
        public var trial: Int?
        public let trainingLoss: Double
        public let validationLoss: Double
        public let trainingAccuracy: Double
        public let validationAccuracy: Double
        public let testAccuracy: Double?
        /// What labels the test texts got; nil without any.
        public var testClasses: ConfusionMatrix?
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
