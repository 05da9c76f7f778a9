// The rows that evaluations compute while a model is trained: the same in each, so that evaluations can be compared. Training rows are
// drawn; of the validation set they are the first, as in the chapter.

/// Rows of the training and the validation set.
struct EvaluationSample {
    private let data: TrainingData
    private let training: [Int]
    /// All where a decision depends on them.
    private let validation: [Int]

    init(_ data: TrainingData, _ settings: TrainingSettings) {
        self.data = data
        let limit =
            settings.evaluationBatches == 0
            ? Int.max : settings.evaluationBatches.multipliedSaturating(by: settings.batch)
        var draw = BatchSampler(
            rows: data.training.count, batch: data.training.count, shuffle: settings.shuffle, seed: ~settings.seed)
        training = Array(draw.epoch().joined().prefix(limit))
        validation = Array((0..<data.validation.count).prefix(settings.dependsOnEvaluations ? .max : limit))
    }

    /// Evaluates the model after a step, as far as an evaluation is due. It changes nothing and can be repeated.
    ///
    /// - Parameter shouldStop: asked now and then whether to leave the evaluation for later.
    /// - Throws: ``TrainingError/lossNotFinite(step:)``; ``StopRequested``.
    func evaluation(_ run: TrainingRun, minutes: () -> Double, shouldStop: () -> Bool) throws -> StepEvaluation {
        let step = run.state.step - 1
        var evaluation = StepEvaluation(evaluations: run.state.evaluations)
        var found: Findings?
        if step % run.settings.evaluateEvery == 0 {
            let findings = try evaluate(run, shouldStop)
            found = findings
            let losses = (training: findings.training.loss, validation: findings.validation.loss)
            guard losses.training.isFinite, losses.validation.isFinite else {
                throw TrainingError.lossNotFinite(step: step)
            }
            evaluation.losses = losses
            if run.settings.dependsOnEvaluations {
                evaluation.isBest = evaluation.evaluations.note(losses.validation, step: step)
            }
        }
        evaluation.reason = run.endReason(minutes: minutes(), evaluation.evaluations)
        if run.isAtEndOfEpoch || evaluation.reason != nil {
            let findings = try found ?? evaluate(run, shouldStop)
            evaluation.accuracies = (findings.training.accuracy, findings.validation.accuracy)
        }
        return evaluation
    }

    private typealias Findings = (
        training: (loss: Double, accuracy: Double), validation: (loss: Double, accuracy: Double)
    )

    private func evaluate(_ run: TrainingRun, _ shouldStop: () -> Bool) throws -> Findings {
        (
            try run.evaluate(training, of: data.training, shouldStop: shouldStop),
            try run.evaluate(validation, of: data.validation, shouldStop: shouldStop)
        )
    }
}

/// The run was asked to stop, and left an evaluation for later.
struct StopRequested: Error {}
