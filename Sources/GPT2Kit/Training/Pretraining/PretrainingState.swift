// What changes in a pretraining run, which is what a checkpoint keeps.

/// Parameters, moments, the average, and how far the run is.
final class PretrainingState: CheckpointedState {
    let model: TrainableModel
    /// All parameters, with their gradients, which are zero between steps.
    let trained: [(name: String, parameter: Tensor, gradient: Tensor)]
    let optimizer: AdamW
    let average: WeightAverage?
    private(set) var step = 0
    /// The tokens of the rows of all steps.
    private(set) var tokens = 0

    /// The state before the first of `steps` steps.
    init(_ base: PretrainedModel, _ settings: PretrainingSettings, steps: Int, _ workers: Workers) throws(OutOfMemory) {
        model = try TrainableModel(
            base.parameters, .all, config: base.config, seed: settings.seed, workers: workers)
        let trained = model.trained.filter { !$0.name.hasPrefix("score.") }
        var update = AdamW.Settings(learningRate: settings.learningRate, weightDecay: settings.weightDecay)
        update.beta1 = settings.beta1
        update.beta2 = settings.beta2
        update.decaysMatricesOnly = true
        optimizer = try AdamW(trained.map { ($0.parameter, $0.gradient) }, settings: update, workers: workers)
        self.trained = trained
        average = try settings.averageDecay.map { (decay) throws(OutOfMemory) in
            try WeightAverage(of: trained.map(\.parameter), decay: decay, steps: steps, workers: workers)
        }
    }

    /// Updates the parameters by their gradients, after a step of `count` tokens.
    func update(learningRate: Double, tokens count: Int) {
        optimizer.settings.learningRate = learningRate
        optimizer.update()
        step += 1
        tokens += count
        average?.add(after: step)
    }

    /// The average, where weights have been added to it.
    var begunAverage: WeightAverage? { average.flatMap { step > $0.first ? $0 : nil } }

    // MARK: - Checkpoints

    func describe(_ description: inout CheckpointDescription) { description.tokens = tokens }

    func tensors(_ description: CheckpointDescription) -> [(name: String, tensor: Tensor)] {
        var result = tensors(trained, optimizer)
        if let average { result += tensors(of: average, trained, description) }
        return result
    }

    func resume(_ description: CheckpointDescription) {
        optimizer.resume(after: description.step)
        step = description.step
        tokens = description.tokens ?? 0
    }
}
