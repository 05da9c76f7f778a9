// Fine-tuning: frozen blocks once per text, then epochs of steps over their output (chapter 6 of "Build a Large
// Language Model (From Scratch)", with any trainable set and pooling).

/// Trains a classifier on tokenized, labelled texts.
public struct FineTuner: Sendable {
    /// The settings of every run; a search varies some of them.
    public let settings: TrainingSettings
    /// The threads that compute.
    public let workers: Workers
    /// The directory that keeps features for later runs; nil for none.
    public var featureDirectory: String?
    /// Bytes of memory that features may take; more go to a temporary file. nil for half of the memory that is free
    /// when training is about to begin.
    package var featureMemory: Int?
    /// Which of the feature cache's files are computed: those whose number, divided by `count`, leaves `number`. nil for all.
    public var featurePart: (number: Int, count: Int)?
    /// The checkpoints of a run; nil for none. A search writes none.
    public var checkpoints: Checkpoints?
    /// Bytes of memory that the trials of a search may take together; nil for half of the memory that is free when it
    /// begins.
    package var searchMemory: Int?

    /// A fine-tuner without a feature cache and without checkpoints.
    public init(settings: TrainingSettings, workers: Workers) {
        self.settings = settings
        self.workers = workers
    }

    /// A classifier trained on the training set of `datasets`, starting from `base`.
    ///
    /// - Parameters:
    ///   - base: what training starts from; it isn't changed.
    ///   - datasets: the texts of the run.
    ///   - report: gets every event, in order, on the calling thread.
    ///   - progress: gets the progress of long phases, from any thread.
    /// - Throws: ``TrainingError/lossNotFinite(step:)``; ``TrainingError/unusableData(_:remedy:file:)`` for texts without a
    ///   label or an empty set; ``OutOfMemory``; with ``checkpoints`` ``TrainingStopped``, and
    ///   ``TrainingError/otherRun(differences:file:)`` where they are of another run.
    public func train(
        _ base: Classifier, on datasets: Datasets, report: (TrainingEvent) throws -> Void,
        progress: @escaping @Sendable (TrainingProgress) -> Void = { _ in }
    ) throws -> TrainedClassifier {
        let origin = try checkpoints?.newest { try report(.warning($0)) }
        var clock = PhaseClock(origin?.description.seconds ?? [:])
        let begin = ContinuousClock.now - .seconds(clock.total)
        let data = try TrainingData(base, datasets, settings)
        let run = try TrainingRun(data, settings, workers)
        let summary = data.summary(run.state.model, steps: run.steps)
        if let origin {
            try report(.resume(summary, step: origin.description.step))
        } else {
            try report(.start(summary))
        }
        try prepare(data, report: report, progress: progress)
        clock.charge(.frozen)
        try origin?.restore(run.state)
        run.refresh()
        var writer = checkpoints.map { CheckpointWriter($0, from: origin) }

        let sample = EvaluationSample(data, settings)
        let state = run.state
        let written = { try report(.checkpoint(step: $0, isLast: $1)) }
        let minutes = { begin.secondsUntilNow / 60 }
        let shouldStop = checkpoints?.shouldStop ?? { false }
        // A run that was stopped between a step and its evaluation resumes with that evaluation.
        var isEvaluationPending = origin?.description.isEvaluationPending ?? false
        var reason = isEvaluationPending ? nil : run.endReason(minutes: minutes(), state.evaluations)
        while reason == nil {
            if !isEvaluationPending {
                let step = state.step
                let outcome = try run.makeStep()
                clock.charge(.training)
                try report(
                    .step(
                        step: step, epoch: run.epoch, loss: outcome.loss, learningRate: outcome.learningRate,
                        gradientNorm: outcome.gradientNorm))
                progress(.training(done: state.step, total: run.steps, loss: outcome.loss))
            }
            isEvaluationPending = false
            let evaluation: StepEvaluation
            do {
                evaluation = try sample.evaluation(run, minutes: minutes, shouldStop: shouldStop)
            } catch let stop as StopRequested {
                try writer?.afterStep(
                    state, seconds: clock.totals, isLast: false, isEvaluationPending: true, written: written)
                throw stop
            }
            state.evaluations = evaluation.evaluations
            if evaluation.isBest == true { state.best?.save() }
            for event in evaluation.events(run, seconds: begin.secondsUntilNow) { try report(event) }
            clock.charge(.evaluation)
            reason = evaluation.reason
            try writer?.afterStep(state, seconds: clock.totals, isLast: reason != nil, written: written)
        }
        let kept = try keep(run, validation: data.validation)
        let end = try run.endSummary(reason: reason ?? .epochs, kept: kept, &clock) { begin.secondsUntilNow }
        try report(.end(end))
        var trained = TrainedClassifier(
            data.base.with(parameters: state.model.parameters, paddedLength: data.paddedLength), settings, end)
        trained.runSHA256 = checkpoints?.identity.sha256
        return trained
    }

    /// Exchanges the last weights for the best, or for their average, where these are wanted and have a lower loss.
    ///
    /// - Returns: the weights that the model then has.
    private func keep(_ run: TrainingRun, validation: FeatureSet) throws -> TrainingEvent.Kept {
        let state = run.state
        let lastStep = state.step - 1
        if let average = state.begunAverage {
            let last = try run.evaluate(validation).loss
            average.swap()
            run.refresh()
            if try run.evaluate(validation).loss < last { return .average }
            average.swap()
            run.refresh()
        }
        guard let snapshot = state.best, let step = state.evaluations.step, let least = state.evaluations.loss,
            step < lastStep
        else { return .step(lastStep) }
        let last = try run.evaluate(validation).loss
        if last < least { return .step(lastStep) }
        snapshot.restore()
        run.refresh()
        return .step(step)
    }
}
