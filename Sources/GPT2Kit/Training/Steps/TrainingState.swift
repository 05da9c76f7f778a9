// What changes in a training run. All else follows from the data and the settings, so a checkpoint keeps this alone,
// and so does a paused trial of a search.

final class TrainingState {
    /// Parameters, and room for their gradients, which are zero between steps.
    var model: TrainableModel
    /// Moments, and the number of updates.
    let optimizer: AdamW
    /// The best weights so far, where they are kept, and the best evaluation.
    let best: Snapshot?
    var evaluations = BestEvaluation()
    /// Steps made, and the batches that follow.
    var step = 0
    var batches: BatchIterator

    /// The state before the first step.
    init(_ data: TrainingData, _ settings: TrainingSettings, _ workers: Workers) throws(OutOfMemory) {
        model = try TrainableModel(
            data.base.parameters, settings.trainable, config: data.base.config, seed: settings.seed, workers: workers)
        optimizer = try AdamW(
            model.trained.map { ($0.parameter, $0.gradient) },
            settings: .init(learningRate: settings.learningRate, weightDecay: settings.weightDecay),
            workers: workers)
        best = settings.keep == .best ? try Snapshot(of: model.trained.map(\.parameter)) : nil
        batches = BatchIterator(
            BatchSampler(
                rows: data.training.count, batch: settings.rowsOfStep, shuffle: settings.shuffle, seed: settings.seed))
    }

    /// Sets the threads that compute with it next.
    func use(_ workers: Workers) {
        model.workers = workers
        optimizer.workers = workers
    }
}
