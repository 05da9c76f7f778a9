// GPT-2 as a language model, a few tokens at a time: the keys and values of earlier positions are kept, so that a new token
// costs one position in every layer and one row of logits.

/// Computes the logits of the next token of one text, which grows.
package final class CachedLanguageModel: @unchecked Sendable {  // one text at a time; each tile writes its own part
    private struct Layers {
        let block: BlockParameters
        let attention: Linear
        let projection: Linear
        let fc: Linear
        let mlpProjection: Linear
    }

    /// The most tokens that a text can have.
    package let positions: Int
    /// The tokens of the text so far.
    package private(set) var count = 0
    /// The logits of the token that follows the last one, [V]. Valid after an ``append(_:)``.
    package var logits: UnsafeBufferPointer<Float> { UnsafeBufferPointer(start: output.pointer, count: V) }

    private let parameters: GPT2Parameters
    private let config: GPT2Config
    private let workers: Workers
    private let embeddings: Embeddings
    private let layers: [Layers]
    private let workspace = Workspace()
    private let cache: FloatBuffer
    private var x = FloatView(), normalized = FloatView(), qkv = FloatView(), mixed = FloatView(), fc = FloatView()
    private var output = FloatView()  // [V]
    private var scratch: [FloatBuffer] = []

    /// Tokens that go through the layers together.
    private static let rows = 64
    private static let rowTile = 16
    private static let vocabularyTile = 1024

    private var C: Int { config.width }
    private var V: Int { config.vocabularySize }

    /// - Throws: ``OutOfMemory``. Memory: 8·C bytes for every position of every block.
    package init(_ parameters: GPT2Parameters, config: GPT2Config, workers: Workers) throws(OutOfMemory) {
        self.parameters = parameters
        self.config = config
        self.workers = workers
        positions = config.positions
        embeddings = Embeddings(parameters)
        layers = parameters.blocks.map { block in
            Layers(
                block: block, attention: Linear(block.attentionWeight, block.attentionBias),
                projection: Linear(block.attentionProjectionWeight, block.attentionProjectionBias),
                fc: Linear(block.mlpFCWeight, block.mlpFCBias),
                mlpProjection: Linear(block.mlpProjectionWeight, block.mlpProjectionBias))
        }
        let (C, F, V) = (config.width, config.innerWidth, config.vocabularySize)
        cache = try FloatBuffer(count: 2 * config.blocks * config.positions * C)
        let N = Self.rows
        try workspace.allocate { take in
            x = take(N * C)
            normalized = take(N * max(C, F))
            qkv = take(N * 3 * C)
            mixed = take(N * C)
            fc = take(N * F)
            output = take(V)
        }
        for _ in 0..<workers.count {
            scratch.append(try FloatBuffer(count: Attention.scratchCount(length: positions)))
        }
    }

    /// Forgets the tokens from `count` on. ``logits`` are those of what was there before.
    package func truncate(to count: Int) { self.count = min(count, self.count) }

    /// Appends tokens, at least one, to the text, which may not get longer than ``positions``.
    package func append(_ tokens: [Int32]) {
        precondition(!tokens.isEmpty && count + tokens.count <= positions, "a text without a new token, or too long")
        for first in stride(from: 0, to: tokens.count, by: Self.rows) {
            let part = Array(tokens[first..<min(first + Self.rows, tokens.count)])
            appendPart(part)
            if first + part.count == tokens.count { computeLogits(row: part.count - 1) }
        }
    }

    private func appendPart(_ tokens: [Int32]) {
        let n = tokens.count
        embeddings.forward(x.pointer, tokens: tokens, count: n, from: count)
        for (index, layer) in layers.enumerated() { run(layer, block: index, rows: n) }
        count += n
    }

    /// Keys (0) or values (1) of a block, [positions,C].
    private func cached(_ kind: Int, block: Int) -> Matrix {
        Matrix(cache.pointer + (2 * block + kind) * positions * C, stride: C)
    }

    private func run(_ layer: Layers, block: Int, rows n: Int) {
        let (C, H) = (C, config.heads)
        normalize(x, weight: layer.block.ln1Weight, bias: layer.block.ln1Bias, rows: n)
        forward(layer.attention, qkv, normalized, rows: n)
        let (keys, values) = (cached(0, block: block), cached(1, block: block))
        for row in 0..<n {
            let source = qkv.pointer + row * 3 * C
            keys.at(row: count + row).pointer.update(from: source + C, count: C)
            values.at(row: count + row).pointer.update(from: source + 2 * C, count: C)
        }
        let past = count
        workers.forEach(H) { head, worker in
            let column = head * (C / H)
            Attention.forward(
                mixed.matrix(C).at(column: column), query: qkv.matrix(3 * C).at(column: column),
                key: keys.at(column: column), value: values.at(column: column), length: n, past: past,
                headWidth: C / H, scratch: scratch[worker].pointer)
        }
        forward(layer.projection, normalized, mixed, rows: n)
        addVector(x.pointer, normalized.pointer, n * C)
        normalize(x, weight: layer.block.ln2Weight, bias: layer.block.ln2Bias, rows: n)
        forward(layer.fc, fc, normalized, rows: n)
        GELU.forward(fc.pointer, fc.pointer, count: n * config.innerWidth)
        forward(layer.mlpProjection, normalized, fc, rows: n)
        addVector(x.pointer, normalized.pointer, n * C)
    }

    /// output = the layer of input, in products of as many rows as there are: one, or whole tiles.
    private func forward(_ layer: Linear, _ output: FloatView, _ input: FloatView, rows n: Int) {
        layer.forward(
            output.matrix(layer.outputs), input.matrix(layer.inputs), rows: n, tile: n == 1 ? 1 : Self.rowTile,
            workers: workers)
    }

    private func normalize(_ input: FloatView, weight: Tensor, bias: Tensor, rows n: Int) {
        LayerNorm.forward(
            normalized.pointer, input.pointer, weight: weight.pointer, bias: bias.pointer, rows: n, width: C,
            epsilon: config.epsilon)
    }

    private func computeLogits(row: Int) {
        let (C, V) = (C, V)
        LayerNorm.forward(
            normalized.pointer, x.pointer + row * C, weight: parameters.finalNormWeight.pointer,
            bias: parameters.finalNormBias.pointer, rows: 1, width: C, epsilon: config.epsilon)
        let state = normalized.matrix(C)
        let embedding = Matrix(reading: parameters.tokenEmbedding.pointer, stride: C)
        workers.forEachRange(V, by: Self.vocabularyTile) { range in
            matmul(
                output.matrix(V).at(column: range.lowerBound), state, embedding.at(row: range.lowerBound), m: 1,
                n: range.count, k: C, transposeB: true)
        }
    }
}
