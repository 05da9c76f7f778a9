// What changes in a training run. All else follows from the data and the settings, so a checkpoint keeps this alone,
// and so does a paused trial of a search.

final class TrainingState {
    /// Parameters, and room for their gradients, which are zero between steps.
    var model: TrainableModel
    /// Moments, and the number of updates.
    let optimizer: AdamW
    /// The average of the last weights, where it may be kept.
    let average: WeightAverage?
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
            rateScales: model.trained.map { settings.layerDecay.scale(of: $0.name, blocks: data.base.config.blocks) },
            sparse: model.embedded,
            settings: .init(learningRate: settings.learningRate, weightDecay: settings.weightDecay),
            workers: workers)
        best = settings.keep == .best ? try Snapshot(of: model.trained.map(\.parameter)) : nil
        let batches = BatchIterator(
            BatchSampler(
                rows: data.training.count, batch: settings.rowsOfStep, shuffle: settings.shuffle, seed: settings.seed))
        self.batches = batches
        let trained = model.trained
        average = try settings.averageDecay.map { (decay) throws(OutOfMemory) in
            try WeightAverage(
                of: trained.map(\.parameter), decay: decay, steps: settings.steps(ofEpoch: batches.stepsPerEpoch),
                workers: workers)
        }
    }

    /// Updates what is trained by its gradients.
    func update(learningRate: Double) {
        optimizer.settings.learningRate = learningRate
        optimizer.update()
        step += 1
        average?.add(after: step)
    }

    /// The average, where weights have been added to it.
    var begunAverage: WeightAverage? { average.flatMap { step > $0.first ? $0 : nil } }

    /// Sets the threads that compute with it next.
    func use(_ workers: Workers) {
        model.workers = workers
        optimizer.workers = workers
    }
}
