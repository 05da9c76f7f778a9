// Fine-tuning: frozen blocks once per text, then epochs of steps over what they gave (chapter 6 of "Build a Large
// Language Model (From Scratch)", with any trainable set and pooling).

/// Trains a classifier on tokenized, labelled texts.
public struct FineTuner: Sendable {
    public let settings: TrainingSettings
    public let workers: Workers
    /// The directory in which the output of the frozen blocks is kept from run to run; nil for none.
    public var featureDirectory: String?
    /// Bytes of memory that the output of the frozen blocks may take; more goes to a temporary file. nil for half of
    /// what is left when training is about to begin.
    package var featureMemory: Int?

    public init(settings: TrainingSettings, workers: Workers) {
        self.settings = settings
        self.workers = workers
    }

    /// A classifier trained on `training`, starting from `base`.
    ///
    /// - Parameters:
    ///   - report: gets every event, in order, on the calling thread.
    ///   - progress: gets the state of long phases, from any thread.
    /// - Throws: ``ModelError/lossNotFinite(step:)``; ``ModelError/unusableData(_:remedy:file:)`` for rows without
    ///   label or an empty set; ``OutOfMemory``.
    public func train(
        _ base: Classifier, training: LabelledTexts, validation: LabelledTexts, test: LabelledTexts?,
        report: (TrainingEvent) throws -> Void, progress: @escaping @Sendable (TrainingProgress) -> Void = { _ in }
    ) throws -> Classifier {
        let begin = seconds()
        var clock = PhaseClock()
        let data = try TrainingData(base, training: training, validation: validation, test: test, settings)
        let run = try TrainingRun(data, settings, workers)
        try report(.start(data.summary(run)))
        try prepare(data, report: report, progress: progress)
        clock.charge(.frozen)

        let sample = EvaluationSample(data, settings)
        var best = BestEvaluation()
        var reason = run.endReason(best, minutes: 0)
        while reason == nil {
            let step = run.step
            let outcome = try run.makeStep()
            clock.charge(.training)
            try report(
                .step(
                    step: step, epoch: run.epoch, loss: outcome.loss, learningRate: outcome.learningRate,
                    gradientNorm: outcome.gradientNorm))
            if step % settings.evaluateEvery == 0 {
                let (training, validation) = try sample.losses(run)
                let isBest = settings.dependsOnEvaluations ? best.note(validation, step: step) : nil
                if isBest == true { run.best?.save() }
                try report(
                    .evaluation(step: step, trainingLoss: training, validationLoss: validation, isBest: isBest))
                clock.charge(.evaluation)
            }
            progress(.training(done: run.step, total: run.steps, loss: outcome.loss))
            reason = run.endReason(best, minutes: (seconds() - begin) / 60)
            if run.isAtEndOfEpoch || reason != nil {
                let (training, validation) = try sample.accuracies(run)
                try report(
                    .epoch(
                        epoch: run.epoch, step: run.step, trainingAccuracy: training,
                        validationAccuracy: validation, seconds: seconds() - begin))
                clock.charge(.evaluation)
            }
        }
        let keptStep = try keep(run, best, validation: data.validation)
        let results = try data.sets.map(run.evaluate)
        clock.charge(.evaluation)
        guard results.allSatisfy(\.loss.isFinite) else { throw ModelError.lossNotFinite(step: run.step) }
        let end = TrainingEvent.EndSummary(
            steps: run.step, reason: reason ?? .epochs, keptStep: keptStep, trainingLoss: results[0].loss,
            validationLoss: results[1].loss, trainingAccuracy: results[0].accuracy,
            validationAccuracy: results[1].accuracy, testAccuracy: data.test == nil ? nil : results[2].accuracy,
            seconds: seconds() - begin, secondsByPhase: clock.phases)
        try report(.end(end))
        return data.base.trained(
            run.model.parameters, settings: settings, paddedLength: data.paddedLength, results: end)
    }

    /// Restores the best weights where they are wanted and aren't the last; the step that they are of.
    private func keep(
        _ run: TrainingRun, _ best: BestEvaluation, validation: Features
    ) throws -> Int {
        let lastStep = run.step - 1
        guard let snapshot = run.best, let step = best.step, let least = best.loss, step < lastStep else {
            return lastStep
        }
        let last = try run.evaluate(validation).loss
        if last < least { return lastStep }
        snapshot.restore()
        run.model.refresh()
        return step
    }
}
