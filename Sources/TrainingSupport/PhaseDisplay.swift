// What a filter shows while a classifier is trained.

import FilterSupport
import GPT2Kit
import Synchronization

/// One bar for the frozen blocks, one for the steps, or one for every round of a search.
public final class PhaseDisplay: Sendable {
    private struct State: ~Copyable {
        var frozen: ProgressBar?
        var training: ProgressBar?
        var search: (round: Int, bar: ProgressBar)?
    }
    private let tool: String
    private let quiet: Bool
    private let state = Mutex(State())

    /// A display of the filter `tool`.
    public init(tool: String, quiet: Bool) {
        self.tool = tool
        self.quiet = quiet
    }

    /// Shows how far a phase is.
    public func show(_ progress: TrainingProgress) {
        state.withLock { state in
            switch progress {
            case .frozen(let done, let total):
                let bar =
                    state.frozen
                    ?? ProgressBar(
                        tool: tool, label: "frozen blocks", total: total, unit: "tokens", quiet: quiet)
                state.frozen = bar
                bar.update(done)
            case .training(let done, let total, let loss):
                state.frozen = nil
                let bar =
                    state.training
                    ?? ProgressBar(
                        tool: tool, label: "training", from: done - 1, total: total, unit: "steps", quiet: quiet)
                state.training = bar
                bar.update(done, detail: "loss \((loss * 10_000).rounded() / 10_000)")
            case .search(let round, let rounds, let done, let total):
                state.frozen = nil
                if state.search?.round != round { state.search = nil }
                let bar =
                    state.search?.bar
                    ?? ProgressBar(
                        tool: tool, label: "search, round \(round) of \(rounds)", total: total, unit: "steps",
                        quiet: quiet)
                state.search = (round, bar)
                bar.update(done)
            }
        }
    }

    /// Ends the bars.
    public func finish() {
        state.withLock { state in
            state.frozen = nil
            state.training = nil
            state.search = nil
        }
    }
}
