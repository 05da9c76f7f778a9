// Matrix products on row-major matrices, through oneDNN: every floating-point operation that matters passes here.

import COneDNN
import Records

/// A matrix in memory: its first number, and how many numbers further its next row begins.
///
/// Sendable without a lock: whoever hands a matrix to several threads gives each its own part to write.
package struct Matrix: @unchecked Sendable {
    package var pointer: UnsafeMutablePointer<Float>
    package var stride: Int

    package init(_ pointer: UnsafeMutablePointer<Float>, stride: Int) {
        self.pointer = pointer
        self.stride = stride
    }

    /// A matrix that is only read: an operand, never a result.
    package init(reading pointer: UnsafePointer<Float>, stride: Int) {
        self.init(UnsafeMutablePointer(mutating: pointer), stride: stride)
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
