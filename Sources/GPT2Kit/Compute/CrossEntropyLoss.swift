// Cross entropy, the loss of a classifier. The largest logit is subtracted before exponentiating. Label smoothing
// (Szegedy et al. 2016, https://arxiv.org/abs/1512.00567, §7) and class weights are those of torch.nn.CrossEntropyLoss:
// with the targets tₖ = (1 − ε)·w[y]·[k = y] + ε/K·wₖ of a row whose label is y,
//
//     loss = Σ_rows Σₖ −tₖ·log softmax(logits)ₖ  /  Σ_rows w[y]

import Platform

/// The loss that training lowers, with its weights and its smoothing.
package struct CrossEntropyLoss: Sendable, Equatable {
    /// w, one for each class; nil where all are 1.
    package var weights: [Double]?
    /// ε, 0 ... 1.
    package var smoothing: Double

    /// A loss with class weights w (nil where all are 1) and label smoothing ε, 0 ... 1.
    package init(weights: [Double]? = nil, smoothing: Double = 0) {
        self.weights = weights
        self.smoothing = smoothing
    }

    /// Σ w[y] over rows with these labels: what their summed loss is divided by.
    package func denominator(_ labels: [Int]) -> Double {
        weights.map { w in labels.reduce(0) { $0 + w[$1] } } ?? Double(labels.count)
    }

    /// The loss of logits [B,K], summed over the rows and not yet divided.
    package func sum(_ logits: UnsafePointer<Float>, labels: [Int], classes K: Int) -> Double {
        if self == CrossEntropyLoss() { return Self.sumAndCorrect(logits, labels: labels, classes: K).sum }
        var sum = 0.0
        for (row, label) in labels.enumerated() {
            let y = UnsafeBufferPointer(start: logits + row * K, count: K)
            let best = Double(y[Softmax.indexOfLargest(y)])
            let logTotal = log(y.reduce(0.0) { $0 + exp(Double($1) - best) }) + best
            for k in 0..<K { sum += target(k, label, K) * (logTotal - Double(y[k])) }
        }
        return sum
    }

    /// dLogits [B,K] = (softmax·Σₖtₖ − t) / denominator.
    package func gradient(
        _ dLogits: UnsafeMutablePointer<Float>, _ logits: UnsafePointer<Float>, labels: [Int], classes K: Int,
        denominator: Double
    ) {
        for (row, label) in labels.enumerated() {
            let d = dLogits + row * K
            d.update(from: logits + row * K, count: K)
            Softmax.forward(d, count: K)
            let targets = (0..<K).map { target($0, label, K) }
            let total = Float(targets.reduce(0, +))
            for k in 0..<K { d[k] = (d[k] * total - Float(targets[k])) / Float(denominator) }
        }
    }

    /// The sum of the cross entropies of logits [B,K], and the number of rows whose largest logit is the label's.
    package static func sumAndCorrect(
        _ logits: UnsafePointer<Float>, labels: [Int], classes K: Int
    ) -> (sum: Double, correct: Int) {
        var sum = 0.0
        var correct = 0
        for (row, label) in labels.enumerated() {
            let y = UnsafeBufferPointer(start: logits + row * K, count: K)
            let best = Softmax.indexOfLargest(y)
            let total = y.reduce(0.0) { $0 + exp(Double($1 - y[best])) }
            sum += log(total) - Double(y[label] - y[best])
            if best == label { correct += 1 }
        }
        return (sum, correct)
    }

    private func target(_ k: Int, _ label: Int, _ K: Int) -> Double {
        (k == label ? (1 - smoothing) * (weights?[label] ?? 1) : 0) + smoothing / Double(K) * (weights?[k] ?? 1)
    }
}
