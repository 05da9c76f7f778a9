// Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/): momentum, whose matrices are made nearly orthogonal
// before they are subtracted. In the form of torch.optim.Muon with adjust_lr_fn="match_rms_adamw" (Liu et al. 2025,
// https://arxiv.org/abs/2502.16982): updates are as large as AdamW's, so that both take the same rates and the same decay.

import Platform

/// Updates matrices by their gradients, and keeps the momentum of these.
package final class Muon {
    /// The hyperparameters.
    package struct Settings: Sendable, Equatable {
        /// The learning rate of the next update.
        package var learningRate = 2e-3
        /// μ, the decay of the momentum, in Nesterov's form.
        package var momentum = 0.95
        /// λ. An update first multiplies every parameter by 1 − learning rate · λ.
        package var weightDecay = 0.1

        /// Settings with PyTorch's default for μ.
        package init(learningRate: Double = 2e-3, weightDecay: Double = 0.1) {
            self.learningRate = learningRate
            self.weightDecay = weightDecay
        }
    }

    /// A matrix that is made orthogonal by itself: some columns of a parameter.
    private struct Part {
        let slot: Int
        let column: Int
        let columns: Int
    }

    private struct Slot {
        let parameter: Tensor
        let gradient: Tensor
        let momentum: Tensor
        var rows: Int { parameter.shape[0] }
        var stride: Int { parameter.shape[1] }
    }

    /// The hyperparameters of the next update.
    package var settings: Settings
    private let slots: [Slot]
    private let parts: [Part]  // the largest first, so that all threads end together
    private let scratch: [FloatBuffer]  // of every thread
    private let workers: Workers

    /// - Parameter pairs: matrices [inputs,outputs] with their gradients, and how many matrices lie side by side in each:
    ///   those of queries, keys and values are three.
    package init(
        _ pairs: [(parameter: Tensor, gradient: Tensor, matrices: Int)], settings: Settings, workers: Workers
    ) throws(OutOfMemory) {
        self.settings = settings
        self.workers = workers
        var (slots, parts): ([Slot], [Part]) = ([], [])
        for (parameter, gradient, matrices) in pairs {
            let columns = parameter.shape[1] / matrices
            parts += (0..<matrices).map { Part(slot: slots.count, column: $0 * columns, columns: columns) }
            slots.append(
                Slot(parameter: parameter, gradient: gradient, momentum: try Tensor(shape: parameter.shape)))
        }
        let sizes = parts.map { slots[$0.slot].rows * $0.columns }
        self.parts = parts.indices.sorted { (sizes[$0], $1) > (sizes[$1], $0) }.map { parts[$0] }
        self.slots = slots
        let most = parts.map { Orthogonalization.scratchCount(rows: slots[$0.slot].rows, columns: $0.columns) }.max()
        var scratch: [FloatBuffer] = []
        for _ in 0..<min(workers.count, parts.count) { scratch.append(try FloatBuffer(count: most ?? 0)) }
        self.scratch = scratch
    }

    /// The momentum of every parameter, in the order of the pairs.
    package var momenta: [Tensor] { slots.map(\.momentum) }

    /// Updates every parameter once. The gradients are zero afterwards, ready for the next step.
    package func update() {
        let (settings, slots, parts, scratch) = (settings, slots, parts, scratch)
        workers.forEach(parts.count) { index, worker in
            let part = parts[index]
            Self.update(slots[part.slot], part, settings, scratch[worker].pointer)
        }
    }

    private static func update(_ slot: Slot, _ part: Part, _ settings: Settings, _ scratch: UnsafeMutablePointer<Float>)
    {
        let (keep, share) = (Float(settings.momentum), Float(1 - settings.momentum))
        let (rows, columns) = (slot.rows, part.columns)
        for row in 0..<rows {
            let start = row * slot.stride + part.column
            let (g, m) = (slot.gradient.mutablePointer + start, slot.momentum.mutablePointer + start)
            let target = scratch + row * columns
            Lanes.each(columns) { i in
                let gradient = g.lanes(i)
                let mean = m.lanes(i) + share * (gradient - m.lanes(i))
                m.store(mean, i)
                target.store(gradient + keep * (mean - gradient), i)
                g.store(Lanes(), i)
            } rest: { i in
                m[i] += share * (g[i] - m[i])
                target[i] = g[i] + keep * (m[i] - g[i])
                g[i] = 0
            }
        }
        let update = Orthogonalization.run(scratch, rows: rows, columns: columns)
        let step = Float(settings.learningRate * 0.2 * Double(max(rows, columns)).squareRoot())
        let kept = Float(1 - settings.learningRate * settings.weightDecay)
        for row in 0..<rows {
            let p = slot.parameter.mutablePointer + row * slot.stride + part.column
            let u = update + row * columns
            Lanes.each(columns) { i in
                p.store(p.lanes(i) * kept - step * u.lanes(i), i)
            } rest: { i in
                p[i] = p[i] * kept - step * u[i]
            }
        }
    }
}
