// Probabilities of logarithms.

import Platform

/// Logarithms of probabilities, each up to the same constant.
package enum LogProbabilities {
    /// The probabilities, which add up to 1: the softmax.
    package static func probabilities(_ logs: [Double]) -> [Double] {
        let highest = logs.max() ?? 0
        let powers = logs.map { exp($0 - highest) }
        let total = powers.reduce(0, +)
        return powers.map { $0 / total }
    }

    /// The index of the largest probability, the first of equal ones; 0 where there are none.
    package static func likeliest(_ probabilities: [Double]) -> Int {
        probabilities.indices.reduce(0) { probabilities[$1] > probabilities[$0] ? $1 : $0 }
    }

    /// exp(share·log p + (1 − share)·log q), scaled to a sum of 1: the mean of two models' log-probabilities. Probabilities below `least`
    /// count as that.
    package static func average(
        _ p: some Sequence<Double>, _ q: some Sequence<Double>, share: Double, least: Double = .leastNormalMagnitude
    ) -> [Double] {
        func logarithm(_ x: Double) -> Double { log(max(x, least)) }
        return probabilities(zip(p, q).map { share * logarithm($0) + (1 - share) * logarithm($1) })
    }
}
