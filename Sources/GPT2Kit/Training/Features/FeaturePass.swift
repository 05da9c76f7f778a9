// The one pass of a run over its texts: embeddings and frozen blocks, and for the head alone everything up to it.

/// Frozen blocks with prepacked weights.
struct FeaturePass {
    private let config: GPT2Config
    private let frozen: InferenceBlocks
    /// For the head alone: the last block (but for the mean, which needs it whole) and the final LayerNorm.
    private let pooled: InferenceTail?

    /// - Parameter pooling: nil where the states of all positions are wanted.
    init(
        _ parameters: GPT2Parameters, config: GPT2Config, count: Int, pooling: Pooling?, precision: Precision,
        workers: Workers
    ) throws {
        self.config = config
        frozen = try InferenceBlocks(parameters, config: config, count: count, precision: precision, workers: workers)
        pooled = try pooling.map {
            try InferenceTail(parameters, config: config, pooling: $0, firstBlock: count, workers: workers)
        }
    }

    /// Computes the states of a part of `texts`: [N,C], or [texts,C] at the pooled positions.
    ///
    /// - Parameter finished: called, from any thread, with the number of tokens of every chunk that is done.
    func run(
        _ states: FloatView, _ part: Range<Int>, of texts: DistinctTexts, finished: @Sendable (Int) -> Void
    ) throws {
        guard let pooled else { return try runFrozen(states, part, of: texts, finished: finished) }
        // Hidden states of some texts at a time: only the pooled ones are kept.
        let layout = TextLayout(lengths: part.map(texts.layout.length))
        for chunk in layout.chunks(tokens: 32 * InferenceBlocks.chunkTokens, rows: .max) {
            let lengths = TextLayout(lengths: chunk.map(layout.length))
            let hidden = try FloatBuffer(count: lengths.tokens * config.width)
            let first = part.lowerBound + chunk.lowerBound
            try runFrozen(FloatView(hidden.pointer), first..<first + chunk.count, of: texts, finished: finished)
            try pooled.pooled(
                states.advanced(by: chunk.lowerBound * config.width), hidden: FloatView(hidden.pointer), lengths)
        }
    }

    /// Computes hidden [N,C] of a part of `texts`.
    private func runFrozen(
        _ hidden: FloatView, _ part: Range<Int>, of texts: DistinctTexts, finished: @Sendable (Int) -> Void
    ) throws {
        try texts.tokens.withUnsafeBufferPointer { tokens in
            guard let start = tokens.baseAddress else { return }
            try frozen.run(
                hidden, tokens: start + texts.layout.offsets[part.lowerBound],
                TextLayout(lengths: part.map(texts.layout.length)), finished: finished)
        }
    }
}
