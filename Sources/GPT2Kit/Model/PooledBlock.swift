// The last transformer block of a classifier. Only one position per text is read of it, so only that one needs a query,
// a projection and an MLP. ``PooledAttention`` explains what follows for keys and values. ``TransformerBlock`` computes
// the same in the plain way, and the tests compare the two.

/// A transformer block at the pooled position of every text, forward and backward.
package final class PooledBlock: @unchecked Sendable {  // one batch at a time; each tile writes its own part
    private let parameters: BlockParameters
    private let gradients: BlockGradients?
    private let attention: PooledAttention
    private let projection: any TrainableLayer
    private let mlp: MLP
    private let C: Int
    private let pooling: Pooling
    private let workers: Workers
    private var dropout: BlockDropout?

    private let workspace = Workspace()
    private var capacity = 0  // rounded up to `rowTile`, as all rows here
    private var heads = FloatView(), residual = FloatView()  // [B,C]
    private var dHeads = FloatView(), dResidual = FloatView()

    /// Rows of a matrix product over pooled positions. All products have this many, so a text's result has the same
    /// bits whatever other texts come with it. oneDNN takes rows by 6 (AVX2) or 8 (AVX-512) and sums left-over ones in
    /// another order. Inference takes 24 rows, which leaves none over. A training step sums over its batch anyway, and
    /// takes no more rows than a usual batch has.
    private let rowTile: Int

    /// - Parameter gradients: where ``backward(_:_:_:)`` adds to; nil for inference.
    package init(
        _ parameters: BlockParameters, gradients: BlockGradients?, config: GPT2Config, pooling: Pooling,
        workers: Workers
    ) {
        self.parameters = parameters
        self.gradients = gradients
        self.pooling = pooling
        self.workers = workers
        C = config.width
        rowTile = gradients == nil ? 24 : 8
        attention = PooledAttention(
            parameters, gradients: gradients, config: config, pooling: pooling, rowTile: rowTile, workers: workers)
        let (rows, threads) = (rowTile, workers)
        func layer(_ linear: Linear, _ gradient: LayerGradient?) -> PooledLayer {
            PooledLayer(linear, gradient: gradient, rowTile: rows, workers: threads)
        }
        projection = layer(parameters.attentionProjection, gradients?.attentionProjection)
        mlp = MLP(
            parameters, gradients: gradients, config: config, fc: layer(parameters.mlpFC, gradients?.mlpFC),
            projection: layer(parameters.mlpProjection, gradients?.mlpProjection), workers: workers)
    }

    private func reserve(rows: Int) throws(OutOfMemory) {
        guard rows > capacity else { return }
        let B = (rows + rowTile - 1) / rowTile * rowTile
        try workspace.allocate { take in
            heads = take(B * C)
            residual = take(B * C)
            guard gradients != nil else { return }
            dHeads = take(B * C)
            dResidual = take(B * C)
        }
        try mlp.reserve(rows: B)
        try projection.reserve(rows: B)
        capacity = B
    }

    /// output [B,C] = the state of every text's pooled position behind this block; input [N,C].
    package func forward(
        _ output: FloatView, _ input: FloatView, _ layout: TextLayout, dropout: BlockDropout? = nil
    ) throws(OutOfMemory) {
        let B = layout.rows
        self.dropout = dropout
        try reserve(rows: B)
        try attention.forward(heads, input, layout, dropout: dropout)
        projection.forward(residual, heads, rows: B)
        dropout?.drop(residual, .attention, width: C, workers)
        for row in 0..<B {
            addVector(residual.pointer + row * C, input.pointer + layout.pooledToken(row, pooling) * C, C)
        }
        mlp.forward(output, residual, rows: B, dropout: dropout)
    }

    /// Adds to the gradients, and sets dInput [N,C] from dOutput [B,C]. dInput is nil where it isn't needed.
    package func backward(_ dInput: FloatView?, _ dOutput: FloatView, _ layout: TextLayout) {
        if gradients == nil { return }
        let B = layout.rows
        mlp.backward(dResidual, dOutput, rows: B)
        var dProjected = dResidual
        if let dropout {
            dProjected = residual  // whose numbers aren't needed any more
            dProjected.copy(dResidual, B * C, workers)
            dropout.drop(dProjected, .attention, width: C, workers)
        }
        projection.backward(dHeads, dProjected, rows: B)
        attention.backward(dInput, dHeads, layout)
        guard let dInput else { return }
        for row in 0..<B {
            addVector(dInput.pointer + layout.pooledToken(row, pooling) * C, dResidual.pointer + row * C, C)
        }
    }
}
