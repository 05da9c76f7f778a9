// A search: trials with random hyperparameters over the same features, as many at a time as there are cores. Each is
// computed exactly like a run of its own.

import Records

extension FineTuner {
    /// All trials are drawn before the first one is trained.
    private static var mostTrials: Int { 1_000_000 }

    /// The classifier of the best of `trials` trials, which are chosen by successive halving: the one with the lowest
    /// loss over the whole validation set, and the earliest of several equal ones. ``train(_:on:report:progress:)``
    /// with its settings gives the same classifier, to the last bit.
    ///
    /// - Throws: as ``train(_:on:report:progress:)`` does; ``TrainingError/lossNotFinite(step:)``
    ///   where all trials diverge; ``TrainingError/impossibleSetting(_:remedy:)`` for settings that choose among the weights of a
    ///   run, or end it by the clock.
    public func search(
        _ space: SearchSpace, trials count: Int, _ base: Classifier, on datasets: Datasets,
        report: (TrainingEvent) throws -> Void, progress: @escaping @Sendable (TrainingProgress) -> Void = { _ in }
    ) throws -> TrainedClassifier {
        try TrainingError.requirePositive([("trials", count)])
        guard count <= Self.mostTrials else {
            throw TrainingError.impossibleSetting(
                "\(count) trials are too many", remedy: "choose at most \(Self.mostTrials)")
        }
        try settings.requireLastWeights("a search")
        if settings.maxMinutes != nil {
            throw TrainingError.impossibleSetting(
                "the result of a search doesn't depend on time",
                remedy: "leave out the limit of minutes, or draw fewer trials")
        }
        let begin = ContinuousClock.now
        var clock = PhaseClock()
        for settings in space.extremes(of: settings) { try settings.check(base.config) }
        let data = try TrainingData(base, datasets, settings)
        let example = try TrainingState(data, settings, workers).model
        try report(.start(data.summary(example, steps: nil)))
        try prepare(data, report: report, progress: progress)
        clock.charge(.frozen)

        let trials = space.draw(count, from: settings).enumerated().map { Trial(number: $0 + 1, settings: $1, data) }
        let pool = TrialPool(
            data, workers, statesInMemory: (searchMemory ?? MemoryBudget().left / 2) / memory(of: example, data))
        let winner = try pool.narrow(
            trials, longestEpochs: space.ranges[.epochs].map { Int($0.upperBound) } ?? settings.epochs, progress
        ) { try report(.trial($0.summary)) }
        clock.charge(.training)

        guard !winner.hasDiverged else { throw TrainingError.lossNotFinite(step: winner.step - 1) }
        let run = try winner.restored(data, workers)
        let end = try run.endSummary(
            reason: winner.step == run.epochSteps ? .epochs : .maxSteps, kept: .step(winner.step - 1),
            trial: winner.number, &clock
        ) { begin.secondsUntilNow }
        try report(.end(end))
        return TrainedClassifier(
            data.base.with(parameters: run.state.model.parameters, paddedLength: data.paddedLength), winner.settings,
            end)
    }

    /// Bytes that a trial takes: parameters, gradients and moments, and, roughly, the activations of a step.
    private func memory(of model: TrainableModel, _ data: TrainingData) -> Int {
        let config = data.base.config
        let trained = model.trained.reduce(0) { $0 + $1.parameter.count }
        let tokens = min(settings.batch.multipliedSaturating(by: data.texts.layout.longest), data.texts.layout.tokens)
        let blocks = config.blocks - settings.trainable.firstBlock(of: config.blocks) + 1
        let numbers =
            4 * Double(trained) + settings.trainable.mergedCount(config)
            + 24 * Double(tokens) * Double(config.width * blocks)
        return Int(min(4 * numbers, 1e18))
    }
}
