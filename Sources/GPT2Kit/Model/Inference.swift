// Logits of many texts, from the input of some block on: each worker takes chunks of texts through layers of its own.

package final class Inference: @unchecked Sendable {  // layers belong to one worker each
    private let layers: [ClassifierLayers]
    private let workers: Workers
    private let width: Int
    private let classes: Int

    /// Texts in a chunk.
    private static let chunkRows = 64

    /// - Parameter firstBlock: the block whose input is given; `config.blocks` for the final hidden states.
    package init(
        _ parameters: GPT2Parameters, config: GPT2Config, pooling: Pooling, firstBlock: Int, workers: Workers
    ) {
        self.workers = workers
        width = config.width
        classes = parameters.classes
        layers = (0..<workers.count).map { _ in
            ClassifierLayers(
                parameters, gradients: nil, trainable: .head, config: config, pooling: pooling,
                firstBlock: firstBlock, workers: Workers(count: 1))
        }
    }

    /// logits [B,K] from hidden states [N,C].
    package func logits(_ logits: Region, hidden: Region, _ packing: Packing) throws {
        try eachChunk(packing) { layers, rows, chunk in
            try layers.forward(hidden.advanced(by: packing.offsets[rows.lowerBound] * width), chunk)
            (logits.pointer + rows.lowerBound * classes).update(
                from: layers.logits.pointer, count: rows.count * classes)
        }
    }

    /// The same for texts that worker `worker` takes care of, on the calling thread.
    package func logits(_ logits: Region, hidden: Region, _ packing: Packing, worker: Int) throws(OutOfMemory) {
        for rows in chunks(packing) {
            let chunk = Packing(lengths: rows.map(packing.length))
            try layers[worker].forward(hidden.advanced(by: packing.offsets[rows.lowerBound] * width), chunk)
            (logits.pointer + rows.lowerBound * classes).update(
                from: layers[worker].logits.pointer, count: rows.count * classes)
        }
    }

    /// pooled [B,C], what the head reads, from hidden states [N,C].
    package func pooled(_ pooled: Region, hidden: Region, _ packing: Packing) throws {
        try eachChunk(packing) { layers, rows, chunk in
            try layers.pool(hidden.advanced(by: packing.offsets[rows.lowerBound] * width), chunk)
            (pooled.pointer + rows.lowerBound * width).update(
                from: layers.pooledStates.pointer, count: rows.count * width)
        }
    }

    /// logits [B,K] from pooled states [B,C].
    package func logits(_ logits: Region, pooled: Region, rows: Int) throws {
        try eachChunk(Packing(lengths: repeatElement(1, count: rows))) { layers, rows, _ in
            try layers.forward(pooledStates: pooled.pointer + rows.lowerBound * width, rows: rows.count)
            (logits.pointer + rows.lowerBound * classes).update(
                from: layers.logits.pointer, count: rows.count * classes)
        }
    }

    private func eachChunk(
        _ packing: Packing, _ body: (ClassifierLayers, Range<Int>, Packing) throws -> Void
    ) throws {
        let chunks = chunks(packing)
        let failure = FirstFailure()
        workers.forEach(chunks.count) { chunk, worker in
            failure.catching {
                try body(layers[worker], chunks[chunk], Packing(lengths: chunks[chunk].map(packing.length)))
            }
        }
        try failure.rethrow()
    }

    private func chunks(_ packing: Packing) -> [Range<Int>] {
        packing.chunks(tokens: FrozenBlocks.chunkTokens, rows: Self.chunkRows)
    }
}
