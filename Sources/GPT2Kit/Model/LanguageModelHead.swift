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
    private static let rowTile = 64
    private static let columnTile = 256

    private let embedding: Tensor
    private let gradient: Tensor?
    private let workers: Workers
    private let logits: FloatBuffer

    private var V: Int { embedding.shape[0] }
    private var C: Int { embedding.shape[1] }

    /// - Parameters:
    ///   - embedding: wte [V,C].
    ///   - gradient: where ``loss(states:targets:dStates:denominator:)`` adds dwte [V,C]; nil where none is wanted.
    package init(_ embedding: Tensor, gradient: Tensor?, workers: Workers) throws(OutOfMemory) {
        self.embedding = embedding
        self.gradient = gradient
        self.workers = workers
        logits = try FloatBuffer(count: Self.block * embedding.shape[0])
    }

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
            let block = states.advanced(by: first * C)
            sum += losses(
                block, targets[rows], dStates?.advanced(by: first * C), dStates.map { _ in Float(1 / denominator) })
            if dStates != nil { addEmbeddingGradient(block, rows: rows.count) }
        }
        return sum
    }

    private func losses(
        _ states: FloatView, _ targets: ArraySlice<Int32>, _ dStates: FloatView?, _ factor: Float?
    ) -> Double {
        let weight = Matrix(reading: embedding.pointer, stride: C)
        let all = Matrix(logits.pointer, stride: V)
        return withUnsafeTemporaryAllocation(of: Double.self, capacity: targets.count) { losses in
            nonisolated(unsafe) let losses = losses  // each tile writes its own
            workers.forEachRange(targets.count, by: Self.rowTile) { rows in
                let tile = all.at(row: rows.lowerBound)
                matmul(
                    tile, states.matrix(C).at(row: rows.lowerBound), weight, m: rows.count, n: V, k: C,
                    transposeB: true)
                for row in rows {
                    losses[row] = Self.softmaxLoss(
                        all.at(row: row).pointer, count: V, target: Int(targets[targets.startIndex + row]), factor)
                }
                guard let dStates else { return }
                matmul(dStates.matrix(C).at(row: rows.lowerBound), tile, weight, m: rows.count, n: C, k: V)
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

    /// dwte += dLogitsᵀ·states, tiles over the vocabulary.
    private func addEmbeddingGradient(_ states: FloatView, rows: Int) {
        guard let gradient else { return }
        let dLogits = Matrix(logits.pointer, stride: V)
        workers.forEachRange(V, by: Self.columnTile) { tokens in
            matmul(
                Matrix(gradient.mutablePointer, stride: C).at(row: tokens.lowerBound),
                dLogits.at(column: tokens.lowerBound), states.matrix(C), m: tokens.count, n: C, k: rows,
                transposeA: true, keep: 1)
        }
    }
}
