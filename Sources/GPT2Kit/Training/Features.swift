// What the trainable part of the model reads of each text: the output of the frozen blocks, computed once, or, where
// nothing is frozen, the tokens themselves.

/// The rows of one set (training, validation or test), ready for the trainable part.
package final class Features: @unchecked Sendable {  // filled before anyone reads, then never changed
    package let labels: [Int]
    /// The positions that are computed of every row.
    package let packing: Packing
    package let tokens: [Int32]
    /// Hidden states [N,C] before the first trainable block, or, for the head alone, pooled states [B,C]; nil where
    /// everything is trained.
    package fileprivate(set) var states: FloatBuffer?

    package init(_ texts: TokenizedTexts, _ pooling: Pooling, isCausal: Bool) {
        let (rows, description) = (texts.rows, texts.description)
        labels = rows.labels.map(Int.init)
        var tokens: [Int32] = []
        packing = Packing(
            lengths: (0..<rows.count).map { row in
                pooling.append(
                    rows[row], to: &tokens, paddedLength: description.length, padToken: description.padToken,
                    isCausal: isCausal)
            })
        self.tokens = tokens
    }

    package var count: Int { labels.count }
}

/// Computes features, and gathers batches of them.
package struct FeatureExtractor {
    package let config: GPT2Config
    package let pooling: Pooling
    package let trainable: TrainableSet
    package let workers: Workers
    private let frozen: FrozenBlocks
    /// For the head alone: the last block (but for the mean, which needs it whole) and the final LayerNorm.
    private let pooled: Inference?

    /// - Parameter parameters: those that are trained, so that trainable embeddings are read as they are by then.
    package init(
        _ parameters: GPT2Parameters, config: GPT2Config, pooling: Pooling, trainable: TrainableSet,
        precision: Precision = .float32, workers: Workers
    ) throws {
        self.config = config
        self.pooling = pooling
        self.trainable = trainable
        self.workers = workers
        let frozenBlocks =
            trainable == .head
            ? (pooling == .mean ? config.blocks : config.blocks - 1) : trainable.firstBlock(of: config.blocks)
        frozen = try FrozenBlocks(
            parameters, config: config, count: frozenBlocks, precision: precision, workers: workers)
        pooled =
            trainable == .head
            ? Inference(
                parameters, config: config, pooling: pooling, firstBlock: frozenBlocks, workers: workers) : nil
    }

    /// Whether every batch is computed from its tokens, because no block is frozen.
    package var keepsNothing: Bool { trainable.firstBlock(of: config.blocks) == 0 }

    /// Runs the frozen blocks over all rows of `features`.
    ///
    /// - Parameter finished: called, from any thread, with the number of tokens of every part that is done.
    package func fill(_ features: Features, finished: @Sendable (Int) -> Void = { _ in }) throws {
        if keepsNothing { return }
        guard let pooled else {
            let states = try FloatBuffer(count: features.packing.tokens * config.width)
            try frozen.run(Region(states.pointer), tokens: features.tokens, features.packing, finished: finished)
            features.states = states
            return
        }
        // Hidden states of some texts at a time: only the pooled ones are kept.
        let states = try FloatBuffer(count: features.count * config.width)
        for rows in features.packing.chunks(tokens: 32 * FrozenBlocks.chunkTokens, rows: .max) {
            let packing = Packing(lengths: rows.map(features.packing.length))
            let hidden = try FloatBuffer(count: packing.tokens * config.width)
            let first = features.packing.offsets[rows.lowerBound]
            try features.tokens.withUnsafeBufferPointer { tokens in
                guard let start = tokens.baseAddress else { return }
                try frozen.run(Region(hidden.pointer), tokens: start + first, packing, finished: finished)
            }
            try pooled.pooled(
                Region(states.pointer + rows.lowerBound * config.width), hidden: Region(hidden.pointer), packing)
        }
        features.states = states
    }

    /// The states of `rows`, packed, at `destination` (room for their tokens, or for the head alone their number, × C).
    package func gather(_ destination: Region, _ rows: [Int], of features: Features) throws(OutOfMemory) {
        let C = config.width
        var target = destination.pointer
        if let states = features.states {
            for row in rows {
                let range =
                    trainable == .head
                    ? row..<row + 1 : features.packing.offsets[row]..<features.packing.offsets[row + 1]
                target.update(from: states.pointer + range.lowerBound * C, count: range.count * C)
                target += range.count * C
            }
        } else {
            let (tokens, packing) = features.batch(rows)
            try frozen.run(destination, tokens: tokens, packing)
        }
    }
}

extension Features {
    /// The tokens of `rows`, packed.
    package func batch(_ rows: [Int]) -> (tokens: [Int32], packing: Packing) {
        let packing = Packing(lengths: rows.map(self.packing.length))
        let tokens = rows.flatMap { self.tokens[self.packing.offsets[$0]..<self.packing.offsets[$0 + 1]] }
        return (tokens, packing)
    }
}
