// What the trainable part of the model reads of each text: the output of the frozen blocks, computed once, or, where
// nothing is frozen, the tokens themselves.

/// The rows of one set (training, validation or test), ready for the trainable part.
package final class Features: @unchecked Sendable {  // filled before anyone reads, then never changed
    package let labels: [Int]
    /// The positions that are computed of every row.
    package let packing: Packing
    private let texts: DistinctTexts
    private let textOfRow: [Int]
    /// Hidden states [N,C] of all distinct texts before the first trainable block, or, for the head alone, their pooled
    /// states; nil where everything is trained.
    fileprivate var states: FloatBuffer?

    /// One for each of `sets`, whose distinct texts are `texts`.
    package static func of(_ sets: [TokenizedTexts], _ texts: DistinctTexts) -> [Features] {
        zip(sets, texts.textOfRow).map { Features($0.rows.labels, texts, $1) }
    }

    private init(_ labels: [Int32], _ texts: DistinctTexts, _ textOfRow: [Int]) {
        self.labels = labels.map(Int.init)
        self.texts = texts
        self.textOfRow = textOfRow
        packing = Packing(lengths: textOfRow.lazy.map(texts.packing.length))
    }

    package var count: Int { labels.count }

    /// The tokens of `rows`, packed.
    package func batch(_ rows: [Int]) -> (tokens: [Int32], packing: Packing) {
        (rows.flatMap { texts[textOfRow[$0]] }, Packing(lengths: rows.map(packing.length)))
    }

    /// Where the states of `row` are, in rows of ``states``.
    fileprivate func range(_ row: Int, pooled: Bool) -> Range<Int> {
        let text = textOfRow[row]
        return pooled ? text..<text + 1 : texts.packing.offsets[text]..<texts.packing.offsets[text + 1]
    }
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
        _ parameters: GPT2Parameters, config: GPT2Config, pooling: Pooling, trainable: TrainableSet, workers: Workers
    ) throws {
        self.config = config
        self.pooling = pooling
        self.trainable = trainable
        self.workers = workers
        let frozenBlocks =
            trainable == .head
            ? (pooling == .mean ? config.blocks : config.blocks - 1) : trainable.firstBlock(of: config.blocks)
        frozen = try FrozenBlocks(parameters, config: config, count: frozenBlocks, workers: workers)
        pooled =
            trainable == .head
            ? Inference(
                parameters, config: config, pooling: pooling, firstBlock: frozenBlocks, workers: workers) : nil
    }

    /// Whether every batch is computed from its tokens, because no block is frozen.
    package var keepsNothing: Bool { trainable.firstBlock(of: config.blocks) == 0 }

    /// Runs the frozen blocks over `texts`, which are those of all `sets`.
    ///
    /// - Parameter finished: called, from any thread, with the number of tokens of every part that is done.
    package func fill(
        _ sets: [Features], _ texts: DistinctTexts, finished: @Sendable (Int) -> Void = { _ in }
    ) throws {
        if keepsNothing { return }
        let states = try FloatBuffer(count: (pooled == nil ? texts.packing.tokens : texts.count) * config.width)
        if pooled == nil {
            try frozen.run(Region(states.pointer), tokens: texts.tokens, texts.packing, finished: finished)
        } else {
            try fillPooled(Region(states.pointer), texts, finished: finished)
        }
        for set in sets { set.states = states }
    }

    /// states [texts,C]. Hidden states of some texts at a time: only the pooled ones are kept.
    private func fillPooled(_ states: Region, _ texts: DistinctTexts, finished: @Sendable (Int) -> Void) throws {
        for part in texts.packing.chunks(tokens: 32 * FrozenBlocks.chunkTokens, rows: .max) {
            let packing = Packing(lengths: part.map(texts.packing.length))
            let hidden = try FloatBuffer(count: packing.tokens * config.width)
            try texts.tokens.withUnsafeBufferPointer { tokens in
                guard let start = tokens.baseAddress else { return }
                try frozen.run(
                    Region(hidden.pointer), tokens: start + texts.packing.offsets[part.lowerBound], packing,
                    finished: finished)
            }
            try pooled?.pooled(
                states.advanced(by: part.lowerBound * config.width), hidden: Region(hidden.pointer), packing)
        }
    }

    /// The states of `rows`, packed, at `destination` (room for their tokens, or for the head alone their number, × C).
    package func gather(_ destination: Region, _ rows: [Int], of features: Features) throws(OutOfMemory) {
        guard let states = features.states else {
            let (tokens, packing) = features.batch(rows)
            return try frozen.run(destination, tokens: tokens, packing)
        }
        var target = destination.pointer
        for row in rows {
            let range = features.range(row, pooled: pooled != nil)
            target.update(from: states.pointer + range.lowerBound * config.width, count: range.count * config.width)
            target += range.count * config.width
        }
    }
}
