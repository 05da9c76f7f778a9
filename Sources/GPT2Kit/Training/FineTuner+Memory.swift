// Whether a training run can fit into this machine at all. Systems promise more memory than they have, and end the
// program when it uses that memory. So this is checked before anything is read.

import Platform
import Records

extension FineTuner {
    /// Refuses settings that don't suit the base, and runs that can't fit. Counted are the parameters and, for each
    /// trained one, its copy, its gradient, AdamW's two moments and, where the best weights or an average may be kept, a
    /// second copy.
    /// Activations and texts need memory too, so a run that passes may still lack some.
    ///
    /// - Throws: ``TrainingError/impossibleSetting(_:remedy:)``, ``OutOfMemory``, and what reading the base's config.json
    ///   throws.
    public func requirePossible(for base: Classifier.Base) throws {
        let config = try base.config()
        let isMapped = if case .directory = base { true } else { false }
        try settings.check(config)
        let all = config.parameterCount
        let trained: Double
        switch settings.trainable {
        case .head: trained = 0
        case .lastBlocks(let count): trained = Double(min(count, config.blocks)) * config.parametersPerBlock
        case .all: trained = all
        case .lora(let lora): trained = lora.parameterCount(config)
        }
        let copies = settings.keep == .best || settings.averageDecay != nil ? 5.0 : 4.0
        let need = 4 * ((isMapped ? 0 : all) + copies * trained + settings.trainable.mergedCount(config))
        if need > Double(MemoryBudget().limit) { throw OutOfMemory(bytes: Int(min(need, 1e18))) }
    }
}
