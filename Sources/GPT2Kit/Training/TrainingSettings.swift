// What a fine-tuning run is told, and what it tells while it runs.

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
    public var learningRate = 5e-5
    public var weightDecay = 0.1
    /// Steps between two ``TrainingEvent/evaluation``s.
    public var evaluateEvery = 50
    /// Batches of each set that an evaluation looks at; 0 for all.
    public var evaluationBatches = 5
    public var shuffle = Shuffle.seeded
    public var seed: UInt64 = 123

    public init() {}
}

/// What happens in a run, in order of time. Steps and epochs: steps count from 0, epochs from 1.
public enum TrainingEvent: Sendable {
    /// Everything is loaded; training is about to begin.
    case start(StartSummary)
    /// The output of the frozen blocks is there; not told where nothing is frozen.
    case frozen(FrozenSummary)
    /// Something is wrong that the run gets over.
    case warning(Diagnosis)
    /// The mean loss of a batch before its update.
    case step(step: Int, epoch: Int, loss: Double, learningRate: Double)
    /// Mean losses over ``TrainingSettings/evaluationBatches`` batches, after the update of `step`.
    case evaluation(step: Int, trainingLoss: Double, validationLoss: Double)
    /// Accuracies over the same batches at the end of an epoch; `step` steps and `seconds` since the beginning.
    case epoch(epoch: Int, step: Int, trainingAccuracy: Double, validationAccuracy: Double, seconds: Double)
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
        public let steps: Int
        public let tokenizerSHA256: String
    }

    public struct EndSummary: Sendable {
        public let steps: Int
        public let trainingLoss: Double
        public let validationLoss: Double
        public let trainingAccuracy: Double
        public let validationAccuracy: Double
        public let testAccuracy: Double?
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
}
