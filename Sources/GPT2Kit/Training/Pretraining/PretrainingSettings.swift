// The settings of a pretraining run.

/// Hyperparameters of a language model's training. The defaults suit models of some million parameters.
public struct PretrainingSettings: Sendable, Equatable {
    /// Passes through the training rows; nil for as many as ``maxSteps`` takes, or one where that is nil, too.
    public var epochs: Int?
    /// Steps after which training ends. The schedule knows them: the learning rate is where it has to be then.
    public var maxSteps: Int?
    /// Minutes after which training ends, wherever the schedule is; nil for no limit.
    public var maxMinutes: Double?
    /// Rows of a step. Rows at the end of an epoch that are too few for a step are dropped.
    public var rows = 128
    /// What updates the matrices of the blocks. Embeddings and vectors are AdamW's in either case.
    public enum Optimizer: String, Sendable, CaseIterable {
        /// AdamW, as of everything else.
        case adamw
        /// Muon: momentum that is made nearly orthogonal.
        case muon
    }

    /// What updates the matrices of the blocks.
    public var optimizer = Optimizer.adamw
    /// What the token embedding is before the first step.
    public enum Embeddings: String, Sendable, CaseIterable {
        /// That of the base: random numbers, or what the base has learned.
        case base
        /// Vectors from the tokens that stand near each token in the training rows.
        case cooccurrence
    }

    /// What the token embedding is before the first step. ``Embeddings/cooccurrence`` needs a base of random weights.
    public var embeddings = Embeddings.base
    /// The highest learning rate of AdamW. ``schedule`` tells the factor of every step.
    public var learningRate = 2e-3
    /// The highest learning rate of Muon. An update of 1 has a root mean square of about 0.2, as one of AdamW has.
    public var muonRate = 4e-3
    /// How the learning rate changes over the steps: by default a trapezoid with a warm-up of 2 %.
    public var schedule = LearningRateSchedule()
    /// AdamW's β₁ and β₂.
    public var beta1 = 0.9, beta2 = 0.998
    /// AdamW's weight decay, applied to matrices alone: not to biases and LayerNorms.
    public var weightDecay = 0.1
    /// The largest L2 norm of all gradients together, to which a larger one is clipped; nil for no limit.
    public var clipNorm: Double? = 1
    /// The decay of the average of the weights over the last fifth of all steps, 0 ..< 1; nil for no average.
    public var averageDecay: Double? = 0.999
    /// The number type of matrix products.
    public var precision = Precision.float32
    /// Steps from one evaluation to the next.
    public var validateEvery = 250
    /// The seed of everything random: the weights that training starts from, and the order of the rows.
    public var seed: UInt64 = 123

    /// The default settings.
    public init() {
        schedule.shape = .trapezoid
        schedule.warmup = .share(0.02)
    }

    /// The steps of a run over `rows` training rows, at least 1.
    func steps(rows count: Int) -> Int {
        let epochs = epochs ?? (maxSteps == nil ? 1 : .max)
        return min(
            BatchSampler.stepsPerEpoch(rows: count, batch: rows).multipliedSaturating(by: epochs), maxSteps ?? .max)
    }
}

extension PretrainingSettings {
    /// Refuses settings that no model can be trained with.
    ///
    /// - Throws: ``TrainingError/impossibleSetting(_:remedy:)``.
    func check() throws(TrainingError) {
        try TrainingError.requirePositive([
            ("rows of a step", rows), ("steps between evaluations", validateEvery), ("steps", maxSteps ?? 1),
            ("epochs", epochs ?? 1),
        ])
        guard precision != .int8 else {
            throw .impossibleSetting("int8 is for inference alone", remedy: "train in f32 or bf16")
        }
    }
}
