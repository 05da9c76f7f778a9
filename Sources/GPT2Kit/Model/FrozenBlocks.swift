// The blocks that aren't trained: a function of the text alone, run once for each.
//
// Texts are packed one after another, without pads, into chunks; one worker takes a chunk through the embeddings and
// all frozen blocks, with oneDNN on its own thread. Linear layers run on tiles of 48 rows, attention on one text at a
// time: what comes out for a text has the same bits whatever texts it was packed with, and on however many threads.

package final class FrozenBlocks: @unchecked Sendable {  // layers don't change; each worker has scratch of its own
    private struct Layers {
        let parameters: BlockParameters
        let attention: PackedLinear
        let projection: PackedLinear
        let expansion: PackedLinear
        let contraction: PackedLinear
    }

    /// Tokens in a chunk of short texts, whole tiles; a longer text is a chunk of its own.
    package static let chunkTokens = 528

    private let config: GPT2Config
    private let tokenEmbedding: Tensor
    private let positionEmbedding: Tensor
    private let layers: [Layers]
    private let workers: Workers
    private let scratch: [Scratch]

    /// Blocks 0 ..< count of the model, and its embeddings.
    ///
    /// - Parameter precision: of the linear layers' products.
    package init(
        _ parameters: GPT2Parameters, config: GPT2Config, count: Int, precision: Precision = .float32, workers: Workers
    ) throws {
        self.config = config
        self.workers = workers
        tokenEmbedding = parameters.tokenEmbedding
        positionEmbedding = parameters.positionEmbedding
        layers = try Self.packed(parameters.blocks.prefix(count), precision, workers)
        let layerScratch =
            layers.flatMap { [$0.attention, $0.projection, $0.expansion, $0.contraction] }
            .map(\.scratchCount).max() ?? 0
        scratch = (0..<workers.count).map { _ in Scratch(layerScratch: layerScratch) }
    }

    /// The linear layers of all blocks, each brought into its layout by whichever worker is free.
    private static func packed(
        _ blocks: ArraySlice<BlockParameters>, _ precision: Precision, _ workers: Workers
    ) throws -> [Layers] {
        let blocks = Array(blocks)
        var linear = [PackedLinear?](repeating: nil, count: 4 * blocks.count)
        let failure = FirstFailure()
        linear.withUnsafeMutableBufferPointer { linear in
            nonisolated(unsafe) let linear = linear
            workers.forEach(linear.count) { index in
                failure.catching { linear[index] = try pack(blocks[index / 4], index % 4, precision) }
            }
        }
        try failure.rethrow()
        let packed = linear.compactMap { $0 }
        return blocks.indices.map { block in
            Layers(
                parameters: blocks[block], attention: packed[4 * block], projection: packed[4 * block + 1],
                expansion: packed[4 * block + 2], contraction: packed[4 * block + 3])
        }
    }

    /// One layer; the weights that it was packed from aren't needed any more.
    private static func pack(_ block: BlockParameters, _ layer: Int, _ precision: Precision) throws -> PackedLinear {
        let (weight, bias, epilogue): (Tensor, Tensor, PackedLinear.Epilogue) =
            switch layer {
            case 0: (block.attentionWeight, block.attentionBias, .store)
            case 1: (block.projectionWeight, block.projectionBias, .add)
            case 2: (block.expansionWeight, block.expansionBias, .gelu)
            default: (block.contractionWeight, block.contractionBias, .add)
            }
        defer { weight.release() }
        return try PackedLinear(weight, bias, epilogue, precision)
    }

    /// output [N,C], what comes out of the last frozen block, for the tokens of all texts.
    ///
    /// - Parameter finished: called, from any thread, with the number of tokens of every chunk that is done.
    package func run(
        _ output: Region, tokens: UnsafePointer<Int32>, _ packing: Packing, finished: @Sendable (Int) -> Void = { _ in }
    ) throws(OutOfMemory) {
        let chunks = packing.chunks(tokens: Self.chunkTokens, rows: Self.chunkTokens)
        let longest = chunks.map { packing.offsets[$0.upperBound] - packing.offsets[$0.lowerBound] }.max() ?? 0
        for scratch in scratch { try scratch.reserve(tokens: longest, length: packing.longest, config: config) }
        workers.forEach(chunks.count) { chunk, worker in
            let first = packing.offsets[chunks[chunk].lowerBound]
            let lengths = Packing(lengths: chunks[chunk].map(packing.length))
            run(output.advanced(by: first * config.width), tokens + first, lengths, scratch[worker])
            finished(lengths.tokens)
        }
    }

    /// The same for texts that worker `worker` takes care of, as one chunk on the calling thread.
    package func run(
        _ output: Region, tokens: UnsafePointer<Int32>, _ packing: Packing, worker: Int
    ) throws(OutOfMemory) {
        try scratch[worker].reserve(tokens: packing.tokens, length: packing.longest, config: config)
        run(output, tokens, packing, scratch[worker])
    }

    /// One chunk on the calling thread.
    private func run(
        _ output: Region, _ tokens: UnsafePointer<Int32>, _ packing: Packing, _ scratch: Scratch
    ) {
        let C = config.width
        let N = packing.tokens
        let x = scratch.x
        for row in 0..<packing.rows {
            for position in 0..<packing.length(row) {
                let token = packing.offsets[row] + position
                let y = x.pointer + token * C
                y.update(from: tokenEmbedding.pointer + Int(tokens[token]) * C, count: C)
                add(y, positionEmbedding.pointer + position * C, C)
            }
        }
        for layer in layers { run(layer, packing, scratch) }
        output.pointer.update(from: x.pointer, count: N * C)
    }

    private func run(_ layer: Layers, _ packing: Packing, _ s: Scratch) {
        let (C, H) = (config.width, config.heads)
        let block = layer.parameters
        let tile = PackedLinear.tileRows
        for first in stride(from: 0, to: packing.tokens, by: tile) {
            normalize(s, first, gain: block.ln1Weight, shift: block.ln1Bias)
            layer.attention.run(s.qkv.advanced(by: first * 3 * C), s.normalized, scratch: s.layer)
        }
        for row in 0..<packing.rows {
            let token = packing.offsets[row]
            let qkv = s.qkv.matrix(3 * C).at(row: token)
            for head in 0..<H {
                let column = head * (C / H)
                Attention.forward(
                    s.heads.matrix(C).at(row: token, column: column),
                    query: qkv.at(column: column), key: qkv.at(column: C + column),
                    value: qkv.at(column: 2 * C + column), length: packing.length(row), headWidth: C / H,
                    isCausal: config.isCausal, scratch: s.scores.pointer)
            }
        }
        for first in stride(from: 0, to: packing.tokens, by: tile) {
            let x = s.x.advanced(by: first * C)
            layer.projection.run(x, s.heads.advanced(by: first * C), scratch: s.layer)
            normalize(s, first, gain: block.ln2Weight, shift: block.ln2Bias)
            layer.expansion.run(s.expanded, s.normalized, scratch: s.layer)
            layer.contraction.run(x, s.expanded, scratch: s.layer)
        }
    }

    /// LayerNorm of a tile of x into `normalized`.
    private func normalize(_ s: Scratch, _ first: Int, gain: Tensor, shift: Tensor) {
        LayerNorm.forward(
            s.normalized.pointer, s.x.pointer + first * config.width, gain: gain.pointer, shift: shift.pointer,
            rows: PackedLinear.tileRows, width: config.width, epsilon: config.epsilon)
    }

    /// The working memory of one worker; rows are rounded up to whole tiles, and those behind the last token hold
    /// finite leftovers that nobody reads.
    private final class Scratch {
        private var memory = Arena()
        private let layerScratch: Int
        private var capacity = (tokens: 0, length: 0)
        var x = Region(), normalized = Region(), qkv = Region(), heads = Region()
        var expanded = Region(), scores = Region(), layer = Region()

        init(layerScratch: Int) { self.layerScratch = layerScratch }

        func reserve(tokens: Int, length: Int, config: GPT2Config) throws(OutOfMemory) {
            guard tokens > capacity.tokens || length > capacity.length else { return }
            let tile = PackedLinear.tileRows
            let N = (max(tokens, capacity.tokens, FrozenBlocks.chunkTokens) + tile - 1) / tile * tile
            let T = max(length, capacity.length)
            let (C, F) = (config.width, config.innerWidth)
            let r = try memory.allocate([
                N * C, tile * C, N * 3 * C, N * C, tile * F, Attention.scratchCount(length: T), layerScratch,
            ])
            (x, normalized, qkv, heads, expanded, scores, layer) = (r[0], r[1], r[2], r[3], r[4], r[5], r[6])
            capacity = (N, T)
        }
    }
}
