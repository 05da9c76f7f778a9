// What the trainable part reads of a text, and how it is computed.

/// Computes features, and gathers batches of them.
package struct FeatureExtractor {
    package let config: GPT2Config
    package let pooling: Pooling
    package let trainable: TrainableSet
    package let precision: Precision
    package let workers: Workers
    private let parameters: GPT2Parameters
    /// Where no block is frozen.
    private let embeddings: InferenceBlocks?

    /// - Parameter parameters: those that are trained, so that trainable embeddings are read as they are by then.
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

    /// The blocks that texts go through before training reads them. For the head alone the last one is left out,
    /// because one position is read of it, but for the mean.
    package var frozenBlocks: Int {
        trainable == .head && pooling != .mean ? config.blocks - 1 : trainable.firstBlock(of: config.blocks)
    }

    /// The pooling after which the head alone is trained on one row of states for each text; nil where the states of
    /// all positions are read.
    package var keptPooling: Pooling? { trainable == .head ? pooling : nil }

    /// The frozen blocks, ready to run. Their packed weights are large: let it go when all texts are done.
    func featurePass() throws -> FeaturePass {
        try FeaturePass(
            parameters, config: config, count: frozenBlocks, pooling: keptPooling, precision: precision,
            workers: workers)
    }

    /// What features depend on.
    func origin() -> FeatureOrigin {
        let sha256 = parameters.sha256(workers) { name in
            if keptPooling != nil { return !name.hasPrefix("score.") }
            return !GPT2Parameters.isTrainable(name, .lastBlocks(config.blocks - frozenBlocks), blocks: config.blocks)
        }
        return FeatureOrigin(
            parametersSHA256: sha256, config: config, blocks: frozenBlocks, pooling: keptPooling, precision: precision)
    }

    /// From now on `sets` read `store`.
    func connect(_ sets: [FeatureSet], to store: FeatureStore) {
        for set in sets { set.store = store }
    }

    /// The states of `rows`, packed, at `destination` (room for their tokens, or for the head alone their number, × C).
    package func gather(_ destination: FloatView, _ rows: [Int], of features: FeatureSet) throws {
        if let store = features.store {
            try store.copy(features.texts(of: rows), to: destination)
        } else {
            let (tokens, layout) = features.batch(rows)
            try embeddings?.run(destination, tokens: tokens, layout)
        }
    }
}
