// A linear support vector machine with squared hinge loss, one class against the rest: dual coordinate descent (Hsieh et al. 2008,
// "A dual coordinate descent method for large-scale linear SVM", algorithm 1), as LIBLINEAR and scikit-learn's LinearSVC solve
// it. The last weight is the bias, which is regularized, too.

import Records

/// Finds a weight for every feature.
package enum SupportVectors {
    /// The weights [features + 1] that least ½·|w|² + C·Σ cᵢ·max(0, 1 − yᵢ·w·xᵢ)².
    ///
    /// - Parameters:
    ///   - texts: the features xᵢ; a 1 is added to each for the bias.
    ///   - isPositive: yᵢ = 1, otherwise −1.
    ///   - weights: cᵢ.
    ///   - cost: C.
    ///   - tolerance: of the projected gradient.
    package static func weights(
        _ texts: [SparseText], isPositive: [Bool], weights c: [Double], features: Int, cost: Double,
        tolerance: Double = 1e-4, seed: UInt64
    ) -> [Float] {
        var w = [Double](repeating: 0, count: features + 1)
        /// w·x.
        func product(_ text: SparseText) -> Double {
            w.withUnsafeBufferPointer { w in
                var sum = w[features]
                for (index, value) in zip(text.indices, text.values) { sum += w[Int(index)] * Double(value) }
                return sum
            }
        }
        /// w += step·x.
        func add(_ step: Double, _ text: SparseText) {
            w.withUnsafeMutableBufferPointer { w in
                for (index, value) in zip(text.indices, text.values) { w[Int(index)] += step * Double(value) }
                w[features] += step
            }
        }
        var alpha = [Double](repeating: 0, count: texts.count)
        let diagonal = c.map { 0.5 / (cost * $0) }
        let lengths = zip(texts, diagonal).map { text, d in
            text.values.reduce(1) { $0 + Double($1) * Double($1) } + d
        }
        var generator = SeededGenerator(seed: seed)
        var active = Array(texts.indices)
        var highestBefore = Double.infinity
        for _ in 0..<2000 {
            var (highest, lowest) = (-Double.infinity, Double.infinity)
            generator.shuffle(&active)
            var kept: [Int] = []
            kept.reserveCapacity(active.count)
            for i in active {
                let y = isPositive[i] ? 1.0 : -1.0
                let gradient = y * product(texts[i]) - 1 + diagonal[i] * alpha[i]
                // What can't move and won't soon is left out of the next rounds ("shrinking").
                if alpha[i] == 0, gradient > highestBefore { continue }
                kept.append(i)
                let projected = alpha[i] == 0 ? min(gradient, 0) : gradient
                highest = max(highest, projected)
                lowest = min(lowest, projected)
                guard abs(projected) > 1e-12 else { continue }
                let old = alpha[i]
                alpha[i] = max(0, old - gradient / lengths[i])
                add((alpha[i] - old) * y, texts[i])
            }
            active = kept
            if highest - lowest <= tolerance {
                if active.count == texts.count { break }
                // The last rounds look at all of them.
                active = Array(texts.indices)
                highestBefore = .infinity
                continue
            }
            highestBefore = highest > 0 ? highest : .infinity
        }
        return w.map { Float($0) }
    }
}
