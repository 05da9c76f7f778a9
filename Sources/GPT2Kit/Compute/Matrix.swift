// Matrix products on row-major matrices: of any size through oneDNN, of small ones through our own. Nearly all arithmetic of
// training happens here.

import COneDNN
import CProducts
import Records

/// A matrix in memory: its first number and its stride.
///
/// Sendable without a lock: whoever hands a matrix to several threads gives each its own part to write.
package struct Matrix: @unchecked Sendable {
    /// The first number.
    package var pointer: UnsafeMutablePointer<Float>
    /// Numbers from the beginning of a row to that of the next.
    package var stride: Int

    /// A matrix over memory that the caller keeps alive.
    package init(_ pointer: UnsafeMutablePointer<Float>, stride: Int) {
        self.pointer = pointer
        self.stride = stride
    }

    /// A matrix that is only read: an operand, never a result.
    package init(reading pointer: UnsafePointer<Float>, stride: Int) {
        self.init(UnsafeMutablePointer(mutating: pointer), stride: stride)
    }

    /// The part of the matrix that begins at `row` and `column`.
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

/// C [m,n] = scale·A·op(B), on the calling thread, where op(B) is [k,n]: for the small matrices of attention, where it is as fast
/// as ``matmul`` or faster, and needs no kernels that are made first. A row of C has the same bits whatever m is.
///
/// - Parameter lanes: floats in a vector, 4, 8 or 16, as many as the CPU has.
@inline(__always)
package func smallMatmul(
    _ c: Matrix, _ a: Matrix, _ b: Matrix, m: Int, n: Int, k: Int, transposeB: Bool = false, scale: Float = 1,
    lanes: Int = lanesOfCPU
) {
    small_product(
        Int32(lanes), transposeB, Int64(m), Int64(n), Int64(k), scale, a.pointer, Int64(a.stride), b.pointer,
        Int64(b.stride),
        c.pointer, Int64(c.stride))
}

/// Floats in a vector of this CPU, as oneDNN uses it: 16, 8 or 4.
package let lanesOfCPU = Int(onednn_float_lanes())

/// Has oneDNN make the kernels of ``matmul``, on the calling thread. It makes all of a kind in the first product that needs
/// one, which takes longer than a short text takes in a small model. These are the kinds that the pooled position needs in a
/// model of a width.
package func makeMatmulKernels(width: Int) {
    onednn_use_one_thread()
    let (rows, d) = (24, 64)
    let width = max(width, d)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: (rows + d) * width) { numbers in
        guard let start = numbers.baseAddress else { return }
        numbers.initialize(repeating: 0)
        let (weights, result) = (Matrix(start, stride: width), Matrix(start + d * width, stride: width))
        matmul(result, result, weights, m: rows, n: d, k: d)
        matmul(result, result, weights, m: rows, n: d, k: d, transposeB: true)
    }
}

/// Ends the process because oneDNN couldn't run a product. Its operands come from this module, and it copies them in
/// blocks: memory is all that it can lack, in the middle of a step that can't be undone.
@inline(never)
func fail(_ status: Int32, _ operation: String) -> Never {
    if status == Int32(onednn_out_of_memory) { Interruption.endWithoutMemory() }
    fatalError("oneDNN fails to run \(operation), status \(status)")
}
