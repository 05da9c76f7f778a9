// The model of a training run, and the part of it that changes.

/// Parameters, and gradients of those that are trained.
package struct TrainableModel {
    /// What forward and backward passes read. Tensors that aren't trained are the base's own.
    package let parameters: GPT2Parameters
    /// Where backward passes add. Empty tensors for parameters that aren't trained, or only through adapters.
    package let gradients: GPT2Parameters
    /// LoRA's adapters; nil without LoRA.
    package let adapters: Adapters?
    /// All that is trained, in a fixed order.
    package let trained: [(name: String, parameter: Tensor, gradient: Tensor)]
    /// The place of the token embedding in ``trained``, and its rows that have had a gradient; nil where it isn't trained.
    package let embedded: (index: Int, rows: RowSet)?
    /// The workers of ``refresh()``.
    package var workers: Workers

    /// - Parameters:
    ///   - base: isn't changed.
    ///   - seed: of LoRA's adapters.
    package init(
        _ base: GPT2Parameters, _ set: TrainableSet, config: GPT2Config, seed: UInt64, workers: Workers
    ) throws(OutOfMemory) {
        var parameters = try base.copyingTrainable(set, config: config)
        if case .lora(let lora) = set {
            adapters = try Adapters(lora, beside: &parameters, seed: seed, workers: workers)
        } else {
            adapters = nil
        }
        gradients = try GPT2Parameters.gradients(config, classes: base.classes, of: set)
        trained =
            (adapters?.all ?? []).flatMap {
                [("\($0.name).lora_A", $0.a, $0.dA), ("\($0.name).lora_B", $0.b, $0.dB)]
            }
            + zip(parameters.named, gradients.named)
            .filter { GPT2Parameters.isTrainable($0.0.name, set, blocks: config.blocks) }
            .map { ($0.0.name, $0.0.tensor, $0.1.tensor) }
        embedded = trained.firstIndex { $0.name == "wte.weight" }.map { ($0, RowSet(ofTable: config.vocabularySize)) }
        self.parameters = parameters
        self.workers = workers
    }

    /// Computes those of ``parameters`` that adapters change. To be called after every change of what is trained.
    package func refresh() { adapters?.merge(workers) }
}
