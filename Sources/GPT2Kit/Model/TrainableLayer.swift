// The fully connected layers of blocks, forward and backward, with their gradients.

/// A fully connected layer y = x·W + b in training.
package protocol TrainableLayer: AnyObject, Sendable {
    /// Reserves memory for inputs of `rows` rows.
    func reserve(rows: Int) throws(OutOfMemory)

    /// output [rows,outputs] from input [rows,inputs], which mustn't change before the backward pass.
    func forward(_ output: FloatView, _ input: FloatView, rows: Int)

    /// Adds to the gradients, and sets dInput [rows,inputs], from dOutput [rows,outputs] of the last forward pass.
    ///
    /// - Parameter dInput: nil where it isn't needed.
    func backward(_ dInput: FloatView?, _ dOutput: FloatView, rows: Int)
}

/// A layer at the positions of all tokens: many rows, for which preparing the weights pays.
package final class TokenLayer: TrainableLayer, @unchecked Sendable {  // one batch at a time
    private let linear: PackedLinear
    private let gradient: LayerGradient?
    private let workers: Workers
    private var input = FloatView()

    /// - Parameters:
    ///   - weight: [inputs,outputs].
    ///   - bias: [outputs].
    ///   - gradient: where the backward pass adds; nil for inference.
    ///   - other: a layer with the same weight, which prepares it for both; nil for none.
    /// - Throws: ``OneDNNError``, ``OutOfMemory``.
    package init(
        _ weight: Tensor, _ bias: Tensor, gradient: LayerGradient?, _ type: OperandType, scratch: ProductScratch,
        sharing other: TokenLayer? = nil, workers: Workers
    ) throws {
        let passes: PackedLinear.Passes =
            switch gradient {
            case nil: .forward
            case .full?: .gradients
            case .frozen?, .adapter?: .inputGradient
            }
        linear = try PackedLinear(
            weight, bias, passes, type, scratch: scratch, sharing: other?.linear, workers: workers)
        self.gradient = gradient
        self.workers = workers
    }

    /// See ``TrainableLayer/reserve(rows:)``.
    package func reserve(rows: Int) throws(OutOfMemory) {
        try linear.reserve(rows: rows)
        try gradient?.reserve(rows: rows)
    }

    /// Reads the weights as they are now. To be called after every change of them, and before the first product.
    package func refresh() { linear.refresh() }

    /// See ``TrainableLayer/forward(_:_:rows:)``.
    package func forward(_ output: FloatView, _ input: FloatView, rows: Int) {
        self.input = input
        linear.forward(output, input, rows: rows)
    }

    /// See ``TrainableLayer/backward(_:_:rows:)``.
    package func backward(_ dInput: FloatView?, _ dOutput: FloatView, rows: Int) {
        switch gradient {
        case .full(let full): linear.backward(dInput, dOutput, rows: rows, gradient: full)
        case .adapter?:
            gradient?.addGradients(
                input: input.matrix(linear.inputs), dOutput: dOutput.matrix(linear.outputs), rows: rows,
                workers: workers)
            fallthrough
        case .frozen?, nil:
            if dInput != nil { linear.backward(dInput, dOutput, rows: rows, gradient: nil) }
        }
    }
}

/// A layer at the pooled positions: few rows, which take the weights as they lie.
package final class PooledLayer: TrainableLayer, @unchecked Sendable {  // one batch at a time
    private let linear: Linear
    private let gradient: LayerGradient?
    private let rowTile: Int
    private let workers: Workers
    private var input = FloatView()

    /// - Parameters:
    ///   - gradient: where the backward pass adds; nil for inference.
    ///   - rowTile: see ``Linear/forward(_:_:rows:tile:workers:)``.
    package init(_ linear: Linear, gradient: LayerGradient?, rowTile: Int, workers: Workers) {
        (self.linear, self.gradient, self.rowTile, self.workers) = (linear, gradient, rowTile, workers)
    }

    /// See ``TrainableLayer/reserve(rows:)``.
    package func reserve(rows: Int) throws(OutOfMemory) { try gradient?.reserve(rows: rows) }

    /// See ``TrainableLayer/forward(_:_:rows:)``.
    package func forward(_ output: FloatView, _ input: FloatView, rows: Int) {
        self.input = input
        linear.forward(
            output.matrix(linear.outputs), input.matrix(linear.inputs), rows: rows, tile: rowTile, workers: workers)
    }

    /// See ``TrainableLayer/backward(_:_:rows:)``.
    package func backward(_ dInput: FloatView?, _ dOutput: FloatView, rows: Int) {
        gradient?.addGradients(
            input: input.matrix(linear.inputs), dOutput: dOutput.matrix(linear.outputs), rows: rows, workers: workers)
        guard let dInput else { return }
        linear.backwardInput(dInput.matrix(linear.inputs), dOutput.matrix(linear.outputs), rows: rows, workers: workers)
    }
}
