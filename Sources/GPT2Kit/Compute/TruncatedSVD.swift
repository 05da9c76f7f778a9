// The largest singular values of a matrix, by randomized subspace iteration (Halko, Martinsson & Tropp 2011, "Finding structure
// with randomness", https://doi.org/10.1137/090771806, algorithms 4.4 and 5.1).

import Records

/// The best approximation U·diag(σ)·Vᵀ of a matrix A [m,n] by one of a smaller rank, without V.
package struct TruncatedSVD {
    /// σ, the largest first.
    package let values: [Float]
    /// U [m,rank]: orthonormal columns, or zeros where A has a lower rank.
    package let left: Tensor

    /// Random directions beyond the rank, and products with A and Aᵀ, so that the error is small even where the singular values
    /// fall slowly, as those of texts do.
    private static let (extra, iterations) = (16, 3)

    /// - Parameters:
    ///   - matrix: A [m,n].
    ///   - rank: at least 1, at most m and n.
    ///   - seed: of the directions that the iteration starts from.
    /// - Throws: ``OutOfMemory``.
    package init(of matrix: Tensor, rank: Int, seed: UInt64, workers: Workers) throws(OutOfMemory) {
        let (m, n) = (matrix.shape[0], matrix.shape[1])
        let l = min(rank + Self.extra, m, n)
        let a = Matrix(reading: matrix.pointer, stride: n)
        let rows = try Tensor(shape: [m, l])  // Y, then Q
        let columns = try Tensor(shape: [n, l])  // Ω, then the same for Aᵀ
        var generator = SeededGenerator(seed: seed)
        for i in 0..<columns.count { columns.mutablePointer[i] = Float(generator.nextNormal()) }
        for iteration in 0...Self.iterations {
            rows.set(a, columns.matrix, k: n, workers)
            try rows.makeOrthonormal(workers)
            columns.set(a, rows.matrix, k: m, transposeA: true, workers)
            if iteration < Self.iterations { try columns.makeOrthonormal(workers) }
        }
        // B = QᵀA [l,n], whose left singular vectors W are the eigenvectors of B·Bᵀ. With them U = Q·W.
        let (squares, vectors) = try columns.gram(workers).eigen
        let kept = vectors.prefix(rank * l).map(Float.init)
        let left = try Tensor(shape: [m, rank])
        kept.withUnsafeBufferPointer { kept in
            guard let start = kept.baseAddress else { return }
            left.set(rows.matrix, Matrix(reading: start, stride: l), k: l, transposeB: true, workers)
        }
        withExtendedLifetime((matrix, rows, columns, left)) {}
        values = squares.prefix(rank).map { Float(max(0, $0).squareRoot()) }
        self.left = left
    }
}

extension Tensor {
    /// A tensor of two dimensions as a matrix.
    fileprivate var matrix: Matrix { Matrix(reading: pointer, stride: shape[1]) }

    /// Sets this [m,n] to op(A)·op(B), where op(A) is [m,k] and op(B) is [k,n], `tile` rows at a time.
    fileprivate func set(
        _ a: Matrix, _ b: Matrix, k: Int, transposeA: Bool = false, transposeB: Bool = false, tile: Int = 256,
        _ workers: Workers
    ) {
        workers.forEachRange(shape[0], by: tile) { range in
            let first = range.lowerBound
            matmul(
                matrix.at(row: first), transposeA ? a.at(column: first) : a.at(row: first), b, m: range.count,
                n: shape[1], k: k, transposeA: transposeA, transposeB: transposeB)
        }
    }

    /// YᵀY [l,l] of Y [m,l].
    fileprivate func gram(_ workers: Workers) throws(OutOfMemory) -> SymmetricMatrix {
        let l = shape[1]
        let result = try Tensor(shape: [l, l])
        result.set(matrix, matrix, k: shape[0], transposeA: true, tile: 64, workers)
        return withExtendedLifetime(result) { SymmetricMatrix(size: l, result.values) }
    }

    /// Makes the columns of Y [m,l] orthonormal: Y·R⁻¹, where YᵀY = RᵀR. The second time mends what rounding left of the first.
    fileprivate func makeOrthonormal(_ workers: Workers) throws(OutOfMemory) {
        let l = shape[1]
        let scratch = try Tensor(shape: shape)
        for _ in 0..<2 {
            let inverse = try gram(workers).inverseCholeskyFactor.map(Float.init)
            inverse.withUnsafeBufferPointer { inverse in
                guard let start = inverse.baseAddress else { return }
                scratch.set(matrix, Matrix(reading: start, stride: l), k: l, workers)
            }
            _ = mutableValues.update(fromContentsOf: scratch.values)
            withExtendedLifetime(scratch) {}
        }
    }
}
