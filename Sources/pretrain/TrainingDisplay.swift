// What pretrain shows while it works.

import FilterSupport
import GPT2Kit

/// One bar for the steps.
final class TrainingDisplay {
    private let quiet: Bool
    private var bar: ProgressBar?
    private var steps = 0
    private var validation = ""

    init(quiet: Bool) { self.quiet = quiet }

    func show(_ event: PretrainingEvent) {
        switch event {
        case .start(let start), .resume(let start, _): steps = start.steps
        case .step(let step):
            let bar =
                bar
                ?? ProgressBar(
                    tool: "pretrain", label: "training", from: step.step, total: steps, unit: "steps", quiet: quiet)
            self.bar = bar
            bar.update(
                step.step + 1,
                detail: "\(Int(step.tokensPerSecond)) tokens/s, loss \(rounded(step.loss))\(validation)")
        case .evaluation(_, let loss, _): validation = ", validation \(rounded(loss.loss))"
        case .counted(let rows, let all):
            let bar =
                bar ?? ProgressBar(tool: "pretrain", label: "counting", total: all, unit: "rows", quiet: quiet)
            self.bar = bar
            bar.update(rows)
        case .embedded: finish()
        case .warning, .checkpoint, .end: break
        }
    }

    func finish() {
        bar?.finish()
        bar = nil
    }
}
