// What changes in a pretraining run, which is what a checkpoint keeps.

/// Parameters, moments, the average, and how far the run is.
final class PretrainingState: CheckpointedState {
    let model: TrainableModel
    /// All parameters, with their gradients, which are zero between steps.
    let trained: [(name: String, parameter: Tensor, gradient: Tensor)]
    private let adam: AdamW
    /// Updates the matrices of the blocks, where the settings say so.
    private let muon: Muon?
    private let muonRate: Double
    let average: WeightAverage?
    private(set) var step = 0
    /// The tokens of the rows of all steps.
    private(set) var tokens = 0

    /// The state before the first of `steps` steps.
    init(_ base: PretrainedModel, _ settings: PretrainingSettings, steps: Int, _ workers: Workers) throws(OutOfMemory) {
        model = try TrainableModel(
            base.parameters, .all, config: base.config, seed: settings.seed, workers: workers)
        let trained = model.trained.filter { !$0.name.hasPrefix("score.") }
        self.trained = trained
        muonRate = settings.muonRate
        muon =
            settings.optimizer == .muon
            ? try Muon(
                trained.filter(Self.isBlockMatrix).map {
                    ($0.parameter, $0.gradient, $0.name.contains("c_attn") ? 3 : 1)
                },
                settings: Muon.Settings(weightDecay: settings.weightDecay), workers: workers) : nil
        var update = AdamW.Settings(learningRate: settings.learningRate, weightDecay: settings.weightDecay)
        update.beta1 = settings.beta1
        update.beta2 = settings.beta2
        update.decaysMatricesOnly = true
        let rest = muon == nil ? trained : trained.filter { !Self.isBlockMatrix($0) }
        adam = try AdamW(rest.map { ($0.parameter, $0.gradient) }, settings: update, workers: workers)
        average = try settings.averageDecay.map { (decay) throws(OutOfMemory) in
            try WeightAverage(of: trained.map(\.parameter), decay: decay, steps: steps, workers: workers)
        }
    }

    /// A matrix of a block: neither an embedding nor a vector.
    private static func isBlockMatrix(_ trained: (name: String, parameter: Tensor, gradient: Tensor)) -> Bool {
        trained.name.hasPrefix("h.") && trained.parameter.shape.count == 2
    }

    /// Updates the parameters by their gradients, after a step of `count` tokens. `factor` is that of the schedule.
    func update(learningRate: Double, factor: Double, tokens count: Int) {
        adam.settings.learningRate = learningRate
        adam.update()
        muon?.settings.learningRate = muonRate * factor
        muon?.update()
        step += 1
        tokens += count
        average?.add(after: step)
    }

    /// The average, where weights have been added to it.
    var begunAverage: WeightAverage? { average.flatMap { step > $0.first ? $0 : nil } }

    // MARK: - Checkpoints

    func describe(_ description: inout CheckpointDescription) { description.tokens = tokens }

    func tensors(_ description: CheckpointDescription) -> [(name: String, tensor: Tensor)] {
        var result = tensors(muon == nil ? trained : trained.filter { !Self.isBlockMatrix($0) }, adam)
        if let muon { result += tensors(trained.filter(Self.isBlockMatrix), muon) }
        if let average { result += tensors(of: average, trained, description) }
        return result
    }

    func resume(_ description: CheckpointDescription) {
        adam.resume(after: description.step)
        step = description.step
        tokens = description.tokens ?? 0
    }
}
