// Adam with decoupled weight decay (Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101, algorithm 2), in the
// form and the order of operations of torch.optim.AdamW: decay first, both moments corrected for their bias, ε outside
// the square root. Weight decay applies to every trainable tensor, biases and LayerNorms included, as in PyTorch.
//
// A row of the token embedding has no gradient before a text has its token. Its moments are zero until then, and its update
// is the weight decay alone, which saves reading and writing them: three quarters of what an update moves.

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

    fileprivate struct Slot {
        let parameter: Tensor
        let gradient: Tensor
        let mean: Tensor  // first moment m
        let square: Tensor  // second moment v
        let rateScale: Double
        /// Rows that have had a gradient; nil for all.
        let rows: RowSet?
    }

    /// The factors of an update, which are the same for all numbers of a parameter.
    fileprivate struct Factors {
        let beta1: Float, rest1: Float  // β₁, 1 − β₁
        let beta2: Float, rest2: Float
        let epsilon: Float
        let step: Float
        /// 1 − learning rate · λ.
        let keep: Float
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
    ///   - sparse: the place among the pairs of a parameter [rows,width] of which few rows have gradients, and those rows,
    ///     which the caller adds before the gradients of their first step.
    package init(
        _ pairs: [(parameter: Tensor, gradient: Tensor)], rateScales: [Double]? = nil,
        sparse: (index: Int, rows: RowSet)? = nil, settings: Settings, workers: Workers
    ) throws(OutOfMemory) {
        self.settings = settings
        self.workers = workers
        var slots: [Slot] = []
        for (index, (parameter, gradient)) in pairs.enumerated() {
            slots.append(
                Slot(
                    parameter: parameter, gradient: gradient, mean: try Tensor(shape: parameter.shape),
                    square: try Tensor(shape: parameter.shape), rateScale: rateScales?[index] ?? 1,
                    rows: index == sparse?.index ? sparse?.rows : nil))
        }
        self.slots = slots
    }

    /// The first and the second moment of every parameter, in the order of the pairs.
    package var moments: [(mean: Tensor, square: Tensor)] { slots.map { ($0.mean, $0.square) } }

    /// Continues as after `updates` updates, whose ``moments`` the caller has restored.
    package func resume(after updates: Int) {
        self.updates = updates
        for slot in slots {
            guard let rows = slot.rows else { continue }
            for row in 0..<slot.parameter.shape[0] where slot.hasMoments(row) { rows.insert(row) }
        }
    }

    /// Updates every parameter once. The gradients are zero afterwards, ready for the next step.
    package func update() {
        updates += 1
        let (beta1, beta2) = (settings.beta1, settings.beta2)
        // step·m/(√v/correction + ε), with one division less.
        let correction = (1 - pow(beta2, Double(updates))).squareRoot()
        let wholeStep = settings.learningRate / (1 - pow(beta1, Double(updates))) * correction
        for slot in slots {
            let isDecayed = !settings.decaysMatricesOnly || slot.parameter.shape.count > 1
            let decay = isDecayed ? slot.rateScale * settings.learningRate * settings.weightDecay : 0
            let factors = Factors(
                beta1: Float(beta1), rest1: Float(1 - beta1), beta2: Float(beta2), rest2: Float(1 - beta2),
                epsilon: Float(settings.epsilon * correction), step: Float(slot.rateScale * wholeStep),
                keep: Float(1 - decay))
            slot.update(factors, workers)
        }
    }
}

extension AdamW.Slot {
    private static var tile: Int { 1 << 15 }

    private var width: Int { parameter.shape[1] }

    private func numbers(ofRow row: Int) -> Range<Int> { row * width..<(row + 1) * width }

    /// Whether a moment of `row` isn't zero.
    func hasMoments(_ row: Int) -> Bool {
        numbers(ofRow: row).contains { mean.pointer[$0] != 0 || square.pointer[$0] != 0 }
    }

    func update(_ factors: AdamW.Factors, _ workers: Workers) {
        guard let rows else {
            return workers.forEachRange(parameter.count, by: Self.tile) { update($0, factors) }
        }
        workers.forEachRange(parameter.shape[0], by: max(1, Self.tile / width)) { range in
            for row in range {
                if rows.contains(row) {
                    update(numbers(ofRow: row), factors)
                } else if factors.keep != 1 {
                    decay(numbers(ofRow: row), factors.keep)
                }
            }
        }
    }

    private func update(_ range: Range<Int>, _ factors: AdamW.Factors) {
        let (p, g) = (parameter.mutablePointer, gradient.mutablePointer)
        let (m, v) = (mean.mutablePointer, square.mutablePointer)
        let (b1, c1, b2, c2) = (factors.beta1, factors.rest1, factors.beta2, factors.rest2)
        let (epsilon, step, keep) = (factors.epsilon, factors.step, factors.keep)
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

    /// The update of numbers whose gradient and moments are zero: p·keep − step·0/(√0 + ε) has the same bits.
    private func decay(_ range: Range<Int>, _ keep: Float) {
        let p = parameter.mutablePointer
        Lanes.each(range) { i in
            p.store(p.lanes(i) * keep, i)
        } rest: { i in
            p[i] *= keep
        }
    }
}
