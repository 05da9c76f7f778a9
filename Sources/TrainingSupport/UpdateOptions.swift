// How fine-tuning goes through the data, and what a step does.

import ArgumentParser
import FilterSupport
import GPT2Kit

/// How training goes through the texts.
public struct EpochOptions: ParsableArguments {
    public init() {}

    @Option(
        help: ArgumentHelp("Passes through the training texts. (default: 5)", valueName: "n"),
        transform: positiveInteger)
    var epochs = 5

    @Option(
        help: ArgumentHelp("End after n steps, unless the epochs end first.", valueName: "n"),
        transform: positiveInteger)
    var maxSteps: Int?

    @Option(
        help: ArgumentHelp("End after this many minutes, unless the epochs end first.", valueName: "number"),
        transform: NumberArgument.positive)
    var maxMinutes: Double?

    @Option(help: ArgumentHelp("Texts in a batch. (default: 8)", valueName: "n"), transform: positiveInteger)
    var batch = 8

    @Option(
        help: ArgumentHelp(
            """
            Batches in a step: the update of a larger batch, in less memory. An incomplete step at the end of an epoch \
            is dropped, unless it is the only one of the epoch. (default: 1)
            """, valueName: "n"),
        transform: positiveInteger)
    var accumulate = 1

    @Option(help: "The order of the training texts: a new one in every epoch, or that of the input.")
    var shuffle = TrainingSettings.Shuffle.seeded

    func apply(to settings: inout TrainingSettings) {
        settings.epochs = epochs
        settings.maxSteps = maxSteps
        settings.maxMinutes = maxMinutes
        settings.batch = batch
        settings.accumulate = accumulate
        settings.shuffle = shuffle
    }
}

/// What a step does.
public struct UpdateOptions: ParsableArguments {
    public init() {}

    @Option(
        help: ArgumentHelp("AdamW's learning rate. (default: 5e-05)", valueName: "rate"),
        transform: NumberArgument.positive)
    var lr = 5e-5

    @Option(
        help: """
            How the learning rate changes: constant, down to 0 in a straight line or half a cosine wave, or constant for \
            30 % of the steps and then down to 0 in a straight line.
            """)
    var schedule = LearningRateSchedule.Shape.constant

    @Option(
        help: ArgumentHelp(
            "Steps in which the learning rate rises from 0: their number or, below 1, their share. (default: 0)",
            valueName: "n|share"),
        transform: ScheduleArgument.warmup)
    var warmup = LearningRateSchedule.Warmup.steps(0)

    @Option(
        help: ArgumentHelp(
            """
            The factor by which the learning rate falls from each block to the one below, beginning with the last, and to \
            the embeddings; the head and the final LayerNorm have --lr itself. (default: 1)
            """, valueName: "factor"),
        transform: NumberArgument.factor)
    var layerDecay = 1.0

    @Option(
        help: ArgumentHelp("AdamW's weight decay. (default: 0.1)", valueName: "share"),
        transform: NumberArgument.nonNegative)
    var weightDecay = 0.1

    @Option(
        help: ArgumentHelp(
            "Scale the gradients of a step down to at most this L2 norm, all together.",
            valueName: "norm"),
        transform: NumberArgument.positive)
    var clipNorm: Double?

    @Option(
        help: ArgumentHelp(
            "The share of a label's probability that is spread over all classes. (default: 0)", valueName: "share"),
        transform: NumberArgument.share)
    var labelSmoothing = 0.0

    @Option(
        help: ArgumentHelp(
            """
            How much a class counts in the loss: balanced (inversely to its number of records), or label=weight for \
            some and 1 for the others.
            """,
            valueName: "balanced|a=1,b=6"),
        transform: weights)
    var classWeights = ClassWeights.equal

    func apply(to settings: inout TrainingSettings) {
        settings.learningRate = lr
        settings.schedule.shape = schedule
        settings.schedule.warmup = warmup
        settings.layerDecay = LayerDecay(layerDecay)
        settings.weightDecay = weightDecay
        settings.clipNorm = clipNorm
        settings.labelSmoothing = labelSmoothing
        settings.classWeights = classWeights
    }
}

extension TrainingSettings.Shuffle: ExpressibleByArgument {}

/// `balanced`, or pairs LABEL=WEIGHT.
@Sendable private func weights(_ text: String) throws -> ClassWeights {
    if text == "balanced" { return .balanced }
    do {
        let pairs = try LabelNumbers.pairs(text) { $0 > 0 && $0.isFinite }
        let weights = ClassWeights.named(pairs.map { (label: $0.label, weight: $0.number) })
        if let label = weights.repeatedLabel { throw ValidationError("'\(label)' has two weights") }
        return weights
    } catch let mistake as LabelNumbers.Mistake {
        throw ValidationError("'\(mistake.text)' is not LABEL=WEIGHT with a weight above 0")
    }
}
