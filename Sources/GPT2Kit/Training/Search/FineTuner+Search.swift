// A search: trials with random hyperparameters over the same features, as many at a time as there are cores, each
// computed exactly as a run of its own would be.

import Synchronization

extension FineTuner {
    /// The classifier of the best of `trials` trials by ``SuccessiveHalving``: the one with the least loss over the whole
    /// validation set, of equals the earliest. It is the one that ``train(_:training:validation:test:report:progress:)``
    /// gives with its settings, to the last bit.
    ///
    /// - Throws: as ``train(_:training:validation:test:report:progress:)`` does; ``ModelError/lossNotFinite(step:)``
    ///   where all trials diverge.
    public func search(
        _ space: SearchSpace, trials count: Int, _ base: Classifier, training: LabelledTexts,
        validation: LabelledTexts, test: LabelledTexts?, report: (TrainingEvent) throws -> Void,
        progress: @escaping @Sendable (TrainingProgress) -> Void = { _ in }
    ) throws -> Classifier {
        let begin = seconds()
        var clock = PhaseClock()
        for settings in space.extremes(of: settings) { try settings.check(base.config) }
        let data = try TrainingData(base, training: training, validation: validation, test: test, settings)
        let example = try TrainingState(data, settings, workers).model
        try report(.start(data.summary(example, steps: nil)))
        try prepare(data, report: report, progress: progress)
        clock.charge(.frozen)

        let trials = space.draw(count, from: settings).enumerated().map { Trial(number: $0 + 1, settings: $1, data) }
        let field = Field(
            data, workers, statesInMemory: (searchMemory ?? MemoryBudget().left / 2) / memory(of: example, data))
        let winner = try field.narrow(
            trials, longestEpochs: space.ranges[.epochs].map { Int($0.upperBound) } ?? settings.epochs, progress
        ) { try report(.trial($0.summary)) }
        clock.charge(.training)

        guard !winner.hasDiverged else { throw ModelError.lossNotFinite(step: winner.step - 1) }
        let run = try winner.restored(data, workers)
        let (results, tested) = try run.evaluateSets()
        clock.charge(.evaluation)
        var end = TrainingEvent.EndSummary(
            steps: winner.step, reason: winner.step == run.epochSteps ? .epochs : .maxSteps, keptStep: winner.step - 1,
            trainingLoss: results[0].loss, validationLoss: results[1].loss, trainingAccuracy: results[0].accuracy,
            validationAccuracy: results[1].accuracy, testAccuracy: data.test == nil ? nil : results[2].accuracy,
            seconds: seconds() - begin, secondsByPhase: clock.phases)
        end.trial = winner.number
        end.testClasses = tested
        try report(.end(end))
        return data.base.trained(
            run.state.model.parameters, settings: winner.settings, paddedLength: data.paddedLength, results: end)
    }

    /// Bytes that a trial takes: parameters, gradients and moments, and, roughly, the activations of a step.
    private func memory(of model: TrainableModel, _ data: TrainingData) -> Int {
        let config = data.base.config
        let trained = model.trained.reduce(0) { $0 + $1.parameter.count }
        let tokens = min(saturatingProduct(settings.batch, data.texts.layout.longest), data.texts.layout.tokens)
        let blocks = config.blocks - settings.trainable.firstBlock(of: config.blocks) + 1
        let numbers =
            4 * Double(trained) + settings.trainable.mergedCount(config)
            + 24 * Double(tokens) * Double(config.width * blocks)
        return Int(min(4 * numbers, 1e18))
    }
}

/// The trials that are still in it.
private struct Field {
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
    /// - Parameter ended: gets every trial when it is over, in the order of their numbers within a round; one that was
    ///   stopped and goes on after all twice.
    func narrow(
        _ trials: [Trial], longestEpochs: Int, _ progress: @escaping @Sendable (TrainingProgress) -> Void,
        ended: (Trial) throws -> Void
    ) throws -> Trial {
        let rounds = SuccessiveHalving(trials: trials.count).rounds
        var field = trials
        for (index, round) in rounds.enumerated() {
            func target(_ trial: Trial) -> Int { trial.steps(ofEpochs: longestEpochs, divisor: round.divisor) }
            let count = StepCount(round: index + 1, of: rounds.count + 1, total: steps(field, to: target), progress)
            try advance(field, keep: round.survivors, to: target, count)
            let ranked = field.sorted { $0.precedes($1) }
            field = ranked.prefix(round.survivors).sorted { $0.number < $1.number }
            for trial in ranked.dropFirst(round.survivors).sorted(by: { $0.number < $1.number }) {
                trial.state = nil
                try ended(trial)
            }
        }
        // Should the winner diverge on its way to the end, the best of those that were stopped last takes its place.
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
        trials.filter(\.isRunning).reduce(0) { $0 + max(0, target($1) - $1.step) }
    }

    /// Brings every trial to its target, several at a time.
    private func advance(_ trials: [Trial], keep: Int, to target: (Trial) -> Int, _ count: StepCount) throws {
        let atOnce = min(workers.count, statesInMemory, trials.count)
        let each = Workers(count: workers.count / max(1, atOnce))
        let best = Best(limit: min(keep, statesInMemory - atOnce))
        // Those that have their states go first: they need no more memory.
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

/// The best of the trials that have come to the end of a round; the others' states are let go.
private final class Best: Sendable {
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
