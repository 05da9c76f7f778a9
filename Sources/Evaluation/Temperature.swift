// Temperature scaling (Guo et al. 2017, https://arxiv.org/abs/1706.04599).

import Platform

/// The temperature that makes probabilities right.
package enum Temperature {
    /// The T > 0 with the least mean cross entropy of softmax(logs / T + offsets). The loss is convex in 1/T, and its derivative is
    /// brought to 0 by bisection, between 0.05 and 50. Where all records are right by far the loss falls for ever: then one mistake
    /// more than there was is assumed.
    ///
    /// - Parameters:
    ///   - logs: a row for each record, a logarithm of a probability, up to a constant, for each label.
    ///   - expected: the label of each record.
    ///   - offsets: one for each label.
    ///   - smoothing: the share of every record that counts for all labels alike, so that records without a mistake don't make
    ///     every other one impossible (as in Platt 1999).
    /// - Returns: T, and whether a mistake was assumed that no record shows.
    package static func fit(
        _ logs: [[Double]], _ expected: [Int], offsets: [Double], smoothing: Double = 0
    ) -> (value: Double, assumesMistake: Bool) {
        /// The derivative of the sum of losses by 1/T.
        func slope(_ inverse: Double) -> Double {
            zip(logs, expected).reduce(0) { sum, record in
                let scores = zip(record.0, offsets).map { inverse * $0 + $1 }
                let highest = scores.max() ?? 0
                let powers = scores.map { exp($0 - highest) }
                let mean = zip(powers, record.0).reduce(0) { $0 + $1.0 * $1.1 } / powers.reduce(0, +)
                let wanted = record.0[record.1]
                let all = smoothing == 0 ? wanted : record.0.reduce(0, +) / Double(record.0.count)
                return sum + mean - wanted - smoothing * (all - wanted)
            }
        }
        var (low, high) = (0.02, 20.0)
        if slope(low) >= 0 { return (1 / low, smoothing > 0) }
        if slope(high) <= 0 {
            if smoothing > 0 { return (1 / high, true) }
            return fit(logs, expected, offsets: offsets, smoothing: 1 / Double(logs.count + 1))
        }
        while high - low > 1e-12 * high {
            let middle = (low + high) / 2
            if middle <= low || middle >= high { break }
            if slope(middle) < 0 { low = middle } else { high = middle }
        }
        return (2 / (low + high), smoothing > 0)
    }
}
