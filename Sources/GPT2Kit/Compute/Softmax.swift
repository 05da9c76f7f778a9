// The softmax, e^(x − max) / Σ e^(x − max): of attention's scores, of a classifier's logits, and its gradient.

import Platform

/// Softmax of one row of numbers.
package enum Softmax {
    /// Replaces scores [count] with their softmax over the first `visible`; the others become 0.
    @inline(__always)
    package static func causal(_ scores: UnsafeMutablePointer<Float>, visible: Int, count: Int) {
        forward(scores, count: visible)
        (scores + visible).update(repeating: 0, count: count - visible)
    }

    /// Replaces scores [count] with their softmax, e^(s − max) / Σ e^(s − max).
    @inline(__always)
    package static func forward(_ scores: UnsafeMutablePointer<Float>, count: Int) {
        var highest = -Float.infinity
        for i in 0..<count { highest = max(highest, scores[i]) }
        scale(scores, count: count, by: 1 / exponentiate(scores, count: count, highest: highest))
    }

    /// Replaces scores [count] with e^(s − highest).
    ///
    /// - Returns: their sum.
    @inline(__always)
    static func exponentiate(_ scores: UnsafeMutablePointer<Float>, count: Int, highest: Float) -> Float {
        var sums = Lanes()
        let rest = Lanes.each(count) { i in
            let e = exponential(scores.lanes(i) - highest)
            scores.store(e, i)
            sums += e
        }
        var sum = sums.total()
        for i in rest {
            let e = exponential(scores[i] - highest)
            scores[i] = e
            sum += e
        }
        return sum
    }

    /// Multiplies numbers [count] by `factor`.
    @inline(__always)
    static func scale(_ numbers: UnsafeMutablePointer<Float>, count: Int, by factor: Float) {
        Lanes.each(count) { i in
            numbers.store(numbers.lanes(i) * factor, i)
        } rest: { i in
            numbers[i] *= factor
        }
    }

    /// Replaces dP in dScores [count] with dS = P ∘ (dP − Σ P∘dP).
    @inline(__always)
    package static func backward(
        _ dScores: UnsafeMutablePointer<Float>, probabilities: UnsafePointer<Float>, count: Int
    ) {
        let mean = dot(dScores, probabilities, count)
        Lanes.each(count) { i in
            dScores.store(probabilities.lanes(i) * (dScores.lanes(i) - mean), i)
        } rest: { i in
            dScores[i] = probabilities[i] * (dScores[i] - mean)
        }
    }

    /// The softmax of logits [K] in double precision: the probabilities that `score` writes.
    package static func probabilities(_ logits: UnsafeBufferPointer<Float>) -> [Double] {
        let highest = logits[indexOfLargest(logits)]
        let powers = logits.map { exp(Double($0 - highest)) }
        let total = powers.reduce(0, +)
        return powers.map { $0 / total }
    }

    /// The index of the largest number; the first of several equal ones.
    package static func indexOfLargest(_ values: UnsafeBufferPointer<Float>) -> Int {
        var best = 0
        for i in 0..<values.count where values[i] > values[best] { best = i }
        return best
    }
}
