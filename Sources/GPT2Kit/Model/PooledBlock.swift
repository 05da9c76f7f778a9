// The last transformer block of a classifier, of which one position per text is read.
//
// That position alone needs a query, a projection and an MLP. And with one query per head, keys and values need no
// [T,C]×[C,C] product. With x̂ⱼ the normalised input of position j, g and b the gain and shift of ln_1, so that
// xⱼ = g∘x̂ⱼ + b, and W_k, W_v the columns of c_attn that belong to one head:
//
//     qᵀ(W_kᵀxⱼ + b_k) = (g ∘ W_k q)ᵀx̂ⱼ + const      the constant is the same for all j: softmax doesn't see it
//     Σ aⱼ(W_vᵀxⱼ + b_v) = W_vᵀ(g ∘ Σ aⱼx̂ⱼ + b) + b_v   because Σ aⱼ = 1
//
// T·C numbers of work per head instead of T·C², forward and backward. The key bias has no gradient at all. With dropout
// of attention weights the sum of those that are left, s, takes the place of 1: g ∘ Σ aⱼx̂ⱼ + s·b, and s·b_v.
// ``TransformerBlock`` computes the same the plain way; the tests compare the two.

package final class PooledBlock {
    private let parameters: BlockParameters
    private let gradients: BlockGradients?
    private let feedForward: FeedForward
    private let C: Int, H: Int, d: Int
    private let epsilon: Float
    private let pooling: Pooling
    private let workers: Workers

    private var memory = Arena()
    private var capacity = (tokens: 0, rows: 0)
    // Kept by the forward pass. Rows are rounded up to `rowTile`.
    private var norm1 = Region(), rstd1 = Region()  // x̂ [N,C], [N]
    private var x = Region(), query = Region()  // of the pooled positions [B,C]
    private var u = Region(), scaled = Region()  // W_k q and g∘W_k q [B,H,C]
    private var weights = Region()  // a: H·T numbers for every text, [H,T]
    private var mixed = Region(), z = Region()  // Σ aⱼx̂ⱼ and g∘…+b [B,H,C]
    private var dropped = Region(), sums = Region()  // with dropout: what is left of a [H,T], and s [B,H]
    private var heads = Region(), residual = Region()  // [B,C]
    // Scratch of the backward pass.
    private var dNarrow = Region(), dResidual = Region(), dHeads = Region(), dQuery = Region()
    private var dZ = Region(), dMixed = Region(), dU = Region(), dScaled = Region()  // [B,H,C]
    private var dWeights = Region(), dNorm = Region()  // [H,T] for every text, [N,C]

    /// Rows of a matrix product over pooled positions: always this many, so that a text's result has the same bits
    /// whatever other texts come with it. oneDNN takes rows by 6 (AVX2) or 8 (AVX-512) and sums those that are left
    /// over in another order: scoring takes 24, which leaves none. A training step, whose result is the sum over its
    /// batch anyway, takes no more than a usual batch has.
    private let rowTile: Int
    private var dropout: BlockDropout?

    package init(
        _ parameters: BlockParameters, gradients: BlockGradients?, config: GPT2Config, pooling: Pooling,
        workers: Workers
    ) {
        self.parameters = parameters
        self.gradients = gradients
        self.pooling = pooling
        self.workers = workers
        (C, H, epsilon) = (config.width, config.heads, config.epsilon)
        d = C / H
        rowTile = gradients == nil ? 24 : 8
        feedForward = FeedForward(
            parameters, gradients: gradients, config: config, rowTile: rowTile, workers: workers)
    }

    private func reserve(tokens: Int, rows: Int) throws(OutOfMemory) {
        guard tokens > capacity.tokens || rows > capacity.rows else { return }
        let N = max(tokens + tokens / 4, capacity.tokens)
        let B = max((rows + rowTile - 1) / rowTile * rowTile, capacity.rows)
        var sizes = [N * C, N, B * C, B * C, B * H * C, B * H * C, N * H, B * H * C, B * H * C, B * C, B * C]
        if gradients != nil {
            sizes += [B * C, B * C, B * C, B * C, B * H * C, B * H * C, B * H * C, B * H * C, N * H, N * C]
            sizes += [N * H, B * H]
        }
        let r = try memory.allocate(sizes)
        (norm1, rstd1, x, query, u, scaled, weights, mixed) = (r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7])
        (z, heads, residual) = (r[8], r[9], r[10])
        if gradients != nil {
            (dNarrow, dResidual, dHeads, dQuery) = (r[11], r[12], r[13], r[14])
            (dZ, dMixed, dU, dScaled, dWeights, dNorm) = (r[15], r[16], r[17], r[18], r[19], r[20])
            (dropped, sums) = (r[21], r[22])
            try gradients?.reserve(attentionRows: B * H, rows: B)
        }
        try feedForward.reserve(rows: B)
        capacity = (N, B)
    }

    // MARK: - Forward

    /// output [B,C], the pooled position of every text after this block; input [N,C].
    package func forward(
        _ output: Region, _ input: Region, _ packing: Packing, dropout: BlockDropout? = nil
    ) throws(OutOfMemory) {
        let B = packing.rows
        self.dropout = dropout
        try reserve(tokens: packing.tokens, rows: B)
        norm1.normalize(input, rstd: rstd1, rows: packing.tokens, width: C, epsilon: epsilon, workers)
        for row in 0..<B {
            LayerNorm.affine(
                x.pointer + row * C, norm1.pointer + packing.pooledToken(row, pooling) * C,
                gain: parameters.ln1Weight.pointer, shift: parameters.ln1Bias.pointer, rows: 1, width: C)
        }
        parameters.attention.columns(0..<C).forward(
            query.matrix(C), x.matrix(C), rows: B, tile: rowTile, workers: workers)
        eachTile(B, H) { rows, head in
            multiply(
                u.matrix(H * C).at(row: rows.lowerBound, column: head * C),
                query.matrix(C).at(row: rows.lowerBound, column: head * d), keyWeight(head),
                m: rowTile, n: C, k: d, transposeB: true)
        }
        workers.forEach(B) { row in attend(row, packing) }
        eachTile(B, H) { rows, head in
            multiply(
                heads.matrix(C).at(row: rows.lowerBound, column: head * d),
                z.matrix(H * C).at(row: rows.lowerBound, column: head * C), valueWeight(head),
                m: rowTile, n: d, k: C)
            for row in rows {
                accumulate(heads.pointer + row * C + head * d, sum(row, head), valueBias + head * d, d)
            }
        }
        parameters.projection.forward(
            residual.matrix(C), heads.matrix(C), rows: B, tile: rowTile, workers: workers)
        dropout?.drop(residual, .attention, width: C, workers)
        for row in 0..<B {
            add(residual.pointer + row * C, input.pointer + packing.pooledToken(row, pooling) * C, C)
        }
        feedForward.forward(output, residual, rows: B, dropout: dropout)
    }

    private var valueBias: UnsafeMutablePointer<Float> { parameters.attentionBias.pointer + 2 * C }

    /// Softmax over one text's positions, and the mixture of its normalised inputs, for all heads.
    private func attend(_ row: Int, _ packing: Packing) {
        let T = packing.length(row)
        let first = packing.offsets[row]
        let inputs = norm1.matrix(C).at(row: first)
        let a = weights.advanced(by: first * H)
        let queries = scaled.advanced(by: row * H * C)
        for head in 0..<H {
            product(
                queries.pointer + head * C, u.pointer + (row * H + head) * C, parameters.ln1Weight.pointer, C)
        }
        multiply(
            a.matrix(T), queries.matrix(C), inputs, m: H, n: T, k: C, transposeB: true,
            scale: 1 / Float(d).squareRoot())
        for head in 0..<H { Attention.softmax(a.pointer + head * T, count: T) }
        let mixture = mixed.advanced(by: row * H * C)
        multiply(mixture.matrix(C), dropOut(a, row, packing).matrix(T), inputs, m: H, n: C, k: T)
        let output = z.pointer + row * H * C
        guard dropout != nil else {
            return LayerNorm.affine(
                output, mixture.pointer, gain: parameters.ln1Weight.pointer, shift: parameters.ln1Bias.pointer,
                rows: H, width: C)
        }
        for head in 0..<H {
            product(output + head * C, mixture.pointer + head * C, parameters.ln1Weight.pointer, C)
            accumulate(output + head * C, sums.pointer[row * H + head], parameters.ln1Bias.pointer, C)
        }
    }

    /// What dropout leaves of one text's attention weights [H,T]; fills ``sums``.
    private func dropOut(_ a: Region, _ row: Int, _ packing: Packing) -> Region {
        guard let dropout else { return a }
        let (first, T) = (packing.offsets[row], packing.length(row))
        let left = dropped.advanced(by: first * H)
        left.pointer.update(from: a.pointer, count: H * T)
        for head in 0..<H {
            let weights = left.pointer + head * T
            dropout.head(head, text: row).drop(weights, count: T, query: packing.pooledToken(row, pooling) - first)
            sums.pointer[row * H + head] = UnsafeBufferPointer(start: weights, count: T).reduce(0, +)
        }
        return left
    }

    // MARK: - Backward

    /// Adds to the gradients; dInput [N,C] is set from dOutput [B,C], or nil where nobody wants it.
    package func backward(_ dInput: Region?, _ dOutput: Region, _ packing: Packing) {
        guard let gradients else { return }
        let B = packing.rows
        feedForward.backward(dResidual, dOutput, rows: B)

        // Output projection and values.
        var dProjected = dResidual
        if let dropout {
            dProjected = residual  // whose numbers nobody needs any more
            dProjected.copy(dResidual, B * C, workers)
            dropout.drop(dProjected, .attention, width: C, workers)
        }
        gradients.projection.accumulate(
            input: heads.matrix(C), dOutput: dProjected.matrix(C), rows: B, workers: workers)
        parameters.projection.backwardInput(dHeads.matrix(C), dProjected.matrix(C), rows: B, workers: workers)
        gradients.attention.accumulate(
            headInputs: z, dOutput: dHeads.matrix(C), rows: B, heads: H, headWidth: d, firstColumn: 2 * C,
            workers: workers)
        workers.forEach(H) { head in
            multiply(
                dZ.matrix(H * C).at(column: head * C), dHeads.matrix(C).at(column: head * d), valueWeight(head),
                m: B, n: C, k: d, transposeB: true)
        }
        if case .full(let attention) = gradients.attention, let dBias = attention.bias {
            for row in 0..<B {
                for head in 0..<H {
                    accumulate(dBias + 2 * C + head * d, sum(row, head), dHeads.pointer + row * C + head * d, d)
                }
            }
        }

        // The mixture, the softmax, the absorbed queries.
        workers.forEach(B) { row in attendBackward(row, packing, wantsInput: dInput != nil) }

        // Keys and queries; the key bias has no gradient.
        gradients.attention.accumulate(
            headInputs: dU, dOutput: query.matrix(C), rows: B, heads: H, headWidth: d, firstColumn: C,
            workers: workers)
        workers.forEach(H) { head in
            multiply(
                dQuery.matrix(C).at(column: head * d), dU.matrix(H * C).at(column: head * C), keyWeight(head),
                m: B, n: d, k: C)
        }
        gradients.attention.accumulate(
            input: x.matrix(C), dOutput: dQuery.matrix(C), rows: B, columns: 0..<C, workers: workers)
        parameters.attention.columns(0..<C).backwardInput(
            dNarrow.matrix(C), dQuery.matrix(C), rows: B, workers: workers)
        norm1Gradients(packing)
        guard let dInput else { return }
        dInput.pointer.update(repeating: 0, count: packing.tokens * C)
        for row in 0..<B {
            let token = packing.pooledToken(row, pooling)
            (dInput.pointer + token * C).update(from: dResidual.pointer + row * C, count: C)
            accumulateProduct(
                dNorm.pointer + token * C, dNarrow.pointer + row * C, parameters.ln1Weight.pointer, C)
        }
        dInput.addNormalizeBackward(
            dNorm, normalized: norm1, rstd: rstd1, gain: nil, rows: packing.tokens, width: C, workers)
    }

    private func attendBackward(_ row: Int, _ packing: Packing, wantsInput: Bool) {
        let T = packing.length(row)
        let first = packing.offsets[row]
        let scale = 1 / Float(d).squareRoot()
        let inputs = norm1.matrix(C).at(row: first)
        let a = weights.advanced(by: first * H)
        let dA = dWeights.advanced(by: first * H)
        let dMixture = dMixed.advanced(by: row * H * C)
        for head in row * H..<(row + 1) * H {
            product(dMixed.pointer + head * C, dZ.pointer + head * C, parameters.ln1Weight.pointer, C)
        }
        multiply(dA.matrix(T), dMixture.matrix(C), inputs, m: H, n: T, k: C, transposeB: true)
        if let dropout { dropOutBackward(dA, row, packing, dropout) }
        for head in 0..<H {
            Attention.softmaxBackward(dA.pointer + head * T, probabilities: a.pointer + head * T, count: T)
        }
        let dQueries = dScaled.advanced(by: row * H * C)
        multiply(dQueries.matrix(C), dA.matrix(T), inputs, m: H, n: C, k: T, scale: scale)
        for head in row * H..<(row + 1) * H {
            product(dU.pointer + head * C, dScaled.pointer + head * C, parameters.ln1Weight.pointer, C)
        }
        guard wantsInput else { return }
        let dInputs = dNorm.matrix(C).at(row: first)
        multiply(
            dInputs, dA.matrix(T), scaled.advanced(by: row * H * C).matrix(C), m: T, n: C, k: H, transposeA: true,
            scale: scale)
        let left = dropout == nil ? a : dropped.advanced(by: first * H)
        multiply(dInputs, left.matrix(T), dMixture.matrix(C), m: T, n: C, k: H, transposeA: true, keep: 1)
    }

    /// dA [H,T], the gradient of what dropout left, becomes that of the softmax's result. Every weight counts in the
    /// sum s too, whose gradient is b·dz + b_v·dhead.
    private func dropOutBackward(_ dA: Region, _ row: Int, _ packing: Packing, _ dropout: BlockDropout) {
        let T = packing.length(row)
        let query = packing.pooledToken(row, pooling) - packing.offsets[row]
        for head in 0..<H {
            let dSum =
                dot(dZ.pointer + (row * H + head) * C, parameters.ln1Bias.pointer, C)
                + dot(dHeads.pointer + row * C + head * d, valueBias + head * d, d)
            let dHead = dA.pointer + head * T
            for j in 0..<T { dHead[j] += dSum }
            dropout.head(head, text: row).drop(dHead, count: T, query: query)
        }
    }

    // MARK: - Pieces

    private func keyWeight(_ head: Int) -> Matrix {
        Matrix(parameters.attentionWeight.pointer + C + head * d, stride: 3 * C)  // [C,d]
    }

    private func valueWeight(_ head: Int) -> Matrix {
        Matrix(parameters.attentionWeight.pointer + 2 * C + head * d, stride: 3 * C)  // [C,d]
    }

    /// Σ of the attention weights of a row and head: 1 without dropout.
    private func sum(_ row: Int, _ head: Int) -> Float { dropout == nil ? 1 : sums.pointer[row * H + head] }

    private func eachTile(_ rows: Int, _ heads: Int, _ body: (_ rows: Range<Int>, _ head: Int) -> Void) {
        let tiles = (rows + rowTile - 1) / rowTile
        workers.forEach(tiles * heads) { index in
            let (tile, head) = index.quotientAndRemainder(dividingBy: heads)
            body(tile * rowTile..<(tile + 1) * rowTile, head)
        }
    }

    /// ln_1's gain is met three times: at the queries' inputs, in the scores and in the mixture.
    private func norm1Gradients(_ packing: Packing) {
        guard let gradients = gradients?.norm1 else { return }
        let (dGain, dShift) = (gradients.gain.pointer, gradients.shift.pointer)
        workers.forEachRange(C, by: 64) { columns in
            func add(_ dOutput: UnsafePointer<Float>, _ normalized: UnsafePointer<Float>, shift: Float) {
                for i in columns { dGain[i] += dOutput[i] * normalized[i] }
                if shift != 0 { for i in columns { dShift[i] += shift * dOutput[i] } }
            }
            for row in 0..<packing.rows {
                let token = packing.pooledToken(row, pooling)
                add(dNarrow.pointer + row * C, norm1.pointer + token * C, shift: 1)
                for head in 0..<H {
                    let start = (row * H + head) * C
                    add(dZ.pointer + start, mixed.pointer + start, shift: sum(row, head))
                    add(dScaled.pointer + start, u.pointer + start, shift: 0)
                }
            }
        }
    }
}
