// The settings of a fine-tuning run.

import Records

/// Hyperparameters; the defaults are those of the book's chapter 6.
public struct TrainingSettings: Sendable, Equatable {
    /// The order of the training texts.
    public enum Shuffle: String, Sendable, CaseIterable {
        /// A new order every epoch, drawn from the seed.
        case seeded
        /// The order of the input, every epoch.
        case none
    }

    /// The part of the model that is trained.
    public var trainable = TrainableSet.lastBlocks(1)
    /// The token whose state the head reads.
    public var pooling = Pooling.lastToken
    /// The number type of matrix products in frozen blocks.
    public var precision = Precision.float32
    /// The number type of the operands of products over whole texts in trained blocks; the pooled position of the last block,
    /// weights, sums and everything else are in Float32. Not ``Precision/int8``.
    public var trainingPrecision = Precision.float32
    /// Passes through the training texts.
    public var epochs = 5
    /// Texts of a forward and backward pass. A last step with too few texts is dropped, as in the chapter, unless it is
    /// the only one.
    public var batch = 8
    /// The highest learning rate. ``schedule`` tells the factor of every step.
    public var learningRate = 5e-5
    /// How the learning rate changes over the steps.
    public var schedule = LearningRateSchedule()
    /// How the learning rate falls from layer to layer, towards the embeddings.
    public var layerDecay = LayerDecay()
    /// AdamW's weight decay, applied to all trained parameters.
    public var weightDecay = 0.1
    /// The largest L2 norm of all gradients together, to which a larger one is clipped; nil for no limit.
    public var clipNorm: Double?
    /// Batches of a step. Their gradients are added: the update is that of one batch as large as all of them.
    public var accumulate = 1
    /// ε of label smoothing (Szegedy et al. 2016, https://arxiv.org/abs/1512.00567, §7), 0 ... 1.
    public var labelSmoothing = 0.0
    /// How much each class counts in the training loss.
    public var classWeights = ClassWeights.equal
    /// The probability of dropout in the trainable part, 0 ..< 1.
    public var dropout = 0.0
    /// The probability that a step drops a word of a training text, 0 ..< 1. Only where no block is frozen.
    public var wordDropout = 0.0
    /// Whether attention is causal, as in GPT-2.
    public var causalMask = true
    /// Steps from one evaluation to the next.
    public var evaluateEvery = 50
    /// Batches of each set that an evaluation computes; 0 for all.
    public var evaluationBatches = 5
    /// The order of the training texts.
    public var shuffle = Shuffle.seeded
    /// The seed of everything random: the order of texts, dropout of numbers and words, adapters, the draw of a search.
    public var seed: UInt64 = 123
    /// Evaluations in a row without a lower validation loss, after which training ends; nil for no such end.
    public var patience: Int?
    /// The weights that the run ends with.
    public var keep = KeptWeights.last
    /// The decay of an average of the weights over the last fifth of the steps, 0 ..< 1; nil for none. Of the last weights and
    /// their average those are kept that have the lower loss of the whole validation set.
    public var averageDecay: Double?
    /// Steps after which training ends, whatever ``epochs`` says; nil for no limit.
    public var maxSteps: Int?
    /// Minutes after which training ends, whatever ``epochs`` says; nil for no limit.
    public var maxMinutes: Double?

    public init() {}

    /// Whether evaluations decide something. Then they compute the whole validation set.
    package var dependsOnEvaluations: Bool { patience != nil || keep == .best }

    /// Refuses settings that a model of these sizes can't be trained with.
    ///
    /// - Throws: ``TrainingError/impossibleSetting(_:remedy:)``.
    package func check(_ config: GPT2Config) throws(TrainingError) {
        try TrainingError.requirePositive([
            ("texts in a batch", batch), ("batches of a step", accumulate), ("epochs", epochs),
            ("steps between evaluations", evaluateEvery), ("steps", maxSteps ?? 1),
        ])
        if dropout > 0, trainable == .head {
            throw .impossibleSetting(
                "dropout has no effect where the head alone is trained", remedy: "leave it out, or train a block")
        }
        if wordDropout > 0, trainable.firstBlock(of: config.blocks) > 0 {
            throw .impossibleSetting(
                "words can be dropped only where no block is frozen: frozen blocks compute every text once",
                remedy: "train all blocks, or adapters in all of them")
        }
        if wordDropout > 0, pooling == .first, causalMask {
            throw .impossibleSetting(
                "word dropout has no effect where only the first token is read",
                remedy: "leave it out, or choose another pooling")
        }
        if averageDecay != nil, dependsOnEvaluations {
            throw .impossibleSetting(
                "an average of the last weights and the best weights can't both be kept", remedy: "choose one of them")
        }
        if trainingPrecision == .int8 {
            throw .impossibleSetting("int8 is for inference alone", remedy: "train in f32 or bf16")
        }
        if case .lora(let lora) = trainable, lora.rank > config.width {
            throw .impossibleSetting(
                "LoRA's rank \(lora.rank) is more than the model's width of \(config.width)",
                remedy: "choose a smaller one")
        }
    }
}

extension TrainingSettings {
    /// Refuses what runs that end with their last weights don't do.
    ///
    /// - Parameter what: what they are of, with an article.
    /// - Throws: ``TrainingError/impossibleSetting(_:remedy:)``.
    func requireLastWeights(_ what: String) throws(TrainingError) {
        if dependsOnEvaluations || averageDecay != nil {
            throw .impossibleSetting(
                "\(what) takes the last weights of each run",
                remedy: "leave out patience, the best weights and the average")
        }
    }
}

/// The weights that a run ends with.
public enum KeptWeights: String, Sendable, CaseIterable {
    /// Those after the last step.
    case last
    /// Those with the lowest loss over the whole validation set, among all evaluations and the end.
    case best
}
