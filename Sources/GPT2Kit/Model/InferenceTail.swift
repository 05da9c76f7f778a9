// The last blocks of a model and its head, forward only, for many texts. Each worker takes chunks of texts through
// layers of its own.

/// Logits or pooled states of texts, from the input of some block on.
package final class InferenceTail: @unchecked Sendable {  // layers belong to one worker each
    private let layers: [ClassifierTail]
    private let workers: Workers
    private let width: Int
    private let classes: Int

    /// Texts in a chunk.
    private static let chunkRows = 64

    /// - Parameters:
    ///   - firstBlock: the block whose input is given; `config.blocks` for the final hidden states.
    ///   - precision: of the operands of products over the tokens of whole texts.
    ///   - other: one that trains the same parameters, and prepares its weights for both; nil for none.
    /// - Throws: ``OneDNNError``, ``OutOfMemory``.
    package init(
        _ parameters: GPT2Parameters, config: GPT2Config, pooling: Pooling, firstBlock: Int,
        precision: Precision = .float32, sharing other: ClassifierTail? = nil, workers: Workers
    ) throws {
        self.workers = workers
        width = config.width
        classes = parameters.classes
        var layers: [ClassifierTail] = []
        for _ in 0..<workers.count {
            layers.append(
                try ClassifierTail(
                    parameters, gradients: nil, trainable: .head, config: config, pooling: pooling,
                    firstBlock: firstBlock, precision: precision, sharing: other ?? layers.first,
                    workers: Workers(count: 1)))
        }
        self.layers = layers
    }

    /// logits [B,K] from hidden states [N,C].
    package func logits(_ logits: FloatView, hidden: FloatView, _ layout: TextLayout) throws {
        try eachChunk(layout) { layers, rows, chunk in
            try layers.forward(hidden.advanced(by: layout.offsets[rows.lowerBound] * width), chunk)
            (logits.pointer + rows.lowerBound * classes).update(
                from: layers.logits.pointer, count: rows.count * classes)
        }
    }

    /// The same on the calling thread, with the layers of worker `worker`.
    package func logits(_ logits: FloatView, hidden: FloatView, _ layout: TextLayout, worker: Int) throws {
        for rows in chunks(layout) {
            let chunk = TextLayout(lengths: rows.map(layout.length))
            try layers[worker].forward(hidden.advanced(by: layout.offsets[rows.lowerBound] * width), chunk)
            (logits.pointer + rows.lowerBound * classes).update(
                from: layers[worker].logits.pointer, count: rows.count * classes)
        }
    }

    /// pooled [B,C], the input of the head, from hidden states [N,C].
    package func pooled(_ pooled: FloatView, hidden: FloatView, _ layout: TextLayout) throws {
        try eachChunk(layout) { layers, rows, chunk in
            try layers.pool(hidden.advanced(by: layout.offsets[rows.lowerBound] * width), chunk)
            (pooled.pointer + rows.lowerBound * width).update(
                from: layers.pooledStates.pointer, count: rows.count * width)
        }
    }

    /// logits [B,K] from pooled states [B,C].
    package func logits(_ logits: FloatView, pooled: FloatView, rows: Int) throws {
        try eachChunk(TextLayout(lengths: repeatElement(1, count: rows))) { layers, rows, _ in
            try layers.forward(pooledStates: pooled.pointer + rows.lowerBound * width, rows: rows.count)
            (logits.pointer + rows.lowerBound * classes).update(
                from: layers.logits.pointer, count: rows.count * classes)
        }
    }

    private func eachChunk(
        _ layout: TextLayout, _ body: @Sendable (ClassifierTail, Range<Int>, TextLayout) throws -> Void
    ) throws {
        let chunks = chunks(layout)
        let failure = FirstFailure()
        workers.forEach(chunks.count) { chunk, worker in
            failure.catching {
                try body(layers[worker], chunks[chunk], TextLayout(lengths: chunks[chunk].map(layout.length)))
            }
        }
        try failure.rethrow()
    }

    private func chunks(_ layout: TextLayout) -> [Range<Int>] {
        layout.chunks(tokens: InferenceBlocks.chunkTokens, rows: Self.chunkRows)
    }
}
