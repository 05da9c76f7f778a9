// The loss of a classifier: −log softmax(logits)[label], with the largest logit taken out before exponentiating.

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The sum of the cross entropies of logits [B,K], and the number of rows whose largest logit is the label's.
package func crossEntropy(
    _ logits: UnsafePointer<Float>, labels: [Int], classes K: Int
) -> (sum: Double, correct: Int) {
    var sum = 0.0
    var correct = 0
    for (row, label) in labels.enumerated() {
        let y = UnsafeBufferPointer(start: logits + row * K, count: K)
        let best = argmax(y)
        let total = y.reduce(0.0) { $0 + exp(Double($1 - y[best])) }
        sum += log(total) - Double(y[label] - y[best])
        if best == label { correct += 1 }
    }
    return (sum, correct)
}

/// The index of the largest number, the first of equals.
package func argmax(_ values: UnsafeBufferPointer<Float>) -> Int {
    var best = 0
    for i in 0..<values.count where values[i] > values[best] { best = i }
    return best
}

/// softmax of K logits in double precision.
package func probabilities(_ logits: UnsafeBufferPointer<Float>) -> [Double] {
    let highest = logits[argmax(logits)]
    let powers = logits.map { exp(Double($0 - highest)) }
    let total = powers.reduce(0, +)
    return powers.map { $0 / total }
}
