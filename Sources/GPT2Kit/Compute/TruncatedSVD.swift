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
            if iteration > 0 {
                workers.forEachRange(n, by: 256) { range in
                    matmul(
                        columns.matrix.at(row: range.lowerBound), a.at(column: range.lowerBound), rows.matrix,
                        m: range.count, n: l, k: m, transposeA: true)
                }
                try columns.makeOrthonormal(workers)
            }
            workers.forEachRange(m, by: 256) { range in
                matmul(
                    rows.matrix.at(row: range.lowerBound), a.at(row: range.lowerBound), columns.matrix,
                    m: range.count, n: l, k: n)
            }
            try rows.makeOrthonormal(workers)
        }
        // B = QᵀA [l,n], whose left singular vectors W are the eigenvectors of B·Bᵀ. With them U = Q·W.
        workers.forEachRange(n, by: 256) { range in
            matmul(
                columns.matrix.at(row: range.lowerBound), a.at(column: range.lowerBound), rows.matrix,
                m: range.count, n: l, k: m, transposeA: true)
        }
        let (squares, vectors) = try columns.gram(workers).eigen
        let kept = vectors.prefix(rank * l).map(Float.init)
        let left = try Tensor(shape: [m, rank])
        kept.withUnsafeBufferPointer { kept in
            guard let start = kept.baseAddress else { return }
            let w = Matrix(reading: start, stride: l)
            workers.forEachRange(m, by: 256) { range in
                matmul(
                    left.matrix.at(row: range.lowerBound), rows.matrix.at(row: range.lowerBound), w, m: range.count,
                    n: rank, k: l, transposeB: true)
            }
        }
        withExtendedLifetime((matrix, rows, columns, left)) {}
        values = squares.prefix(rank).map { Float(max(0, $0).squareRoot()) }
        self.left = left
    }
}

extension Tensor {
    /// A tensor of two dimensions as a matrix.
    fileprivate var matrix: Matrix { Matrix(reading: pointer, stride: shape[1]) }

    /// YᵀY [l,l] of Y [m,l].
    fileprivate func gram(_ workers: Workers) throws(OutOfMemory) -> SymmetricMatrix {
        let l = shape[1]
        let result = try Tensor(shape: [l, l])
        workers.forEachRange(l, by: 64) { range in
            matmul(
                result.matrix.at(row: range.lowerBound), matrix.at(column: range.lowerBound), matrix, m: range.count,
                n: l, k: shape[0], transposeA: true)
        }
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
                let r = Matrix(reading: start, stride: l)
                workers.forEachRange(shape[0], by: 256) { range in
                    matmul(
                        scratch.matrix.at(row: range.lowerBound), matrix.at(row: range.lowerBound), r, m: range.count,
                        n: l, k: l)
                }
            }
            _ = mutableValues.update(fromContentsOf: scratch.values)
            withExtendedLifetime(scratch) {}
        }
    }
}
