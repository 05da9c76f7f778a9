// All options that decide what fine-tuning makes of its texts.

import ArgumentParser
import FilterSupport
import GPT2Kit

/// The settings of a classifier's training, but for its evaluations and its seed.
public struct FineTuningOptions: ParsableArguments {
    @OptionGroup(title: "Model") var model: ReadingOptions
    @OptionGroup(title: "What is trained") var trained: TrainableOptions
    @OptionGroup(title: "Steps") var steps: EpochOptions
    @OptionGroup(title: "Updates") var updates: UpdateOptions

    public init() {}

    /// Sets what the options say.
    public func apply(to settings: inout TrainingSettings) {
        model.apply(to: &settings)
        trained.apply(to: &settings)
        steps.apply(to: &settings)
        updates.apply(to: &settings)
    }
}
