// What the trainable part reads of a text, and how that is computed.

/// Computes features, and gathers batches of them.
package struct FeatureExtractor {
    /// The sizes of the model, and its attention mask.
    package let config: GPT2Config
    /// The token whose state the head reads.
    package let pooling: Pooling
    /// The part of the model that is trained.
    package let trainable: TrainableSet
    /// The number type of matrix products in frozen blocks.
    package let precision: Precision
    /// The threads that compute.
    package let workers: Workers
    private let parameters: GPT2Parameters
    /// The embeddings, where no block is frozen; otherwise nil.
    private let embeddings: InferenceBlocks?

    /// - Parameter parameters: those of the run, whose embeddings are read as training leaves them.
    package init(
        _ parameters: GPT2Parameters, config: GPT2Config, pooling: Pooling, trainable: TrainableSet,
        precision: Precision = .float32, workers: Workers
    ) throws {
        self.parameters = parameters
        self.config = config
        self.pooling = pooling
        self.trainable = trainable
        self.workers = workers
        self.precision = precision
        embeddings =
            trainable.firstBlock(of: config.blocks) == 0
            ? try InferenceBlocks(parameters, config: config, count: 0, workers: workers) : nil
    }

    /// Whether every batch is computed from its tokens, because no block is frozen.
    package var keepsNothing: Bool { embeddings != nil }

    /// How many blocks run at all positions before training reads a text. For the head alone these are all but the
    /// last, of which one position is read; for a mean they are all.
    package var frozenBlocks: Int {
        trainable == .head && !pooling.readsAllPositions ? config.blocks - 1 : trainable.firstBlock(of: config.blocks)
    }

    /// The pooling whose state alone is kept of each text, where only the head is trained; nil where the states of all
    /// positions are kept.
    package var keptPooling: Pooling? { trainable == .head ? pooling : nil }

    /// The frozen blocks, ready to run. Their prepacked weights are large: release the pass when all texts are done.
    func featurePass() throws -> FeaturePass {
        try FeaturePass(
            parameters, config: config, count: frozenBlocks, pooling: keptPooling, precision: precision,
            workers: workers)
    }

    /// What features depend on, apart from the texts.
    func origin() -> FeatureOrigin {
        let sha256 = parameters.sha256(workers) { name in
            if keptPooling != nil { return !name.hasPrefix("score.") }
            return !GPT2Parameters.isTrainable(name, .lastBlocks(config.blocks - frozenBlocks), blocks: config.blocks)
        }
        return FeatureOrigin(
            parametersSHA256: sha256, config: config, blocks: frozenBlocks, pooling: keptPooling, precision: precision)
    }

    /// Makes `sets` read their features from `store`.
    func connect(_ sets: [FeatureSet], to store: FeatureStore) {
        for set in sets { set.store = store }
    }

    /// Copies the states of `rows` to `destination`, one text after another: [N,C], or [B,C] for the head alone. Where
    /// no block is frozen, they are computed now.
    package func gather(_ destination: FloatView, _ rows: [Int], of features: FeatureSet) throws {
        if let store = features.store {
            try store.copy(features.texts(of: rows), to: destination)
        } else {
            try embed(features.batch(rows), to: destination)
        }
    }

    /// Computes the sums of the embeddings of a batch [N,C], where no block is frozen.
    package func embed(_ batch: TokenBatch, to destination: FloatView) throws {
        try embeddings?.run(destination, tokens: batch.tokens, batch.layout)
    }
}
