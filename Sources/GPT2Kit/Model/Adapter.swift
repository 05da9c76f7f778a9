// One of LoRA's adapters: see LoRA.swift.

import Records

/// A low-rank addition to the weight of one layer.
package final class Adapter: @unchecked Sendable {  // one batch at a time; each tile writes its own part
    /// The layer's name among the weights, without ".weight".
    package let name: String
    /// Numbers in a row of the layer's input.
    package let inputs: Int
    /// Numbers in a row of the layer's output.
    package let outputs: Int
    /// A [inputs,r].
    package let a: Tensor
    /// B [r,outputs].
    package let b: Tensor
    /// The gradient of A, [inputs,r].
    package let dA: Tensor
    /// The gradient of B, [r,outputs].
    package let dB: Tensor
    /// W' = W + scale·A·B, of the same shape as W: [inputs,outputs], or, for the head, [outputs,inputs].
    package let merged: Tensor
    private let base: Tensor
    private let isTransposed: Bool
    private let rank: Int
    private let scale: Float

    private let workspace = Workspace()
    private var capacity = 0
    private var narrowInput = FloatView(), narrowOutput = FloatView()  // x·A and scale·dy·Bᵀ [rows,r]

    private static let rowTile = 64
    private static let columnTile = 192

    /// An adapter whose A is drawn and whose B is zero.
    ///
    /// - Parameters:
    ///   - name: the layer's name among the weights, without ".weight".
    ///   - base: W, which stays as it is.
    ///   - isTransposed: whether W is [outputs,inputs], as the head's is.
    ///   - seed: of A.
    /// - Throws: ``OutOfMemory``.
    package init(
        _ name: String, _ base: Tensor, _ lora: LoRA, isTransposed: Bool = false, seed: UInt64
    ) throws(OutOfMemory) {
        self.name = name
        self.base = base
        self.isTransposed = isTransposed
        (inputs, outputs) = isTransposed ? (base.shape[1], base.shape[0]) : (base.shape[0], base.shape[1])
        rank = lora.rank
        scale = Float(lora.alpha / Double(lora.rank))
        a = try Tensor(shape: [inputs, rank])
        b = try Tensor(shape: [rank, outputs])
        dA = try Tensor(shape: [inputs, rank])
        dB = try Tensor(shape: [rank, outputs])
        merged = try base.copied()
        var generator = SeededGenerator(seed: seed)
        let bound = 1 / Double(inputs).squareRoot()
        for i in 0..<a.count { a.mutablePointer[i] = Float((2 * generator.nextUniform() - 1) * bound) }
    }

    private var aMatrix: Matrix { Matrix(reading: a.pointer, stride: rank) }
    private var bMatrix: Matrix { Matrix(reading: b.pointer, stride: outputs) }

    /// Sets ``merged`` from W, A and B as they are now.
    package func merge(_ workers: Workers) {
        let width = base.shape[1]
        workers.forEachRange(base.shape[0], by: Self.rowTile) { rows in
            let target = Matrix(merged.mutablePointer + rows.lowerBound * width, stride: width)
            target.pointer.update(from: base.pointer + rows.lowerBound * width, count: rows.count * width)
            if isTransposed {
                matmul(
                    target, bMatrix.at(column: rows.lowerBound), aMatrix, m: rows.count, n: width, k: rank,
                    transposeA: true, transposeB: true, scale: scale, keep: 1)
            } else {
                matmul(
                    target, aMatrix.at(row: rows.lowerBound), bMatrix, m: rows.count, n: width, k: rank, scale: scale,
                    keep: 1)
            }
        }
    }

    /// Reserves scratch memory for inputs of `rows` rows.
    package func reserve(rows: Int) throws(OutOfMemory) {
        guard rows > capacity else { return }
        try workspace.allocate { take in
            narrowInput = take(rows * rank)
            narrowOutput = take(rows * rank)
        }
        capacity = rows
    }

    /// See ``LayerGradient/addGradients(input:dOutput:rows:columns:workers:)``.
    package func addGradients(input: Matrix, dOutput: Matrix, rows: Int, columns: Range<Int>, workers: Workers) {
        let b = bMatrix.at(column: columns.lowerBound)
        narrow(input, rows: rows, workers)
        workers.forEachRange(rows, by: Self.rowTile) { band in
            matmul(
                narrowOutput.matrix(rank).at(row: band.lowerBound), dOutput.at(row: band.lowerBound), b,
                m: band.count, n: rank, k: columns.count, transposeB: true, scale: scale)
        }
        addGradientOfA(input, rows: rows, workers)
        workers.forEachRange(columns.count, by: Self.columnTile) { range in
            matmul(
                Matrix(dB.mutablePointer, stride: outputs).at(column: columns.lowerBound + range.lowerBound),
                narrowInput.matrix(rank), dOutput.at(column: range.lowerBound), m: rank, n: range.count, k: rows,
                transposeA: true, scale: scale, keep: 1)
        }
    }

    /// See ``LayerGradient/addGradients(headInputs:dOutput:rows:heads:headWidth:firstColumn:workers:)``.
    package func addGradients(
        headInputs inputs: FloatView, dOutput: Matrix, rows: Int, heads H: Int, headWidth d: Int, firstColumn: Int,
        workers: Workers
    ) {
        let input = inputs.matrix(self.inputs)  // [rows·H,inputs]
        narrow(input, rows: rows * H, workers)
        workers.forEach(H) { head in
            let column = firstColumn + head * d
            let dHead = dOutput.at(column: head * d)
            matmul(
                narrowOutput.matrix(H * rank).at(column: head * rank), dHead, bMatrix.at(column: column),
                m: rows, n: rank, k: d, transposeB: true, scale: scale)
            matmul(
                Matrix(dB.mutablePointer, stride: outputs).at(column: column),
                narrowInput.matrix(H * rank).at(column: head * rank), dHead, m: rank, n: d, k: rows, transposeA: true,
                scale: scale, keep: 1)
        }
        addGradientOfA(input, rows: rows * H, workers)
    }

    /// x·A [rows,r]
    private func narrow(_ input: Matrix, rows: Int, _ workers: Workers) {
        workers.forEachRange(rows, by: Self.rowTile) { band in
            matmul(
                narrowInput.matrix(rank).at(row: band.lowerBound), input.at(row: band.lowerBound), aMatrix,
                m: band.count, n: rank, k: inputs)
        }
    }

    /// dA += xᵀ(scale·dy·Bᵀ)
    private func addGradientOfA(_ input: Matrix, rows: Int, _ workers: Workers) {
        workers.forEachRange(inputs, by: Self.columnTile) { range in
            matmul(
                Matrix(dA.mutablePointer + range.lowerBound * rank, stride: rank), input.at(column: range.lowerBound),
                narrowOutput.matrix(rank), m: range.count, n: rank, k: rows, transposeA: true, keep: 1)
        }
    }
}
