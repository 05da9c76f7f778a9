// Adam with decoupled weight decay (Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101, algorithm 2), in the
// form and the order of operations of torch.optim.AdamW: decay first, both moments corrected for their bias, ε outside
// the square root. Weight decay applies to every trainable tensor, biases and LayerNorms included, as in PyTorch.

import Platform

/// Updates parameters by their gradients, and keeps the moments of these.
package final class AdamW {
    /// The hyperparameters, by default those of torch.optim.AdamW but for learning rate and weight decay.
    package struct Settings: Sendable, Equatable {
        /// The learning rate of the next update.
        package var learningRate = 5e-5
        /// β₁, the decay of the first moment.
        package var beta1 = 0.9
        /// β₂, the decay of the second moment.
        package var beta2 = 0.999
        /// ε, added to the root of the second moment.
        package var epsilon = 1e-8
        /// λ. An update first multiplies every parameter by 1 − learning rate · λ.
        package var weightDecay = 0.1
        /// Whether vectors (biases and LayerNorms) are left out of the weight decay.
        package var decaysMatricesOnly = false

        /// Settings with PyTorch's defaults for β₁, β₂ and ε.
        package init(learningRate: Double = 5e-5, weightDecay: Double = 0.1) {
            self.learningRate = learningRate
            self.weightDecay = weightDecay
        }
    }

    private struct Slot {
        let parameter: Tensor
        let gradient: Tensor
        let mean: Tensor  // first moment m
        let square: Tensor  // second moment v
        let rateScale: Double
    }

    /// The hyperparameters of the next update.
    package var settings: Settings
    /// Updates made so far, t.
    package private(set) var updates = 0
    private let slots: [Slot]
    /// The threads that update.
    package var workers: Workers

    /// - Parameters:
    ///   - pairs: every trainable parameter with its gradient.
    ///   - rateScales: what the learning rate of every parameter is multiplied by; nil for 1.
    package init(
        _ pairs: [(parameter: Tensor, gradient: Tensor)], rateScales: [Double]? = nil, settings: Settings,
        workers: Workers
    ) throws(OutOfMemory) {
        self.settings = settings
        self.workers = workers
        var slots: [Slot] = []
        for (index, (parameter, gradient)) in pairs.enumerated() {
            slots.append(
                Slot(
                    parameter: parameter, gradient: gradient, mean: try Tensor(shape: parameter.shape),
                    square: try Tensor(shape: parameter.shape), rateScale: rateScales?[index] ?? 1))
        }
        self.slots = slots
    }

    /// The first and the second moment of every parameter, in the order of the pairs.
    package var moments: [(mean: Tensor, square: Tensor)] { slots.map { ($0.mean, $0.square) } }

    /// Continues as after `updates` updates, whose ``moments`` the caller has restored.
    package func resume(after updates: Int) { self.updates = updates }

    /// Updates every parameter once. The gradients are zero afterwards, ready for the next step.
    package func update() {
        updates += 1
        let (beta1, beta2) = (settings.beta1, settings.beta2)
        let decay = settings.learningRate * settings.weightDecay
        // step·m/(√v/correction + ε), with one division less.
        let correction = (1 - pow(beta2, Double(updates))).squareRoot()
        let wholeStep = settings.learningRate / (1 - pow(beta1, Double(updates))) * correction
        let (b1, c1, b2, c2) = (Float(beta1), Float(1 - beta1), Float(beta2), Float(1 - beta2))
        let epsilon = Float(settings.epsilon * correction)
        for slot in slots {
            let isDecayed = !settings.decaysMatricesOnly || slot.parameter.shape.count > 1
            let keep = isDecayed ? Float(1 - slot.rateScale * decay) : 1
            let step = Float(slot.rateScale * wholeStep)
            workers.forEachRange(slot.parameter.count, by: 1 << 15) { range in
                let (p, g) = (slot.parameter.mutablePointer, slot.gradient.mutablePointer)
                let (m, v) = (slot.mean.mutablePointer, slot.square.mutablePointer)
                Lanes.each(range) { i in
                    let gradient = g.lanes(i)
                    let mean = b1 * m.lanes(i) + c1 * gradient
                    let square = b2 * v.lanes(i) + c2 * gradient * gradient
                    m.store(mean, i)
                    v.store(square, i)
                    p.store(p.lanes(i) * keep - step * mean / (square.squareRoot() + epsilon), i)
                    g.store(Lanes(), i)
                } rest: { i in
                    m[i] = b1 * m[i] + c1 * g[i]
                    v[i] = b2 * v[i] + c2 * g[i] * g[i]
                    p[i] = p[i] * keep - step * m[i] / (v[i].squareRoot() + epsilon)
                    g[i] = 0
                }
            }
        }
    }
}
