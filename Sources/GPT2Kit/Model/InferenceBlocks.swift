// The first blocks of a model, forward only: in scoring, and as the frozen blocks of training. What they compute of a
// text depends on that text alone.
//
// The texts of a chunk lie one after another, without pads. One worker takes a chunk through the embeddings and all
// these blocks, with oneDNN on its own thread. Linear layers run on tiles of 48 rows, attention on one text at a time.
// The output for a text has the same bits in any chunk and on any number of threads.

/// The embeddings and the first blocks of a model, with prepacked weights.
package final class InferenceBlocks: @unchecked Sendable {  // layers don't change; each worker has scratch of its own
    private struct Layers {
        let parameters: BlockParameters
        let attention: PrepackedLinear
        let attentionProjection: PrepackedLinear
        let mlpFC: PrepackedLinear
        let mlpProjection: PrepackedLinear

        /// All four, in the order of ``PrepackedCopy``.
        var linear: [PrepackedLinear] { [attention, attentionProjection, mlpFC, mlpProjection] }
    }

    /// Tokens in a chunk of short texts, whole tiles; a longer text is a chunk of its own.
    package static let chunkTokens = 528

    /// The number of blocks.
    package var count: Int { layers.count }

    private let config: GPT2Config
    private let embeddings: Embeddings
    private let layers: [Layers]
    private let workers: Workers
    private let scratch: [Scratch]

    /// Blocks 0 ..< count of the model, and its embeddings.
    ///
    /// - Parameters:
    ///   - precision: of the linear layers' products.
    ///   - copy: what may have the layers' weights, packed; nil for nothing.
    package init(
        _ parameters: GPT2Parameters, config: GPT2Config, count: Int, precision: Precision = .float32,
        copy: PrepackedCopy? = nil, workers: Workers
    ) throws {
        self.config = config
        self.workers = workers
        embeddings = Embeddings(parameters)
        layers = try Self.packed(parameters.blocks.prefix(count), precision, copy, workers)
        let layerScratch = layers.flatMap(\.linear).map(\.scratchCount).max() ?? 0
        scratch = (0..<workers.count).map { _ in Scratch(layerScratch: layerScratch) }
    }

    /// The linear layers of all blocks, each packed by whichever worker is free.
    private static func packed(
        _ blocks: ArraySlice<BlockParameters>, _ precision: Precision, _ copy: PrepackedCopy?, _ workers: Workers
    ) throws -> [Layers] {
        let blocks = Array(blocks)
        var linear = [PrepackedLinear?](repeating: nil, count: 4 * blocks.count)
        let failure = FirstFailure()
        linear.withUnsafeMutableBufferPointer { linear in
            nonisolated(unsafe) let linear = linear
            workers.forEach(linear.count) { index in
                failure.catching { linear[index] = try pack(blocks[index / 4], index % 4, precision, copy?[index]) }
            }
        }
        try failure.rethrow()
        let packed = linear.compactMap { $0 }
        return blocks.indices.map { block in
            Layers(
                parameters: blocks[block], attention: packed[4 * block], attentionProjection: packed[4 * block + 1],
                mlpFC: packed[4 * block + 2], mlpProjection: packed[4 * block + 3])
        }
    }

    /// One layer. The weights that it was packed from aren't needed afterwards.
    private static func pack(
        _ block: BlockParameters, _ layer: Int, _ precision: Precision, _ copy: PrepackedMatrix?
    ) throws -> PrepackedLinear {
        let (weight, bias, epilogue): (Tensor, Tensor, PrepackedLinear.Epilogue) =
            switch layer {
            case 0: (block.attentionWeight, block.attentionBias, .store)
            case 1: (block.attentionProjectionWeight, block.attentionProjectionBias, .add)
            case 2: (block.mlpFCWeight, block.mlpFCBias, .gelu)
            default: (block.mlpProjectionWeight, block.mlpProjectionBias, .add)
            }
        defer { weight.release() }
        return try PrepackedLinear(weight, bias, epilogue, precision, copy: copy)
    }

    /// The weights of all layers as they are packed, in their order; nil where a layer doesn't tell its.
    package var packed: [PrepackedMatrix]? {
        let packed = layers.flatMap(\.linear).compactMap(\.packed)
        return packed.count == 4 * count && packed.allSatisfy { !$0.layout.isEmpty } ? packed : nil
    }

    /// output [N,C] = the states of all texts' tokens behind the last of these blocks.
    ///
    /// - Parameter finished: called, from any thread, with the number of tokens of every chunk that is done.
    package func run(
        _ output: FloatView, tokens: UnsafePointer<Int32>, _ layout: TextLayout,
        finished: @Sendable (Int) -> Void = { _ in }
    ) throws(OutOfMemory) {
        let chunks = layout.chunks(tokens: Self.chunkTokens, rows: Self.chunkTokens)
        let longest = chunks.map { layout.offsets[$0.upperBound] - layout.offsets[$0.lowerBound] }.max() ?? 0
        for scratch in scratch { try scratch.reserve(tokens: longest, length: layout.longest, config: config) }
        nonisolated(unsafe) let tokens = tokens  // only read
        workers.forEach(chunks.count) { chunk, worker in
            let first = layout.offsets[chunks[chunk].lowerBound]
            let lengths = TextLayout(lengths: chunks[chunk].map(layout.length))
            run(output.advanced(by: first * config.width), tokens + first, lengths, scratch[worker])
            finished(lengths.tokens)
        }
    }

    /// The same for texts that are one chunk, on the calling thread, with the scratch memory of worker `worker`.
    package func run(
        _ output: FloatView, tokens: UnsafePointer<Int32>, _ layout: TextLayout, worker: Int
    ) throws(OutOfMemory) {
        try scratch[worker].reserve(tokens: layout.tokens, length: layout.longest, config: config)
        run(output, tokens, layout, scratch[worker])
    }

    /// The same for one text, whose keys and values are kept for texts that begin like it.
    package func run(
        _ output: FloatView, tokens: UnsafePointer<Int32>, count: Int, recording beginning: TextBeginning, worker: Int
    ) throws(OutOfMemory) {
        try scratch[worker].reserve(tokens: count, length: count, config: config)
        run(output, tokens, TextLayout(lengths: [count]), scratch[worker], recording: beginning)
    }

    /// output [N,C] = the states of the rest of texts, the first tokens of which are those of `beginning`.
    ///
    /// - Parameters:
    ///   - tokens: the rest of each text, one after another.
    ///   - layout: the lengths of the rests, at least 1.
    ///   - pasts: how many tokens of `beginning` come before each rest. 0 where attention isn't causal.
    package func run(
        _ output: FloatView, tokens: UnsafePointer<Int32>, _ layout: TextLayout, after beginning: TextBeginning,
        pasts: [Int], worker: Int
    ) throws(OutOfMemory) {
        let longest = (0..<layout.rows).map { layout.length($0) + pasts[$0] }.max() ?? 0
        try scratch[worker].reserve(tokens: layout.tokens, length: longest, config: config)
        run(output, tokens, layout, scratch[worker], after: (beginning, pasts))
    }

    /// One chunk on the calling thread.
    private func run(
        _ output: FloatView, _ tokens: UnsafePointer<Int32>, _ layout: TextLayout, _ scratch: Scratch,
        recording: TextBeginning? = nil, after past: (beginning: TextBeginning, counts: [Int])? = nil
    ) {
        let C = config.width
        let N = layout.tokens
        let x = scratch.x
        for row in 0..<layout.rows {
            let first = layout.offsets[row]
            embeddings.forward(
                x.pointer + first * C, tokens: tokens + first, count: layout.length(row), from: past?.counts[row] ?? 0)
        }
        for (index, layer) in layers.enumerated() {
            run(layer, layout, scratch, pasts: past?.counts) { row, qkv in
                recording?.keep(qkv, block: index)
                return past.flatMap { past in
                    past.counts[row] == 0
                        ? nil
                        : past.beginning.joined(
                            past.counts[row], with: qkv, count: layout.length(row), block: index, scratch.joined.pointer
                        )
                }
            }
        }
        output.pointer.update(from: x.pointer, count: N * C)
    }

    /// - Parameter joined: gets a text's queries, keys and values; its keys and values behind those before, [past+T,C] each, or nil
    ///   where there are none.
    private func run(
        _ layer: Layers, _ layout: TextLayout, _ s: Scratch, pasts: [Int]?,
        joined: (_ row: Int, _ qkv: Matrix) -> (keys: Matrix, values: Matrix)?
    ) {
        let (C, H) = (config.width, config.heads)
        let block = layer.parameters
        let tile = PrepackedLinear.tileRows
        for first in stride(from: 0, to: layout.tokens, by: tile) {
            let rows = min(tile, layout.tokens - first)
            normalize(s, first, rows, weight: block.ln1Weight, bias: block.ln1Bias)
            layer.attention.run(s.qkv.advanced(by: first * 3 * C), s.normalized, scratch: s.layer, wanted: rows)
        }
        for row in 0..<layout.rows {
            let token = layout.offsets[row]
            let qkv = s.qkv.matrix(3 * C).at(row: token)
            let (keys, values) = joined(row, qkv) ?? (qkv.at(column: C), qkv.at(column: 2 * C))
            for head in 0..<H {
                let column = head * (C / H)
                Attention.forward(
                    s.heads.matrix(C).at(row: token, column: column),
                    query: qkv.at(column: column), key: keys.at(column: column), value: values.at(column: column),
                    length: layout.length(row), past: pasts?[row] ?? 0, headWidth: C / H, isCausal: config.isCausal,
                    scratch: s.scores.pointer)
            }
        }
        for first in stride(from: 0, to: layout.tokens, by: tile) {
            let x = s.x.advanced(by: first * C)
            let rows = min(tile, layout.tokens - first)
            layer.attentionProjection.run(x, s.heads.advanced(by: first * C), scratch: s.layer, wanted: rows)
            normalize(s, first, rows, weight: block.ln2Weight, bias: block.ln2Bias)
            layer.mlpFC.run(s.fc, s.normalized, scratch: s.layer, wanted: rows)
            layer.mlpProjection.run(x, s.fc, scratch: s.layer, wanted: rows)
        }
    }

    /// LayerNorm of the first `rows` rows of a tile of x into `normalized`.
    private func normalize(_ s: Scratch, _ first: Int, _ rows: Int, weight: Tensor, bias: Tensor) {
        LayerNorm.forward(
            s.normalized.pointer, s.x.pointer + first * config.width, weight: weight.pointer, bias: bias.pointer,
            rows: PrepackedLinear.computed(rows), width: config.width, epsilon: config.epsilon)
    }

    /// The working memory of one worker; rows are rounded up to whole tiles, and those behind the last token hold
    /// leftovers that nobody reads.
    private final class Scratch {
        private let workspace = Workspace()
        private let layerScratch: Int
        private var capacity = (tokens: 0, length: 0)
        var x = FloatView(), normalized = FloatView(), qkv = FloatView(), heads = FloatView()
        var fc = FloatView(), scores = FloatView(), layer = FloatView(), joined = FloatView()

        init(layerScratch: Int) { self.layerScratch = layerScratch }

        func reserve(tokens: Int, length: Int, config: GPT2Config) throws(OutOfMemory) {
            guard tokens > capacity.tokens || length > capacity.length else { return }
            let tile = PrepackedLinear.tileRows
            let N = (max(tokens, capacity.tokens) + tile - 1) / tile * tile
            let T = max(length, capacity.length)
            let (C, F) = (config.width, config.innerWidth)
            try workspace.allocate { take in
                x = take(N * C)
                normalized = take(tile * C)
                qkv = take(N * 3 * C)
                heads = take(N * C)
                fc = take(tile * F)
                scores = take(Attention.scratchCount(length: T))
                layer = take(layerScratch)
                joined = take(2 * T * C)
            }
            capacity = (N, T)
        }
    }
}
