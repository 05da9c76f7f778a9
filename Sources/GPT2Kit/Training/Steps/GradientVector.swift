// Clipping of gradients by their global norm (Pascanu, Mikolov & Bengio 2013, https://arxiv.org/abs/1211.5063,
// algorithm 1), as torch.nn.utils.clip_grad_norm_ does it.

/// All gradients of a model, seen as one vector.
package struct GradientVector {
    private let gradients: [Tensor]
    private let workers: Workers
    private static let tile = 1 << 15

    /// The vector of `gradients`, which it reads and scales in place.
    package init(_ gradients: [Tensor], workers: Workers) {
        self.gradients = gradients
        self.workers = workers
    }

    /// The L2 norm. Squares are summed in double precision tile by tile, then the tiles in their order: the result has
    /// the same bits for any number of threads.
    package func norm() -> Double {
        gradients.reduce(0.0) { $0 + squares($1) }.squareRoot()
    }

    private func squares(_ gradient: Tensor) -> Double {
        let tiles = (gradient.count + Self.tile - 1) / Self.tile
        return withUnsafeTemporaryAllocation(of: Double.self, capacity: max(tiles, 1)) { sums in
            nonisolated(unsafe) let sums = sums
            workers.forEachRange(gradient.count, by: Self.tile) { range in
                var sum = 0.0
                for i in range { sum += Double(gradient.pointer[i]) * Double(gradient.pointer[i]) }
                sums[range.lowerBound / Self.tile] = sum
            }
            return sums.prefix(tiles).reduce(0, +)
        }
    }

    /// Scales the vector to a norm of about `limit` where it is longer.
    ///
    /// - Returns: the norm before.
    package func clip(norm limit: Double) -> Double {
        let norm = norm()
        let factor = limit / (norm + 1e-6)
        if factor < 1 { scale(Float(factor)) }
        return norm
    }

    private func scale(_ factor: Float) {
        for gradient in gradients {
            workers.forEachRange(gradient.count, by: Self.tile) { range in
                let numbers = gradient.mutablePointer
                for i in range { numbers[i] *= factor }
            }
        }
    }
}
