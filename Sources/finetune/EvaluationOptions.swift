// When finetune evaluates, and what follows from it.

import ArgumentParser
import FilterSupport
import GPT2Kit

struct EvaluationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Steps between evaluations. (default: 50)", valueName: "n"), transform: positiveInteger)
    var evalEvery = 50

    @Option(
        help: ArgumentHelp("Batches of each set in an evaluation; 0 for all. (default: 5)", valueName: "n"),
        transform: nonNegativeInteger)
    var evalBatches = 5

    @Option(
        help: ArgumentHelp(
            "End when n evaluations in a row haven't lowered the loss of the whole validation set.",
            valueName: "n"),
        transform: positiveInteger)
    var patience: Int?

    @Option(
        help: ArgumentHelp(
            """
            The weights to keep: the last, or those with the lowest loss of the whole validation set. (default: last; \
            with --patience: best)
            """))
    var keep: KeptWeights?

    @Option(
        help: ArgumentHelp(
            """
            The decay of an average of the weights over the last fifth of the steps; 0 for none. Of the last weights and \
            their average those are kept that have the lower loss of the whole validation set. (default: 0)
            """, valueName: "decay"),
        transform: NumberArgument.share)
    var ema = 0.0

    @Flag(
        help: """
            Report in the metrics how many labels of the first 256 validation texts score --precision int8 would change.
            """)
    var checkInt8 = false

    func apply(to settings: inout TrainingSettings) {
        settings.evaluateEvery = evalEvery
        settings.evaluationBatches = evalBatches
        settings.patience = patience
        settings.averageDecay = ema > 0 ? ema : nil
        settings.keep = keep ?? (patience == nil ? .last : .best)
    }
}

extension KeptWeights: ExpressibleByArgument {}
