// The head of a language model (Radford et al. 2019, §2): logits over the vocabulary, y·wteᵀ, whose weight is the token
// embedding ("tied"), and the cross entropy of the next token,
//
//     loss = Σ_positions −log softmax(logits)[next token]
//
// The logits of a step can take half a gigabyte, so they are made, used and forgotten for some hundred positions at a time.

import Platform

/// Losses of positions, and their gradients.
package final class LanguageModelHead: @unchecked Sendable {  // one batch at a time; each tile writes its own part
    /// Positions whose logits are in memory together.
    private static let block = 512
    private static let rowTile = 16

    private let linear: PackedLinear
    private let gradient: LinearGradient?
    private let workers: Workers
    private let logits: FloatView
    private let buffer: FloatBuffer

    private var V: Int { linear.outputs }
    private var C: Int { linear.inputs }

    /// - Parameters:
    ///   - embedding: wte [V,C].
    ///   - gradient: where ``loss(states:targets:dStates:denominator:)`` adds dwte [V,C]; nil where none is wanted.
    ///   - scratch: working memory that the layers of a model share.
    /// - Throws: ``OneDNNError``, ``OutOfMemory``.
    package init(
        _ embedding: Tensor, gradient: Tensor?, _ type: OperandType = .float32,
        scratch: ProductScratch = ProductScratch(), workers: Workers
    ) throws {
        linear = try PackedLinear(
            embedding, nil, isTransposed: true, gradient == nil ? .forward : .gradients, type, scratch: scratch,
            workers: workers)
        let (C, V) = (linear.inputs, linear.outputs)
        self.gradient = gradient.map {
            LinearGradient(dWeight: Matrix($0.mutablePointer, stride: C), dBias: nil, inputs: C, outputs: V)
        }
        self.workers = workers
        buffer = try FloatBuffer(count: Self.block * V)
        logits = FloatView(buffer.pointer)
        try linear.reserve(rows: Self.block)
        refresh()
    }

    /// Reads the embedding as it is now. To be called after every change of it.
    package func refresh() { linear.refresh() }

    /// The sum of the losses of states [N,C], the final LayerNorm's output.
    ///
    /// - Parameters:
    ///   - targets: the token that each position predicts; −1 for none.
    ///   - dStates: set to the gradient of loss / denominator, [N,C], and dwte is added; nil for the loss alone.
    package func loss(states: FloatView, targets: [Int32], dStates: FloatView? = nil, denominator: Double = 1) -> Double
    {
        var sum = 0.0
        for first in stride(from: 0, to: targets.count, by: Self.block) {
            let rows = first..<min(first + Self.block, targets.count)
            linear.forward(logits, states.advanced(by: first * C), rows: rows.count)
            sum += losses(targets[rows], dStates.map { _ in Float(1 / denominator) })
            if let dStates {
                linear.backward(dStates.advanced(by: first * C), logits, rows: rows.count, gradient: gradient)
            }
        }
        return sum
    }

    /// The sum of the losses of positions whose logits are there.
    ///
    /// - Parameter factor: the logits become their gradients times this; nil where no gradient is wanted.
    private func losses(_ targets: ArraySlice<Int32>, _ factor: Float?) -> Double {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: targets.count) { losses in
            nonisolated(unsafe) let losses = losses  // each tile writes its own
            workers.forEachRange(targets.count, by: Self.rowTile) { rows in
                for row in rows {
                    losses[row] = Self.softmaxLoss(
                        logits.pointer + row * V, count: V, target: Int(targets[targets.startIndex + row]), factor)
                }
            }
            return losses.prefix(targets.count).reduce(0, +)
        }
    }

    /// The loss of one position.
    ///
    /// - Parameter factor: the logits [count] become their gradient times this, all 0 where nothing is predicted; nil
    ///   where no gradient is wanted.
    private static func softmaxLoss(
        _ logits: UnsafeMutablePointer<Float>, count: Int, target: Int, _ factor: Float?
    ) -> Double {
        guard target >= 0 else {
            logits.update(repeating: 0, count: count)
            return 0
        }
        var highest = Lanes(repeating: -.infinity)
        let behind = Lanes.each(count) { i in
            let lanes = logits.lanes(i)
            highest.replace(with: lanes, where: lanes .> highest)
        }
        var most = highest.max()
        for i in behind { most = max(most, logits[i]) }
        let margin = most - logits[target]
        let sum = Softmax.exponentiate(logits, count: count, highest: most)
        if let factor {
            Softmax.scale(logits, count: count, by: factor / sum)
            logits[target] -= factor
        }
        return log(Double(sum)) + Double(margin)
    }
}
