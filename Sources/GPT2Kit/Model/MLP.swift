// The second half of a transformer block, over any rows: y = a + D(mlp.c_proj(gelu(mlp.c_fc(ln_2(a))))), where D is
// dropout, in training.

/// ln_2, the MLP and the residual sum of a block. It keeps what its backward pass needs.
package final class MLP: @unchecked Sendable {  // one batch at a time; each tile writes its own part
    private let parameters: BlockParameters
    private let gradients: BlockGradients?
    private let C: Int, F: Int
    private let epsilon: Float
    private let fcLayer: any TrainableLayer, projection: any TrainableLayer
    private let workers: Workers

    private let workspace = Workspace()
    private var capacity = 0
    private var norm = FloatView(), rstd = FloatView(), x = FloatView()  // [rows,C], [rows], [rows,C]
    private var fc = FloatView(), activated = FloatView()  // [rows,F]
    private var projected = FloatView()  // [rows,C]
    private var dWide = FloatView(), dNarrow = FloatView()  // scratch of the backward pass
    private var dropout: BlockDropout?

    /// - Parameters:
    ///   - fc: the layer mlp.c_fc.
    ///   - projection: the layer mlp.c_proj.
    package init(
        _ parameters: BlockParameters, gradients: BlockGradients?, config: GPT2Config, fc: any TrainableLayer,
        projection: any TrainableLayer, workers: Workers
    ) {
        self.parameters = parameters
        self.gradients = gradients
        (fcLayer, self.projection) = (fc, projection)
        self.workers = workers
        (C, F, epsilon) = (config.width, config.innerWidth, config.epsilon)
    }

    /// Reserves memory for `rows` rows; with a row tile, for whole tiles.
    package func reserve(rows: Int) throws(OutOfMemory) {
        guard rows > capacity else { return }
        try workspace.allocate { take in
            norm = take(rows * C)
            rstd = take(rows)
            x = take(rows * C)
            fc = take(rows * F)
            activated = take(rows * F)
            projected = take(rows * C)
            guard gradients != nil else { return }
            dWide = take(rows * F)
            dNarrow = take(rows * C)
        }
        try fcLayer.reserve(rows: rows)
        try projection.reserve(rows: rows)
        capacity = rows
    }

    /// output [rows,C] from input [rows,C], for which memory is reserved.
    package func forward(_ output: FloatView, _ input: FloatView, rows: Int, dropout: BlockDropout? = nil) {
        self.dropout = dropout
        norm.normalize(input, rstd: rstd, rows: rows, width: C, epsilon: epsilon, workers)
        x.affine(norm, weight: parameters.ln2Weight, bias: parameters.ln2Bias, rows: rows, width: C, workers)
        fcLayer.forward(fc, x, rows: rows)
        workers.forEachRange(rows * F, by: 1 << 14) { range in
            GELU.forward(
                activated.pointer + range.lowerBound, fc.pointer + range.lowerBound, count: range.count)
        }
        projection.forward(projected, activated, rows: rows)
        dropout?.drop(projected, .mlp, width: C, workers)
        output.copy(input, rows * C, workers)
        output.add(projected, rows * C, workers)
    }

    /// Adds to the gradients, and sets dInput [rows,C] from dOutput [rows,C].
    package func backward(_ dInput: FloatView, _ dOutput: FloatView, rows: Int) {
        guard let gradients else { return }
        var dProjected = dOutput
        if let dropout {
            dProjected = projected  // whose numbers aren't needed any more
            dProjected.copy(dOutput, rows * C, workers)
            dropout.drop(dProjected, .mlp, width: C, workers)
        }
        projection.backward(dWide, dProjected, rows: rows)
        workers.forEachRange(rows * F, by: 1 << 14) { range in
            let start = dWide.pointer + range.lowerBound
            GELU.backward(start, start, fc.pointer + range.lowerBound, count: range.count)
        }
        fcLayer.backward(dNarrow, dWide, rows: rows)
        dInput.copy(dOutput, rows * C, workers)
        dInput.addNormalizeBackward(
            dNarrow, normalized: norm, rstd: rstd, weight: parameters.ln2Weight, rows: rows, width: C, workers)
        dNarrow.addNormalizeGradients(gradients.norm2, normalized: norm, rows: rows, width: C, workers)
    }
}
