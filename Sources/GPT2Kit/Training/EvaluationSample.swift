// The rows that evaluations look at while a model is trained: drawn once, so that they can be compared with each other.

/// Rows of the training and the validation set.
struct EvaluationSample {
    private let data: TrainingData
    private let training: [Int]
    /// All where a decision depends on them.
    private let validation: [Int]

    init(_ data: TrainingData, _ settings: TrainingSettings) {
        self.data = data
        let limit =
            settings.evaluationBatches == 0 ? Int.max : saturatingProduct(settings.evaluationBatches, settings.batch)
        var draw = BatchSampler(
            rows: data.training.count, batch: data.training.count, shuffle: settings.shuffle, seed: ~settings.seed)
        training = Array(draw.epoch().joined().prefix(limit))
        validation = Array((0..<data.validation.count).prefix(settings.dependsOnEvaluations ? .max : limit))
    }

    /// Mean losses.
    ///
    /// - Throws: ``ModelError/lossNotFinite(step:)``.
    func losses(_ run: TrainingRun) throws -> (training: Double, validation: Double) {
        let losses = (
            try run.evaluate(training, of: data.training).loss, try run.evaluate(validation, of: data.validation).loss
        )
        guard losses.0.isFinite, losses.1.isFinite else { throw ModelError.lossNotFinite(step: run.state.step - 1) }
        return losses
    }

    func accuracies(_ run: TrainingRun) throws -> (training: Double, validation: Double) {
        (
            try run.evaluate(training, of: data.training).accuracy,
            try run.evaluate(validation, of: data.validation).accuracy
        )
    }
}

/// A count that is too large to be reached anyway stops at the largest.
func saturatingProduct(_ a: Int, _ b: Int) -> Int {
    let (product, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? .max : product
}
