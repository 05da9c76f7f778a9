// The second half of a transformer block, over any rows: y = a + D(mlp.c_proj(gelu(mlp.c_fc(ln_2(a))))), where D is
// dropout, in training.

/// Keeps what its backward pass needs.
package final class FeedForward {
    private let parameters: BlockParameters
    private let gradients: BlockGradients?
    private let C: Int, F: Int
    private let epsilon: Float
    private let rowTile: Int?
    private let workers: Workers

    private var memory = Arena()
    private var capacity = 0
    private var norm = Region(), rstd = Region(), x = Region()  // [rows,C], [rows], [rows,C]
    private var expanded = Region(), activated = Region()  // [rows,4C]
    private var contracted = Region()  // [rows,C]
    private var dWide = Region(), dNarrow = Region()  // scratch of the backward pass
    private var dropout: BlockDropout?

    /// - Parameter rowTile: see ``Linear/forward(_:_:rows:tile:workers:)``.
    package init(
        _ parameters: BlockParameters, gradients: BlockGradients?, config: GPT2Config, rowTile: Int?,
        workers: Workers
    ) {
        self.parameters = parameters
        self.gradients = gradients
        self.rowTile = rowTile
        self.workers = workers
        (C, F, epsilon) = (config.width, config.innerWidth, config.epsilon)
    }

    package func reserve(rows: Int) throws(OutOfMemory) {
        guard rows > capacity else { return }
        let n = rows
        var sizes = [n * C, n, n * C, n * F, n * F, n * C]
        if gradients != nil { sizes += [n * F, n * C] }
        let r = try memory.allocate(sizes)
        (norm, rstd, x, expanded, activated, contracted) = (r[0], r[1], r[2], r[3], r[4], r[5])
        if gradients != nil { (dWide, dNarrow) = (r[6], r[7]) }
        try gradients?.expansion.reserve(rows: n)
        try gradients?.contraction.reserve(rows: n)
        capacity = rows
    }

    /// output [rows,C] from input [rows,C]; with a row tile there has to be room reserved for whole tiles.
    package func forward(_ output: Region, _ input: Region, rows: Int, dropout: BlockDropout? = nil) {
        self.dropout = dropout
        norm.normalize(input, rstd: rstd, rows: rows, width: C, epsilon: epsilon, workers)
        x.affine(norm, gain: parameters.ln2Weight, shift: parameters.ln2Bias, rows: rows, width: C, workers)
        parameters.expansion.forward(expanded.matrix(F), x.matrix(C), rows: rows, tile: rowTile, workers: workers)
        workers.forEachRange(rows * F, by: 1 << 14) { range in
            GELU.forward(
                activated.pointer + range.lowerBound, expanded.pointer + range.lowerBound, count: range.count)
        }
        parameters.contraction.forward(
            contracted.matrix(C), activated.matrix(F), rows: rows, tile: rowTile, workers: workers)
        dropout?.drop(contracted, .feedForward, width: C, workers)
        output.copy(input, rows * C, workers)
        output.add(contracted, rows * C, workers)
    }

    /// dInput [rows,C] is set from dOutput [rows,C]; adds to the gradients.
    package func backward(_ dInput: Region, _ dOutput: Region, rows: Int) {
        guard let gradients else { return }
        var dContracted = dOutput
        if let dropout {
            dContracted = contracted  // whose numbers nobody needs any more
            dContracted.copy(dOutput, rows * C, workers)
            dropout.drop(dContracted, .feedForward, width: C, workers)
        }
        gradients.contraction.accumulate(
            input: activated.matrix(F), dOutput: dContracted.matrix(C), rows: rows, workers: workers)
        parameters.contraction.backwardInput(dWide.matrix(F), dContracted.matrix(C), rows: rows, workers: workers)
        workers.forEachRange(rows * F, by: 1 << 14) { range in
            let start = dWide.pointer + range.lowerBound
            GELU.backward(start, start, expanded.pointer + range.lowerBound, count: range.count)
        }
        gradients.expansion.accumulate(input: x.matrix(C), dOutput: dWide.matrix(F), rows: rows, workers: workers)
        parameters.expansion.backwardInput(dNarrow.matrix(C), dWide.matrix(F), rows: rows, workers: workers)
        dInput.copy(dOutput, rows * C, workers)
        dInput.addNormalizeBackward(
            dNarrow, normalized: norm, rstd: rstd, gain: parameters.ln2Weight, rows: rows, width: C, workers)
        dNarrow.addNormalizeGradients(gradients.norm2, normalized: norm, rows: rows, width: C, workers)
    }
}
