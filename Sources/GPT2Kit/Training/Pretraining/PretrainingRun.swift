// A step of pretraining, and an evaluation.

import Tokenization

/// Computes with a ``PretrainingState``: makes steps, and evaluates the model.
final class PretrainingRun {
    let state: PretrainingState
    /// Steps of the whole run.
    let steps: Int
    private(set) var order: CorpusOrder
    private let data: PretrainingData
    private let settings: PretrainingSettings
    private let language: LanguageModel
    private let workers: Workers
    private let gradients: GradientVector

    /// What the model is given at a time: a constant, because sums of gradients depend on it. Few tokens, so that a request
    /// to stop needn't wait long.
    private static let tokensAtATime = 2048

    /// The run before its first step.
    init(_ data: PretrainingData, _ settings: PretrainingSettings, _ workers: Workers) throws {
        self.data = data
        self.settings = settings
        self.workers = workers
        steps = settings.steps(rows: data.training.count)
        order = CorpusOrder(rows: data.training.count, batch: settings.rows, seed: settings.seed)
        state = try PretrainingState(data.base, settings, steps: steps, workers)
        language = try LanguageModel(
            state.model.parameters, gradients: state.model.gradients, config: data.base.config,
            precision: settings.precision, workers: workers)
        gradients = GradientVector(state.trained.map(\.gradient), workers: workers)
    }

    /// One update on the next rows.
    ///
    /// - Parameter shouldStop: asked now and then whether to leave the step undone. No other may be made then.
    /// - Throws: ``TrainingError/lossNotFinite(step:)``, ``TrainingError/gradientNotFinite(step:)``; ``StopRequested``.
    func makeStep(shouldStop: () -> Bool) throws -> PretrainingEvent.Step {
        let begin = ContinuousClock.now
        let step = state.step
        let rows = order.rows(of: step)
        let layout = layout(rows, data.training)
        let predictions = Double(max(1, LanguageModel.predictions(layout)))
        var loss = 0.0
        for part in parts(layout) {
            if shouldStop() { throw StopRequested() }
            let (tokens, layout) = try load(rows.dropFirst(part.lowerBound).prefix(part.count), data.training)
            loss += try language.addGradients(tokens: tokens, layout, denominator: predictions)
        }
        guard loss.isFinite else { throw TrainingError.lossNotFinite(step: step) }
        let norm = settings.clipNorm.map(gradients.clip)
        guard norm?.isFinite ?? true else { throw TrainingError.gradientNotFinite(step: step) }
        let factor = settings.schedule.factor(step: step, of: steps)
        let rate = settings.learningRate * factor
        state.update(learningRate: rate, factor: factor, tokens: layout.tokens)
        language.refresh()
        return PretrainingEvent.Step(
            step: step, epoch: step / order.stepsPerEpoch + 1, tokens: state.tokens,
            tokensPerSecond: Double(layout.tokens) / begin.secondsUntilNow, loss: loss / predictions,
            learningRate: rate,
            gradientNorm: norm)
    }

    /// Writes the token embedding that follows from the training rows. To be called before the first step.
    ///
    /// - Parameter report: is told now and then how many rows are counted. What it throws ends the run.
    /// - Throws: ``OutOfMemory``; `ShardError` where the file has been changed; what `report` throws.
    func writeEmbeddings(report: (_ rows: Int) throws -> Void) throws {
        let counts = try CooccurrenceEmbedding(
            data.training, vocabularySize: data.base.config.vocabularySize, endOfText: data.base.tokenizer.endOfText,
            report: report)
        try counts.write(to: state.model.parameters.tokenEmbedding, seed: settings.seed, workers: workers)
        language.refresh()
    }

    /// Continues from a checkpoint. To be called before the first step.
    func restore(_ checkpoint: TrainingCheckpoint) throws {
        try checkpoint.restore(state)
        language.refresh()
    }

    /// The loss of the validation rows.
    ///
    /// - Parameter shouldStop: asked now and then whether to leave the evaluation for later.
    /// - Throws: ``TrainingError/lossNotFinite(step:)``; ``StopRequested``.
    func evaluate(shouldStop: () -> Bool = { false }) throws -> CorpusLoss {
        let corpus = data.validation
        let rows = 0..<corpus.count
        var sum = 0.0
        for part in parts(layout(rows, corpus)) {
            if shouldStop() { throw StopRequested() }
            let (tokens, layout) = try load(part, corpus)
            sum += try language.loss(tokens: tokens, layout)
        }
        guard sum.isFinite else { throw TrainingError.lossNotFinite(step: max(0, state.step - 1)) }
        return CorpusLoss(sum: sum, predictions: corpus.predictions, bytes: corpus.predictedBytes)
    }

    /// The validation losses at the end of a run. The parameters are then those that are kept.
    func finish() throws -> (last: CorpusLoss, average: CorpusLoss?) {
        let last = try evaluate()
        guard let average = state.begunAverage else { return (last, nil) }
        average.swap()
        language.refresh()
        let averaged = try evaluate()
        if averaged.loss >= last.loss { average.swap() }
        return (last, averaged)
    }

    /// Why the run is over after the steps that it has made; nil where it isn't. At least one step is made.
    func endReason(minutes: Double) -> EndReason? {
        if state.step >= steps { return settings.maxSteps == steps ? .maxSteps : .epochs }
        guard let most = settings.maxMinutes, state.step > 0, minutes >= most else { return nil }
        return .maxMinutes
    }

    private func layout(_ rows: some Sequence<Int>, _ corpus: TokenCorpus) -> TextLayout {
        TextLayout(lengths: rows.lazy.map(corpus.length))
    }

    private func parts(_ layout: TextLayout) -> [Range<Int>] {
        layout.chunks(tokens: Self.tokensAtATime, rows: .max)
    }

    /// The tokens of `rows`, one row after another.
    private func load(
        _ rows: some Sequence<Int>, _ corpus: TokenCorpus
    ) throws(ShardError) -> (tokens: [Int32], layout: TextLayout) {
        var tokens: [Int32] = []
        var lengths: [Int] = []
        for row in rows {
            let first = tokens.count
            try corpus.append(row, to: &tokens)
            lengths.append(tokens.count - first)
        }
        return (tokens, TextLayout(lengths: lengths))
    }
}
