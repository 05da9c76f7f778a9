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
}
