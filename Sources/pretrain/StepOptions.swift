// How pretrain goes through the rows, and what a step does.

import ArgumentParser
import FilterSupport
import GPT2Kit
import TrainingSupport

struct StepOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Passes through the training rows. (default: 1; with --max-steps as many as that takes)", valueName: "n"),
        transform: positiveInteger)
    var epochs: Int?

    @Option(
        help: ArgumentHelp("End after n steps, unless the epochs end first.", valueName: "n"),
        transform: positiveInteger)
    var maxSteps: Int?

    @Option(
        help: ArgumentHelp(
            """
            End after this many minutes, those before a --resume included. The model is written, and the run can be \
            continued.
            """, valueName: "number"),
        transform: NumberArgument.positive)
    var maxMinutes: Double?

    @Option(
        help: ArgumentHelp(
            "Rows of a step. An incomplete step at the end of an epoch is dropped. (default: 128)", valueName: "n"),
        transform: positiveInteger)
    var batchRows = 128

    @Option(
        help: ArgumentHelp("Steps between evaluations of the validation rows. (default: 250)", valueName: "n"),
        transform: positiveInteger)
    var validateEvery = 250

    @Option(
        help: """
            The number type of the operands of matrix products; auto is bf16 if the CPU is faster with it, else f32. Weights, sums \
            and everything else are f32.
            """)
    var precision = PrecisionChoice.f32

    func apply(to settings: inout PretrainingSettings) {
        settings.precision = precision.precision
        settings.epochs = epochs
        settings.maxSteps = maxSteps
        settings.maxMinutes = maxMinutes
        settings.rows = batchRows
        settings.validateEvery = validateEvery
    }
}

struct OptimizerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("AdamW's learning rate. (default: 0.002)", valueName: "rate"),
        transform: NumberArgument.positive)
    var lr = 2e-3

    @Option(
        help: """
            What updates the matrices of the blocks: adamw, or muon, which reaches a lower loss in as many steps. Embeddings and \
            vectors are AdamW's in either case.
            """)
    var optimizer = PretrainingSettings.Optimizer.adamw

    @Option(
        help: ArgumentHelp(
            "Muon's learning rate. Its updates are as large as AdamW's. (default: 0.004)", valueName: "rate"),
        transform: NumberArgument.positive)
    var muonLr: Double?

    @Option(
        help: """
            The token embedding before the first step: that of the base, or vectors from the tokens that stand near each token \
            in the training rows (only with random weights).
            """)
    var embeddings = PretrainingSettings.Embeddings.base

    @Option(
        help: """
            How the learning rate changes: constant, down to 0 in a straight line or half a cosine wave, or constant until \
            --decay-from and then down to 0 in a straight line.
            """)
    var schedule = LearningRateSchedule.Shape.trapezoid

    @Option(
        help: ArgumentHelp(
            "Steps in which the learning rate rises from 0: their number or, below 1, their share. (default: 0.02)",
            valueName: "n|share"),
        transform: ScheduleArgument.warmup)
    var warmup = LearningRateSchedule.Warmup.share(0.02)

    @Option(
        help: ArgumentHelp(
            "The share of the steps after which a trapezoid goes down. (default: 0.3)", valueName: "share"),
        transform: NumberArgument.share)
    var decayFrom: Double?

    @Option(
        help: ArgumentHelp(
            "AdamW's weight decay, of matrices alone. (default: 0.1)", valueName: "share"),
        transform: NumberArgument.nonNegative)
    var weightDecay = 0.1

    @Option(
        help: ArgumentHelp(
            "Scale the gradients of a step down to at most this L2 norm, all together; 0 for no limit. (default: 1)",
            valueName: "norm"),
        transform: NumberArgument.nonNegative)
    var clipNorm = 1.0

    @Option(
        help: ArgumentHelp(
            """
            The decay of an average of the weights over the last fifth of the steps; 0 for none. Of the last weights and \
            their average those are kept that predict the validation rows better. (default: 0.999)
            """, valueName: "decay"),
        transform: NumberArgument.share)
    var ema = 0.999

    func validate() throws {
        guard muonLr == nil || optimizer == .muon else { throw ValidationError("--muon-lr goes with --optimizer muon") }
        guard decayFrom == nil || schedule == .trapezoid else {
            throw ValidationError("--decay-from goes with --schedule trapezoid")
        }
    }

    func apply(to settings: inout PretrainingSettings) {
        settings.optimizer = optimizer
        settings.embeddings = embeddings
        settings.learningRate = lr
        if let muonLr { settings.muonRate = muonLr }
        settings.schedule.shape = schedule
        settings.schedule.warmup = warmup
        if let decayFrom { settings.schedule.decayFrom = decayFrom }
        settings.weightDecay = weightDecay
        settings.clipNorm = clipNorm > 0 ? clipNorm : nil
        settings.averageDecay = ema > 0 ? ema : nil
    }
}
extension PretrainingSettings.Optimizer: ExpressibleByArgument {}
extension PretrainingSettings.Embeddings: ExpressibleByArgument {}
