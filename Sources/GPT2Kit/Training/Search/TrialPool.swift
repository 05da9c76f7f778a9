// Trains the trials of a search, several at a time, until one is left.

import Synchronization

/// The data, the threads and the memory of a search.
struct TrialPool {
    private let data: TrainingData
    private let workers: Workers
    /// Trials whose states may be in memory together.
    private let statesInMemory: Int

    init(_ data: TrainingData, _ workers: Workers, statesInMemory: Int) {
        self.data = data
        self.workers = workers
        self.statesInMemory = max(1, statesInMemory)
    }

    /// The winner of all rounds.
    ///
    /// - Parameter ended: gets every trial when it is over, in the order of their numbers within a round. A trial that
    ///   was stopped and is continued after all comes twice.
    func narrow(
        _ trials: [Trial], longestEpochs: Int, _ progress: @escaping @Sendable (TrainingProgress) -> Void,
        ended: (Trial) throws -> Void
    ) throws -> Trial {
        let rounds = SuccessiveHalving(trials: trials.count).rounds
        var field = trials
        for (index, round) in rounds.enumerated() {
            @Sendable func target(_ trial: Trial) -> Int {
                trial.steps(ofEpochs: longestEpochs, divisor: round.divisor)
            }
            let count = StepCount(round: index + 1, of: rounds.count + 1, total: steps(field, to: target), progress)
            try advance(field, keep: round.survivors, to: target, count)
            let ranked = field.sorted { $0.precedes($1) }
            field = ranked.prefix(round.survivors).sorted { $0.number < $1.number }
            for trial in ranked.dropFirst(round.survivors).sorted(by: { $0.number < $1.number }) {
                trial.state = nil
                try ended(trial)
            }
        }
        // If the winner diverges before its end, the best of the trials that were stopped last takes its place.
        var candidates = trials.sorted { ($1.step, $0.loss, $0.number) < ($0.step, $1.loss, $1.number) }
        candidates.removeAll { $0 === field[0] }
        var winner = field[0]
        while true {
            let count = StepCount(
                round: rounds.count + 1, of: rounds.count + 1, total: steps([winner], to: \.steps), progress)
            try advance([winner], keep: 1, to: \.steps, count)
            try ended(winner)
            guard winner.hasDiverged, let next = candidates.first(where: { !$0.hasDiverged }) else { return winner }
            winner = next
        }
    }

    private func steps(_ trials: [Trial], to target: (Trial) -> Int) -> Int {
        trials.filter(\.isRunning).reduce(0) { $0.addingSaturating(max(0, target($1) - $1.step)) }
    }

    /// Trains every trial to its target, several at a time.
    private func advance(_ trials: [Trial], keep: Int, to target: @Sendable (Trial) -> Int, _ count: StepCount) throws {
        let atOnce = min(workers.count, statesInMemory, trials.count)
        let each = Workers(count: workers.count / max(1, atOnce))
        let best = BestTrials(limit: min(keep, statesInMemory - atOnce))
        // Trials that hold their states go first: they need no more memory.
        let trials = trials.filter { $0.state != nil } + trials.filter { $0.state == nil }
        let failure = FirstFailure()
        Workers(count: atOnce).forEach(trials.count) { index in
            failure.catching {
                try trials[index].advance(to: target(trials[index]), data, each, count.made)
                best.hold(trials[index])
            }
        }
        try failure.rethrow()
    }
}

/// The steps of a round that have been made.
private final class StepCount: Sendable {
    private let stepsMade = Atomic<Int>(0)
    private let round: Int, rounds: Int, total: Int
    private let progress: @Sendable (TrainingProgress) -> Void

    init(round: Int, of rounds: Int, total: Int, _ progress: @escaping @Sendable (TrainingProgress) -> Void) {
        (self.round, self.rounds, self.total) = (round, rounds, total)
        self.progress = progress
    }

    func made() {
        let done = stepsMade.wrappingAdd(1, ordering: .relaxed).newValue
        progress(.search(round: round, rounds: rounds, done: done, total: total))
    }
}

/// The best of the trials that have finished a round. The other trials give up their states.
private final class BestTrials: Sendable {
    private let limit: Int
    private let held = Mutex<[Trial]>([])

    init(limit: Int) { self.limit = limit }

    func hold(_ trial: Trial) {
        held.withLock { held in
            held.append(trial)
            held.sort { $0.precedes($1) }
            if held.count > limit { held.removeLast().state = nil }
        }
    }
}
