// The average of the last weights of a run, which is often better than the last ones (Polyak & Juditsky 1992; with a
// decay as in Izmailov et al. 2018, https://arxiv.org/abs/1803.05407, and the correction of Adam's moments for their start).

import Platform

/// After n additions: Σᵢ dⁿ⁻ⁱ·pᵢ / Σᵢ dⁿ⁻ⁱ, of the weights p₁ … pₙ and the decay d.
package final class WeightAverage {
    /// Steps that are made before the first weights count.
    package let first: Int
    /// The average, in the order of the tensors that it was made for.
    package let copies: [Tensor]
    private let originals: [Tensor]
    private let decay: Double
    private let workers: Workers
    private static let tile = 1 << 15

    /// The average of `tensors` over the last fifth of `steps` steps.
    package init(of tensors: [Tensor], decay: Double, steps: Int, workers: Workers) throws(OutOfMemory) {
        originals = tensors
        self.decay = decay
        self.workers = workers
        first = steps - max(1, steps / 5)
        var copies: [Tensor] = []
        for tensor in tensors { copies.append(try Tensor(shape: tensor.shape)) }
        self.copies = copies
    }

    /// Adds the weights as they are after `step` steps, unless these are too few.
    package func add(after step: Int) {
        guard step > first else { return }
        let share = Float((1 - decay) / (1 - pow(decay, Double(step - first))))
        for (copy, original) in zip(copies, originals) {
            workers.forEachRange(copy.count, by: Self.tile) { range in
                let (average, weights) = (copy.mutablePointer, original.pointer)
                Lanes.each(range) { i in
                    average.store(average.lanes(i) + share * (weights.lanes(i) - average.lanes(i)), i)
                } rest: { i in
                    average[i] += share * (weights[i] - average[i])
                }
            }
        }
    }

    /// Exchanges the average with the weights.
    package func swap() {
        for (copy, original) in zip(copies, originals) {
            workers.forEachRange(copy.count, by: Self.tile) { range in
                let (average, weights) = (copy.mutablePointer, original.mutablePointer)
                for i in range { (average[i], weights[i]) = (weights[i], average[i]) }
            }
        }
    }
}
