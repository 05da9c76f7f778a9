// A whole transformer block, forward and backward, over the N tokens of a batch (Radford et al. 2019, §2.3:
// pre-LayerNorm):
//
//     a = x + D(c_proj(attention(c_attn(ln_1(x)))))
//     y = a + D(mlp.c_proj(gelu(mlp.c_fc(ln_2(a)))))
//
// where D is dropout, in training. It keeps what its backward pass needs. One instance serves one block, for one batch
// after another.

/// A transformer block at all positions of every text, forward and backward.
package final class TransformerBlock: @unchecked Sendable {  // one batch at a time; each tile writes its own part
    private let parameters: BlockParameters
    private let gradients: BlockGradients?
    private let layers: [TokenLayer]
    private var attention: TokenLayer { layers[0] }
    private var projection: TokenLayer { layers[1] }
    private let mlp: MLP
    private let heads: TrainedAttention
    private let C: Int, H: Int
    private let epsilon: Float
    private let workers: Workers

    private let workspace = Workspace()
    // Kept by the forward pass.
    private var norm1 = FloatView(), rstd1 = FloatView()  // x̂ [N,C], [N]
    private var x1 = FloatView(), qkv = FloatView()  // ln_1's output [N,C], c_attn's [N,3C]
    private var mixed = FloatView(), residual = FloatView()  // attention's output [N,C], a [N,C]
    // Scratch of the backward pass.
    private var dQKV = FloatView()  // [N,3C]
    private var dNarrow = FloatView(), dResidual = FloatView()  // [N,C]
    private var scratch: [FloatBuffer] = []
    private var capacity = (tokens: 0, length: 0)
    private var dropout: BlockDropout?

    /// - Parameters:
    ///   - gradients: where ``backward(_:_:_:)`` adds to; nil for inference.
    ///   - precision: of the operands of products.
    ///   - scratch: working memory that all blocks of a model share.
    ///   - other: the same block for other batches, which prepares the weights for both; nil for none.
    /// - Throws: ``OneDNNError``, ``OutOfMemory``.
    package init(
        _ parameters: BlockParameters, gradients: BlockGradients?, config: GPT2Config,
        _ precision: Precision = .float32,
        scratch: ProductScratch = ProductScratch(), sharing other: TransformerBlock? = nil, workers: Workers
    ) throws {
        self.parameters = parameters
        self.gradients = gradients
        self.workers = workers
        (C, H, epsilon) = (config.width, config.heads, config.epsilon)
        let type = OperandType(precision)
        let all: [(Tensor, Tensor, LayerGradient?)] = [
            (parameters.attentionWeight, parameters.attentionBias, gradients?.attention),
            (parameters.attentionProjectionWeight, parameters.attentionProjectionBias, gradients?.attentionProjection),
            (parameters.mlpFCWeight, parameters.mlpFCBias, gradients?.mlpFC),
            (parameters.mlpProjectionWeight, parameters.mlpProjectionBias, gradients?.mlpProjection),
        ]
        layers = try all.enumerated().map { index, layer in
            try TokenLayer(
                layer.0, layer.1, gradient: layer.2, type, scratch: scratch, sharing: other?.layers[index],
                workers: workers)
        }
        mlp = MLP(
            parameters, gradients: gradients, config: config, fc: layers[2], projection: layers[3], workers: workers)
        heads = TrainedAttention(headWidth: C / H, isCausal: config.isCausal, type)
        refresh()
    }

    /// Reads the weights as they are now; see ``TokenLayer/refresh()``.
    package func refresh() {
        for layer in layers { layer.refresh() }
    }

    private func reserve(tokens N: Int, length T: Int) throws {
        if N > capacity.tokens {
            let N = N + N / 4
            try workspace.allocate { take in
                norm1 = take(N * C)
                rstd1 = take(N)
                x1 = take(N * C)
                qkv = take(N * 3 * C)
                mixed = take(N * C)
                residual = take(N * C)
                guard gradients != nil else { return }
                dQKV = take(N * 3 * C)
                dNarrow = take(N * C)
                dResidual = take(N * C)
            }
            try mlp.reserve(rows: N)
            try attention.reserve(rows: N)
            try projection.reserve(rows: N)
            capacity.tokens = N
        }
        if T > capacity.length {
            try heads.reserve(length: T)
            scratch = []
            for _ in 0..<workers.count { scratch.append(try FloatBuffer(count: heads.scratchCount(length: T))) }
            capacity.length = T
        }
    }

    /// output [N,C] from input [N,C].
    package func forward(
        _ output: FloatView, _ input: FloatView, _ layout: TextLayout, dropout: BlockDropout? = nil
    ) throws {
        let N = layout.tokens
        self.dropout = dropout
        try reserve(tokens: N, length: layout.longest)
        norm1.normalize(input, rstd: rstd1, rows: N, width: C, epsilon: epsilon, workers)
        x1.affine(norm1, weight: parameters.ln1Weight, bias: parameters.ln1Bias, rows: N, width: C, workers)
        attention.forward(qkv, x1, rows: N)
        eachHead(layout) { text, head, scratch in
            let (token, column, length) = (layout.offsets[text], head * (C / H), layout.length(text))
            let inputs = qkv.matrix(3 * C).at(row: token, column: column)
            heads.forward(
                mixed.matrix(C).at(row: token, column: column),
                query: inputs, key: inputs.at(column: C), value: inputs.at(column: 2 * C), length: length,
                dropout: dropout?.head(head, text: text), scratch: scratch)
        }
        projection.forward(residual, mixed, rows: N)
        dropout?.drop(residual, .attention, width: C, workers)
        residual.add(input, N * C, workers)
        mlp.forward(output, residual, rows: N, dropout: dropout)
    }

    /// Adds to the gradients, and sets dInput [N,C] from dOutput [N,C] of the last forward pass. dInput is nil where it
    /// isn't needed.
    package func backward(_ dInput: FloatView?, _ dOutput: FloatView, _ layout: TextLayout) {
        guard let gradients else { return }
        let N = layout.tokens
        mlp.backward(dResidual, dOutput, rows: N)
        var dProjected = dResidual
        if let dropout {
            dProjected = residual  // whose numbers aren't needed any more
            dProjected.copy(dResidual, N * C, workers)
            dropout.drop(dProjected, .attention, width: C, workers)
        }
        projection.backward(dNarrow, dProjected, rows: N)
        eachHead(layout) { text, head, scratch in
            let (token, column, length) = (layout.offsets[text], head * (C / H), layout.length(text))
            let inputs = qkv.matrix(3 * C).at(row: token, column: column)
            let outputs = dQKV.matrix(3 * C).at(row: token, column: column)
            heads.backward(
                dQuery: outputs, dKey: outputs.at(column: C), dValue: outputs.at(column: 2 * C),
                dOutput: dNarrow.matrix(C).at(row: token, column: column),
                query: inputs, key: inputs.at(column: C), value: inputs.at(column: 2 * C), length: length,
                dropout: dropout?.head(head, text: text), scratch: scratch)
        }
        if dInput == nil, gradients.norm1 == nil { return attention.backward(nil, dQKV, rows: N) }
        attention.backward(dNarrow, dQKV, rows: N)
        dNarrow.addNormalizeGradients(gradients.norm1, normalized: norm1, rows: N, width: C, workers)
        guard let dInput else { return }
        dInput.copy(dResidual, N * C, workers)
        dInput.addNormalizeBackward(
            dNarrow, normalized: norm1, rstd: rstd1, weight: parameters.ln1Weight, rows: N, width: C, workers)
    }

    /// Every head of every text, with scratch memory.
    private func eachHead(
        _ layout: TextLayout,
        _ body: @Sendable (_ text: Int, _ head: Int, _ scratch: UnsafeMutablePointer<Float>) -> Void
    ) {
        workers.forEach(layout.rows * H) { tile, worker in
            let (text, head) = tile.quotientAndRemainder(dividingBy: H)
            body(text, head, scratch[worker].pointer)
        }
    }
}
