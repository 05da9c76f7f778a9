// Fully connected layers whose weights training changes, through oneDNN.

/// A fully connected layer, y = x·W + b, as GPT-2 stores it: W [inputs,outputs] ("Conv1D"), b [outputs].
///
/// Its products are cut into tiles of fixed size: no number depends on how many threads computed it.
package struct Linear: @unchecked Sendable {  // views, which are only read
    /// W [inputs,outputs].
    package let weight: Matrix
    /// b [outputs]; nil for none.
    package let bias: UnsafePointer<Float>?
    /// Numbers in a row of the input.
    package let inputs: Int
    /// Numbers in a row of the output.
    package let outputs: Int

    /// A layer over views that the caller keeps alive.
    package init(weight: Matrix, bias: UnsafePointer<Float>?, inputs: Int, outputs: Int) {
        self.weight = weight
        self.bias = bias
        self.inputs = inputs
        self.outputs = outputs
    }

    /// The layer of a weight [inputs,outputs] and its bias [outputs].
    package init(_ weight: Tensor, _ bias: Tensor) {
        self.init(
            weight: Matrix(reading: weight.pointer, stride: weight.shape[1]), bias: bias.pointer,
            inputs: weight.shape[0], outputs: weight.shape[1])
    }

    /// The layer that computes `columns` of the output alone, for instance the queries of `c_attn`.
    package func columns(_ columns: Range<Int>) -> Linear {
        Linear(
            weight: weight.at(column: columns.lowerBound), bias: bias.map { $0 + columns.lowerBound },
            inputs: inputs, outputs: columns.count)
    }

    fileprivate static let columnTile = 192

    /// output [rows,outputs] = input [rows,inputs]·W + b, in tiles of columns.
    ///
    /// - Parameter height: rows of one product. Every product has exactly that many rows, the last one too, so there has to
    ///   be room for whole tiles. A row's result then has the same bits whatever rows come with it.
    package func forward(_ output: Matrix, _ input: Matrix, rows: Int, tile height: Int, workers: Workers) {
        let bands = (rows + height - 1) / height
        let columnTiles = (outputs + Self.columnTile - 1) / Self.columnTile
        workers.forEach(bands * columnTiles) { index in
            let (band, tile) = index.quotientAndRemainder(dividingBy: columnTiles)
            let first = tile * Self.columnTile
            let count = min(Self.columnTile, outputs - first)
            let target = output.at(row: band * height, column: first)
            let rows = input.at(row: band * height)
            matmul(target, rows, weight.at(column: first), m: height, n: count, k: inputs)
            guard let bias else { return }
            for row in 0..<height { addVector(target.pointer + row * target.stride, bias + first, count) }
        }
    }

    /// dInput [rows,inputs] = dOutput [rows,outputs]·Wᵀ + keep·dInput.
    package func backwardInput(
        _ dInput: Matrix, _ dOutput: Matrix, rows: Int, keep: Float = 0, workers: Workers
    ) {
        workers.forEachRange(inputs, by: Self.columnTile) { range in
            matmul(
                dInput.at(column: range.lowerBound), dOutput, weight.at(row: range.lowerBound),
                m: rows, n: range.count, k: outputs, transposeB: true, keep: keep)
        }
    }
}

/// The gradients of a ``Linear``: dW [inputs,outputs], db [outputs].
package struct LinearGradient: @unchecked Sendable {  // views, of which each tile writes its own part
    /// dW [inputs,outputs].
    package let dWeight: Matrix
    /// db [outputs]; nil where it isn't wanted.
    package let dBias: UnsafeMutablePointer<Float>?
    /// Numbers in a row of the input.
    package let inputs: Int
    /// Numbers in a row of the output.
    package let outputs: Int

    /// Gradients in views that the caller keeps alive.
    package init(dWeight: Matrix, dBias: UnsafeMutablePointer<Float>?, inputs: Int, outputs: Int) {
        self.dWeight = dWeight
        self.dBias = dBias
        self.inputs = inputs
        self.outputs = outputs
    }

    /// The gradients dW [inputs,outputs] and db [outputs].
    package init(_ dWeight: Tensor, _ dBias: Tensor) {
        self.init(
            dWeight: Matrix(dWeight.mutablePointer, stride: dWeight.shape[1]), dBias: dBias.mutablePointer,
            inputs: dWeight.shape[0], outputs: dWeight.shape[1])
    }

    /// The gradients of some outputs alone; see ``Linear/columns(_:)``.
    package func columns(_ columns: Range<Int>) -> LinearGradient {
        LinearGradient(
            dWeight: dWeight.at(column: columns.lowerBound), dBias: dBias.map { $0 + columns.lowerBound },
            inputs: inputs, outputs: columns.count)
    }

    /// Whether rows of a matrix are a multiple of 4 KiB apart, so that a column's numbers share a few cache lines.
    private static func collides(_ matrix: Matrix) -> Bool { matrix.stride % 1024 == 0 }

    /// dW += inputᵀ·dOutput, db += Σ dOutput over rows, of input [rows,inputs] and dOutput [rows,outputs].
    package func add(input: Matrix, dOutput: Matrix, rows: Int, workers: Workers) {
        // Where many rows collide, products have to be large enough for oneDNN to copy its operands itself.
        let large = rows >= 64 && (Self.collides(input) || Self.collides(dOutput))
        let height = large ? 768 : Linear.columnTile
        let width = large ? 768 : outputs
        let bands = (inputs + height - 1) / height
        workers.forEach(bands * ((outputs + width - 1) / width)) { index in
            let (column, row) = (index / bands * width, index % bands * height)
            matmul(
                dWeight.at(row: row, column: column), input.at(column: row), dOutput.at(column: column),
                m: min(height, inputs - row), n: min(width, outputs - column), k: rows, transposeA: true, keep: 1)
        }
        if dBias == nil { return }
        workers.forEachRange(outputs, by: Linear.columnTile) { columns in
            guard let dBias else { return }
            for row in 0..<rows {
                addVector(
                    dBias + columns.lowerBound, dOutput.pointer + row * dOutput.stride + columns.lowerBound,
                    columns.count)
            }
        }
    }
}
