// Matrix products on row-major matrices, through oneDNN: every floating-point operation that matters passes here.

import COneDNN
import Records

/// A matrix in memory: its first number, and how many numbers further its next row begins.
package struct Matrix {
    package var pointer: UnsafeMutablePointer<Float>
    package var stride: Int

    package init(_ pointer: UnsafeMutablePointer<Float>, stride: Int) {
        self.pointer = pointer
        self.stride = stride
    }

    package func at(row: Int = 0, column: Int = 0) -> Matrix {
        Matrix(pointer + row * stride + column, stride: stride)
    }
}

/// C [m,n] = scale·op(A)·op(B) + keep·C, on the calling thread, where op(A) is [m,k] and op(B) is [k,n].
@inline(__always)
package func matmul(
    _ c: Matrix, _ a: Matrix, _ b: Matrix, m: Int, n: Int, k: Int,
    transposeA: Bool = false, transposeB: Bool = false, scale: Float = 1, keep: Float = 0
) {
    if m == 0 || n == 0 { return }
    let status = onednn_sgemm(
        transposeA, transposeB, Int64(m), Int64(n), Int64(k), scale,
        a.pointer, Int64(a.stride), b.pointer, Int64(b.stride), keep, c.pointer, Int64(c.stride))
    if status != 0 { fail(status, "a matrix product [\(m),\(k)]×[\(k),\(n)]") }
}

/// Ends the process because oneDNN couldn't run what it had been given. It gets its operands from this module and copies
/// them in pieces, so that all it can be short of is memory, in the middle of a step that can't be taken back.
@inline(never)
func fail(_ status: Int32, _ operation: String) -> Never {
    if status == Int32(onednn_out_of_memory) { Interruption.endWithoutMemory() }
    fatalError("oneDNN fails to run \(operation), status \(status)")
}

/// A fully connected layer, y = x·W + b, as GPT-2 stores it: W [inputs,outputs] ("Conv1D"), b [outputs].
///
/// Its products are cut into tiles of fixed size, so that a number doesn't depend on how many threads computed it.
package struct Linear {
    package let weight: Matrix
    package let bias: UnsafeMutablePointer<Float>?
    package let inputs: Int
    package let outputs: Int

    package init(weight: Matrix, bias: UnsafeMutablePointer<Float>?, inputs: Int, outputs: Int) {
        self.weight = weight
        self.bias = bias
        self.inputs = inputs
        self.outputs = outputs
    }

    /// Columns [columns] of the layer alone, for instance the queries of `c_attn`.
    package func columns(_ columns: Range<Int>) -> Linear {
        Linear(
            weight: weight.at(column: columns.lowerBound), bias: bias.map { $0 + columns.lowerBound },
            inputs: inputs, outputs: columns.count)
    }

    private static let columnTile = 192

    /// From this many rows on, copying a tile of weights costs less than fighting over cache lines.
    private static let manyRows = 64

    /// Whether rows of a matrix are a multiple of 4 KiB apart, so that a column's numbers share a few cache lines.
    private static func collides(_ matrix: Matrix) -> Bool { matrix.stride % 1024 == 0 }

    /// output [rows,outputs] = input [rows,inputs]·W + b, tiles over columns.
    ///
    /// - Parameter tile: rows of one product, nil for all. With a tile the product always has exactly that many, the
    ///   last one too (so there has to be room for them): then a row's result has the same bits whatever rows come
    ///   with it.
    package func forward(_ output: Matrix, _ input: Matrix, rows: Int, tile: Int? = nil, workers: Workers) {
        let height = tile ?? rows
        let bands = height == 0 ? 0 : (rows + height - 1) / height
        let columnTiles = (outputs + Self.columnTile - 1) / Self.columnTile
        workers.forEach(bands * columnTiles) { index in
            let (band, tile) = index.quotientAndRemainder(dividingBy: columnTiles)
            let first = tile * Self.columnTile
            let count = min(Self.columnTile, outputs - first)
            let target = output.at(row: band * height, column: first)
            let rows = input.at(row: band * height)
            if height >= Self.manyRows, Self.collides(weight) {
                withUnsafeTemporaryAllocation(of: Float.self, capacity: inputs * (count + 16)) { memory in
                    guard let start = memory.baseAddress else { return }
                    let copy = Matrix(start, stride: count + 16)
                    for row in 0..<inputs {
                        copy.at(row: row).pointer.update(from: weight.at(row: row, column: first).pointer, count: count)
                    }
                    matmul(target, rows, copy, m: height, n: count, k: inputs)
                }
            } else {
                matmul(target, rows, weight.at(column: first), m: height, n: count, k: inputs)
            }
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

    /// With self the gradients' layer: dW += inputᵀ·dOutput, db += Σ dOutput over rows.
    package func addGradients(input: Matrix, dOutput: Matrix, rows: Int, workers: Workers) {
        // Where rows collide, oneDNN has to be given products so large that it copies its operands by itself.
        let large = rows >= Self.manyRows && (Self.collides(input) || Self.collides(dOutput))
        let height = large ? 768 : Self.columnTile
        let width = large ? 768 : outputs
        let bands = (inputs + height - 1) / height
        workers.forEach(bands * ((outputs + width - 1) / width)) { index in
            let (column, row) = (index / bands * width, index % bands * height)
            matmul(
                weight.at(row: row, column: column), input.at(column: row), dOutput.at(column: column),
                m: min(height, inputs - row), n: min(width, outputs - column), k: rows, transposeA: true, keep: 1)
        }
        guard let bias else { return }
        workers.forEachRange(outputs, by: Self.columnTile) { columns in
            for row in 0..<rows {
                addVector(
                    bias + columns.lowerBound, dOutput.pointer + row * dOutput.stride + columns.lowerBound,
                    columns.count)
            }
        }
    }
}
