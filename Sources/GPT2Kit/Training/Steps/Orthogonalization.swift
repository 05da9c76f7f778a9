// A matrix with the same singular vectors and singular values near 1: U·Vᵀ for U·S·Vᵀ, nearly. Five steps of a
// Newton–Schulz iteration, X ← aX + (bA + cA²)X with A = XXᵀ (Jordan et al. 2024), whose coefficients bring singular values
// from 0.001 … 1 to 0.7 … 1.2.

/// The iteration on one thread.
package enum Orthogonalization {
    private static let steps = 5
    private static let (a, b, c): (Float, Float, Float) = (3.4445, -4.775, 2.0315)

    /// Floats of memory that ``run(_:rows:columns:)`` takes: two matrices, and two squares of the shorter side.
    package static func scratchCount(rows: Int, columns: Int) -> Int {
        let short = min(rows, columns)
        return 2 * rows * columns + 2 * short * short
    }

    /// Makes a matrix orthogonal. Zeros stay zeros.
    ///
    /// - Parameters:
    ///   - memory: ``scratchCount(rows:columns:)`` floats, of which the first rows·columns hold the matrix, row after row.
    /// - Returns: where the result lies in `memory`, in the same order.
    package static func run(
        _ memory: UnsafeMutablePointer<Float>, rows: Int, columns: Int
    ) -> UnsafeMutablePointer<Float> {
        let count = rows * columns
        let short = min(rows, columns)
        normalize(memory, count)
        // The shorter side's products are smaller: for a tall X, X ← aX + X(bA + cA²) with A = XᵀX.
        let isTall = rows > columns
        var (x, next) = (Matrix(memory, stride: columns), Matrix(memory + count, stride: columns))
        let gram = Matrix(memory + 2 * count, stride: short)
        let polynomial = Matrix(gram.pointer + short * short, stride: short)
        for _ in 0..<steps {
            matmul(
                gram, x, x, m: short, n: short, k: max(rows, columns), transposeA: isTall, transposeB: !isTall)
            polynomial.pointer.update(from: gram.pointer, count: short * short)
            matmul(polynomial, gram, gram, m: short, n: short, k: short, scale: c, keep: b)
            next.pointer.update(from: x.pointer, count: count)
            if isTall {
                matmul(next, x, polynomial, m: rows, n: columns, k: columns, keep: a)
            } else {
                matmul(next, polynomial, x, m: rows, n: columns, k: rows, keep: a)
            }
            swap(&x, &next)
        }
        return x.pointer
    }

    /// Divides by the Frobenius norm, so that no singular value is above 1.
    private static func normalize(_ numbers: UnsafeMutablePointer<Float>, _ count: Int) {
        var sum = 0.0
        for i in 0..<count { sum += Double(numbers[i]) * Double(numbers[i]) }
        let factor = Float(1 / max(sum.squareRoot(), 1e-7))
        for i in 0..<count { numbers[i] *= factor }
    }
}
