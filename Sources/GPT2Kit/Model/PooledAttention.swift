// Attention of a block of which only one position per text is read, the pooled one.
//
// Only that position needs a query. With one query per head, keys and values need no [T,C]×[C,C] product. With x̂ⱼ the
// normalised input of position j, g and b the weight and bias of ln_1, so that xⱼ = g∘x̂ⱼ + b, and W_k, W_v the columns
// of c_attn that belong to one head:
//
//     qᵀ(W_kᵀxⱼ + b_k) = (g ∘ W_k q)ᵀx̂ⱼ + const      the constant is the same for all j: softmax doesn't see it
//     Σ aⱼ(W_vᵀxⱼ + b_v) = W_vᵀ(g ∘ Σ aⱼx̂ⱼ + b) + b_v   because Σ aⱼ = 1
//
// That takes T·C multiplications per head instead of T·C²/H, forward and backward. The gradient of the key bias is 0.
// With dropout of attention weights the sum s of the remaining ones takes the place of 1: g ∘ Σ aⱼx̂ⱼ + s·b, and s·b_v.

/// Attention at the pooled position of every text, forward and backward.
package final class PooledAttention: @unchecked Sendable {  // one batch at a time; each tile writes its own part
    private let parameters: BlockParameters
    private let gradients: BlockGradients?
    private let C: Int, H: Int, d: Int
    private let epsilon: Float
    private let pooling: Pooling
    private let rowTile: Int
    private let workers: Workers
    private var dropout: BlockDropout?

    private let workspace = Workspace()
    private var capacity = (tokens: 0, rows: 0)
    // Kept by the forward pass. Rows are rounded up to `rowTile`.
    private var norm1 = FloatView(), rstd1 = FloatView()  // x̂ [N,C], [N]
    private var x = FloatView(), query = FloatView()  // of the pooled positions [B,C]
    private var u = FloatView(), scaled = FloatView()  // W_k q and g∘W_k q [B,H,C]
    private var weights = FloatView()  // a: H·T numbers for every text, [H,T]
    private var mixed = FloatView(), z = FloatView()  // Σ aⱼx̂ⱼ and g∘…+b [B,H,C]
    private var dropped = FloatView(), sums = FloatView()  // with dropout: the rest of a [H,T], and s [B,H]
    // Scratch of the backward pass.
    private var dNarrow = FloatView(), dQuery = FloatView()  // [B,C]
    private var dZ = FloatView(), dMixed = FloatView(), dU = FloatView(), dScaled = FloatView()  // [B,H,C]
    private var dWeights = FloatView(), dNorm = FloatView()  // [H,T] for every text, [N,C]

    /// - Parameter rowTile: see ``PooledBlock``.
    package init(
        _ parameters: BlockParameters, gradients: BlockGradients?, config: GPT2Config, pooling: Pooling, rowTile: Int,
        workers: Workers
    ) {
        self.parameters = parameters
        self.gradients = gradients
        self.pooling = pooling
        self.rowTile = rowTile
        self.workers = workers
        (C, H, epsilon) = (config.width, config.heads, config.epsilon)
        d = C / H
    }

    private func reserve(tokens: Int, rows: Int) throws(OutOfMemory) {
        guard tokens > capacity.tokens || rows > capacity.rows else { return }
        let N = max(tokens + tokens / 4, capacity.tokens)
        let B = max((rows + rowTile - 1) / rowTile * rowTile, capacity.rows)
        try workspace.allocate { take in
            norm1 = take(N * C)
            rstd1 = take(N)
            x = take(B * C)
            query = take(B * C)
            u = take(B * H * C)
            scaled = take(B * H * C)
            weights = take(N * H)
            mixed = take(B * H * C)
            z = take(B * H * C)
            guard gradients != nil else { return }
            dNarrow = take(B * C)
            dQuery = take(B * C)
            dZ = take(B * H * C)
            dMixed = take(B * H * C)
            dU = take(B * H * C)
            dScaled = take(B * H * C)
            dWeights = take(N * H)
            dNorm = take(N * C)
            dropped = take(N * H)
            sums = take(B * H)
        }
        try gradients?.attention.reserve(rows: B * H)
        capacity = (N, B)
    }

    // MARK: - Forward

    /// heads [B,C] = the output of attention at every text's pooled position, in whole tiles of rows; input [N,C].
    package func forward(
        _ heads: FloatView, _ input: FloatView, _ layout: TextLayout, dropout: BlockDropout?
    ) throws(OutOfMemory) {
        let B = layout.rows
        self.dropout = dropout
        try reserve(tokens: layout.tokens, rows: B)
        norm1.normalize(input, rstd: rstd1, rows: layout.tokens, width: C, epsilon: epsilon, workers)
        for row in 0..<B {
            LayerNorm.affine(
                x.pointer + row * C, norm1.pointer + layout.pooledToken(row, pooling) * C,
                weight: parameters.ln1Weight.pointer, bias: parameters.ln1Bias.pointer, rows: 1, width: C)
        }
        parameters.attention.columns(0..<C).forward(
            query.matrix(C), x.matrix(C), rows: B, tile: rowTile, workers: workers)
        eachTile(B, H) { rows, head in
            matmul(
                u.matrix(H * C).at(row: rows.lowerBound, column: head * C),
                query.matrix(C).at(row: rows.lowerBound, column: head * d), keyWeight(head),
                m: rowTile, n: C, k: d, transposeB: true)
        }
        workers.forEach(B) { row in attend(row, layout) }
        eachTile(B, H) { rows, head in
            matmul(
                heads.matrix(C).at(row: rows.lowerBound, column: head * d),
                z.matrix(H * C).at(row: rows.lowerBound, column: head * C), valueWeight(head),
                m: rowTile, n: d, k: C)
            for row in rows {
                axpy(heads.pointer + row * C + head * d, sum(row, head), valueBias + head * d, d)
            }
        }
    }

    /// Softmax over one text's positions, and the mixture of its normalised inputs, for all heads.
    private func attend(_ row: Int, _ layout: TextLayout) {
        let T = layout.length(row)
        let first = layout.offsets[row]
        let inputs = norm1.matrix(C).at(row: first)
        let a = weights.advanced(by: first * H)
        let queries = scaled.advanced(by: row * H * C)
        for head in 0..<H {
            hadamard(
                queries.pointer + head * C, u.pointer + (row * H + head) * C, parameters.ln1Weight.pointer, C)
        }
        matmul(
            a.matrix(T), queries.matrix(C), inputs, m: H, n: T, k: C, transposeB: true,
            scale: 1 / Float(d).squareRoot())
        for head in 0..<H { Softmax.forward(a.pointer + head * T, count: T) }
        let mixture = mixed.advanced(by: row * H * C)
        matmul(mixture.matrix(C), dropOut(a, row, layout).matrix(T), inputs, m: H, n: C, k: T)
        let output = z.pointer + row * H * C
        guard dropout != nil else {
            return LayerNorm.affine(
                output, mixture.pointer, weight: parameters.ln1Weight.pointer, bias: parameters.ln1Bias.pointer,
                rows: H, width: C)
        }
        for head in 0..<H {
            hadamard(output + head * C, mixture.pointer + head * C, parameters.ln1Weight.pointer, C)
            axpy(output + head * C, sums.pointer[row * H + head], parameters.ln1Bias.pointer, C)
        }
    }

    /// The attention weights [H,T] of one text after dropout; also fills ``sums``.
    private func dropOut(_ a: FloatView, _ row: Int, _ layout: TextLayout) -> FloatView {
        guard let dropout else { return a }
        let (first, T) = (layout.offsets[row], layout.length(row))
        let left = dropped.advanced(by: first * H)
        left.pointer.update(from: a.pointer, count: H * T)
        for head in 0..<H {
            let weights = left.pointer + head * T
            dropout.head(head, text: row).drop(weights, count: T, query: layout.pooledToken(row, pooling) - first)
            sums.pointer[row * H + head] = UnsafeBufferPointer(start: weights, count: T).reduce(0, +)
        }
        return left
    }

    // MARK: - Backward

    /// Adds to the gradients, and sets dInput [N,C] from dHeads [B,C]. dInput is nil where it isn't needed.
    package func backward(_ dInput: FloatView?, _ dHeads: FloatView, _ layout: TextLayout) {
        guard let gradients else { return }
        let B = layout.rows
        gradients.attention.addGradients(
            headInputs: z, dOutput: dHeads.matrix(C), rows: B, heads: H, headWidth: d, firstColumn: 2 * C,
            workers: workers)
        workers.forEach(H) { head in
            matmul(
                dZ.matrix(H * C).at(column: head * C), dHeads.matrix(C).at(column: head * d), valueWeight(head),
                m: B, n: C, k: d, transposeB: true)
        }
        if case .full(let attention) = gradients.attention, let dBias = attention.dBias {
            for row in 0..<B {
                for head in 0..<H {
                    axpy(dBias + 2 * C + head * d, sum(row, head), dHeads.pointer + row * C + head * d, d)
                }
            }
        }

        // The mixture, the softmax, the absorbed queries.
        workers.forEach(B) { row in attendBackward(row, dHeads, layout, wantsInput: dInput != nil) }

        // Keys and queries. The gradient of the key bias is 0.
        gradients.attention.addGradients(
            headInputs: dU, dOutput: query.matrix(C), rows: B, heads: H, headWidth: d, firstColumn: C,
            workers: workers)
        workers.forEach(H) { head in
            matmul(
                dQuery.matrix(C).at(column: head * d), dU.matrix(H * C).at(column: head * C), keyWeight(head),
                m: B, n: d, k: C)
        }
        gradients.attention.addGradients(
            input: x.matrix(C), dOutput: dQuery.matrix(C), rows: B, columns: 0..<C, workers: workers)
        parameters.attention.columns(0..<C).backwardInput(
            dNarrow.matrix(C), dQuery.matrix(C), rows: B, workers: workers)
        norm1Gradients(layout)
        guard let dInput else { return }
        for row in 0..<B {
            addHadamard(
                dNorm.pointer + layout.pooledToken(row, pooling) * C, dNarrow.pointer + row * C,
                parameters.ln1Weight.pointer, C)
        }
        dInput.pointer.update(repeating: 0, count: layout.tokens * C)
        dInput.addNormalizeBackward(
            dNorm, normalized: norm1, rstd: rstd1, weight: nil, rows: layout.tokens, width: C, workers)
    }

    private func attendBackward(_ row: Int, _ dHeads: FloatView, _ layout: TextLayout, wantsInput: Bool) {
        let T = layout.length(row)
        let first = layout.offsets[row]
        let scale = 1 / Float(d).squareRoot()
        let inputs = norm1.matrix(C).at(row: first)
        let a = weights.advanced(by: first * H)
        let dA = dWeights.advanced(by: first * H)
        let dMixture = dMixed.advanced(by: row * H * C)
        for head in row * H..<(row + 1) * H {
            hadamard(dMixed.pointer + head * C, dZ.pointer + head * C, parameters.ln1Weight.pointer, C)
        }
        matmul(dA.matrix(T), dMixture.matrix(C), inputs, m: H, n: T, k: C, transposeB: true)
        if let dropout { dropOutBackward(dA, row, dHeads, layout, dropout) }
        for head in 0..<H {
            Softmax.backward(dA.pointer + head * T, probabilities: a.pointer + head * T, count: T)
        }
        let dQueries = dScaled.advanced(by: row * H * C)
        matmul(dQueries.matrix(C), dA.matrix(T), inputs, m: H, n: C, k: T, scale: scale)
        for head in row * H..<(row + 1) * H {
            hadamard(dU.pointer + head * C, dScaled.pointer + head * C, parameters.ln1Weight.pointer, C)
        }
        guard wantsInput else { return }
        let dInputs = dNorm.matrix(C).at(row: first)
        matmul(
            dInputs, dA.matrix(T), scaled.advanced(by: row * H * C).matrix(C), m: T, n: C, k: H, transposeA: true,
            scale: scale)
        let left = dropout == nil ? a : dropped.advanced(by: first * H)
        matmul(dInputs, left.matrix(T), dMixture.matrix(C), m: T, n: C, k: H, transposeA: true, keep: 1)
    }

    /// Turns dA [H,T], the gradient of the weights after dropout, into that of the softmax's output. Every weight is
    /// also part of the sum s, whose gradient is b·dz + b_v·dhead.
    private func dropOutBackward(
        _ dA: FloatView, _ row: Int, _ dHeads: FloatView, _ layout: TextLayout, _ dropout: BlockDropout
    ) {
        let T = layout.length(row)
        let query = layout.pooledToken(row, pooling) - layout.offsets[row]
        for head in 0..<H {
            let dSum =
                dot(dZ.pointer + (row * H + head) * C, parameters.ln1Bias.pointer, C)
                + dot(dHeads.pointer + row * C + head * d, valueBias + head * d, d)
            let dHead = dA.pointer + head * T
            for j in 0..<T { dHead[j] += dSum }
            dropout.head(head, text: row).drop(dHead, count: T, query: query)
        }
    }

    // MARK: - Helpers

    private func keyWeight(_ head: Int) -> Matrix {
        Matrix(reading: parameters.attentionWeight.pointer + C + head * d, stride: 3 * C)  // [C,d]
    }

    private func valueWeight(_ head: Int) -> Matrix {
        Matrix(reading: parameters.attentionWeight.pointer + 2 * C + head * d, stride: 3 * C)  // [C,d]
    }

    private var valueBias: UnsafePointer<Float> { parameters.attentionBias.pointer + 2 * C }

    /// Σ of the attention weights of a row and head: 1 without dropout.
    private func sum(_ row: Int, _ head: Int) -> Float { dropout == nil ? 1 : sums.pointer[row * H + head] }

    private func eachTile(_ rows: Int, _ heads: Int, _ body: @Sendable (_ rows: Range<Int>, _ head: Int) -> Void) {
        let tiles = (rows + rowTile - 1) / rowTile
        workers.forEach(tiles * heads) { index in
            let (tile, head) = index.quotientAndRemainder(dividingBy: heads)
            body(tile * rowTile..<(tile + 1) * rowTile, head)
        }
    }

    /// ln_1's weight occurs three times: in the inputs of the queries, in the scores and in the mixture.
    private func norm1Gradients(_ layout: TextLayout) {
        guard let gradients = gradients?.norm1 else { return }
        workers.forEachRange(C, by: 64) { columns in
            let (dWeight, dBias) = (gradients.weight.mutablePointer, gradients.bias.mutablePointer)
            func add(_ dOutput: UnsafePointer<Float>, _ normalized: UnsafePointer<Float>, biasFactor: Float) {
                for i in columns { dWeight[i] += dOutput[i] * normalized[i] }
                if biasFactor != 0 { for i in columns { dBias[i] += biasFactor * dOutput[i] } }
            }
            for row in 0..<layout.rows {
                let token = layout.pooledToken(row, pooling)
                add(dNarrow.pointer + row * C, norm1.pointer + token * C, biasFactor: 1)
                for head in 0..<H {
                    let start = (row * H + head) * C
                    add(dZ.pointer + start, mixed.pointer + start, biasFactor: sum(row, head))
                    add(dScaled.pointer + start, u.pointer + start, biasFactor: 0)
                }
            }
        }
    }
}
