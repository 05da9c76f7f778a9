// What a fine-tuning run is told.

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

/// The weights that a run ends with.
public enum KeptWeights: String, Sendable, CaseIterable {
    case last
    /// Those with the least loss over the whole validation set, of all evaluations and the end.
    case best
}
