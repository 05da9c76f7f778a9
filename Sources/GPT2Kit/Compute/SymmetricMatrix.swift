// Small symmetric matrices in 64 bits: what a factorization of a large matrix comes down to.

import Platform

/// A symmetric matrix [n,n] of doubles, row-major.
package struct SymmetricMatrix {
    /// Rows, and columns.
    package let size: Int
    /// All numbers, row by row.
    package private(set) var values: [Double]

    /// - Parameter values: `size`² numbers, of which those on and above the diagonal are read.
    package init(size: Int, _ values: some Collection<Float>) {
        precondition(values.count == size * size, "a matrix of \(size) rows has \(values.count) numbers")
        self.size = size
        self.values = values.map(Double.init)
        for row in 0..<size {
            for column in 0..<row { self.values[row * size + column] = self.values[column * size + row] }
        }
    }

    /// R⁻¹ [n,n] of the Cholesky factorization A = RᵀR with an upper triangular R, so that the columns of Y·R⁻¹ are orthonormal
    /// where A = YᵀY. A column that depends on those before it, to three digits of its length, gets zeros.
    package var inverseCholeskyFactor: [Double] {
        let n = size
        var r = [Double](repeating: 0, count: n * n)
        var inverse = r
        for j in 0..<n {
            var pivot = values[j * n + j]
            for k in 0..<j { pivot -= r[k * n + j] * r[k * n + j] }
            guard pivot > 1e-6 * values[j * n + j], pivot > 0 else { continue }
            let root = pivot.squareRoot()
            r[j * n + j] = root
            for i in j + 1..<max(n, j + 1) {
                var sum = values[j * n + i]
                for k in 0..<j { sum -= r[k * n + j] * r[k * n + i] }
                r[j * n + i] = sum / root
            }
            // Column j of the inverse, from those before it: R⁻¹ₖⱼ = −(Σ R⁻¹ₖᵢ·Rᵢⱼ) / Rⱼⱼ.
            inverse[j * n + j] = 1 / root
            for k in 0..<j {
                var sum = 0.0
                for i in k..<j { sum += inverse[k * n + i] * r[i * n + j] }
                inverse[k * n + j] = -sum / root
            }
        }
        return inverse
    }

    /// Eigenvalues, the largest first, and the eigenvectors as the rows of [n,n], by cyclic Jacobi rotations (Golub & Van Loan,
    /// Matrix Computations, §8.5).
    package var eigen: (values: [Double], vectors: [Double]) {
        let n = size
        var a = values
        var vectors = [Double](repeating: 0, count: n * n)
        for i in 0..<n { vectors[i * n + i] = 1 }
        let norm = a.reduce(0) { $0 + $1 * $1 }
        for _ in 0..<30 {
            var rest = 0.0
            for p in 0..<n { for q in p + 1..<max(n, p + 1) { rest += a[p * n + q] * a[p * n + q] } }
            if rest <= 1e-24 * norm { break }
            a.withUnsafeMutableBufferPointer { a in
                vectors.withUnsafeMutableBufferPointer { vectors in Self.sweep(a, vectors, n) }
            }
        }
        let order = (0..<n).sorted { a[$0 * n + $0] > a[$1 * n + $1] }
        return (order.map { a[$0 * n + $0] }, order.flatMap { vectors[$0 * n..<($0 + 1) * n] })
    }

    /// One rotation for every pair of rows, which makes the number that they share zero.
    private static func sweep(
        _ a: UnsafeMutableBufferPointer<Double>, _ vectors: UnsafeMutableBufferPointer<Double>, _ n: Int
    ) {
        for p in 0..<n {
            for q in p + 1..<max(n, p + 1) where a[p * n + q] != 0 {
                let slope = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q])
                let tangent = (slope < 0 ? -1 : 1) / (abs(slope) + (slope * slope + 1).squareRoot())
                let cosine = 1 / (tangent * tangent + 1).squareRoot()
                let sine = tangent * cosine
                for i in 0..<n {
                    let (x, y) = (a[p * n + i], a[q * n + i])
                    a[p * n + i] = cosine * x - sine * y
                    a[q * n + i] = sine * x + cosine * y
                    let (v, w) = (vectors[p * n + i], vectors[q * n + i])
                    vectors[p * n + i] = cosine * v - sine * w
                    vectors[q * n + i] = sine * v + cosine * w
                }
                for i in 0..<n {
                    let (x, y) = (a[i * n + p], a[i * n + q])
                    a[i * n + p] = cosine * x - sine * y
                    a[i * n + q] = sine * x + cosine * y
                }
            }
        }
    }
}
