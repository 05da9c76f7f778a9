// Pretraining: a language model learns to predict the next token of all rows of a corpus (Radford et al. 2019), by the
// mean cross entropy over all positions, with the head tied to the token embedding.

import Platform
import Records

/// Trains all parameters of a language model.
public struct Pretrainer: Sendable {
    /// The settings of the run.
    public let settings: PretrainingSettings
    /// The threads that compute. The result doesn't depend on their number.
    public let workers: Workers
    /// The checkpoints of a run; nil for none.
    public var checkpoints: Checkpoints?

    /// A pretrainer without checkpoints.
    public init(settings: PretrainingSettings, workers: Workers) {
        self.settings = settings
        self.workers = workers
    }

    /// Refuses settings that training can't have, and runs that can't fit into this machine at all. Counted are the
    /// parameters of a random base, and for all parameters their copy, gradient, AdamW's two moments, their average and
    /// what products read of them in both directions; and, roughly, the activations and logits of the tokens that are
    /// computed at a time. A run that passes may still lack memory.
    ///
    /// - Throws: ``TrainingError/impossibleSetting(_:remedy:)``, ``OutOfMemory``, and what reading the base's config.json
    ///   throws.
    public func requirePossible(for base: Classifier.Base) throws {
        try settings.check()
        let config = try base.config()
        let isMapped = if case .directory = base { true } else { false }
        let counts = settings.embeddings == .cooccurrence ? CooccurrenceEmbedding.bytes(config) : 0
        guard counts == 0 || !isMapped else {
            throw TrainingError.impossibleSetting(
                "the embeddings of a model directory have been trained with its other weights",
                remedy: "leave them as they are, or begin with random weights")
        }
        let copies = (isMapped ? 4.0 : 5.0) + (settings.averageDecay == nil ? 0 : 1)
        let packed = 2 * Double(OperandType(settings.precision).bytes)
        let activations = 1024 * (24 * Double(config.width) * Double(config.blocks + 1) + Double(config.vocabularySize))
        let need = (4 * copies + packed) * config.parameterCount + max(4 * activations, counts)
        if need > Double(MemoryBudget().limit) { throw OutOfMemory(bytes: Int(min(need, 1e18))) }
    }

    /// A language model trained on the training corpus of `data`, starting from its base.
    ///
    /// - Parameters:
    ///   - data: the base, which isn't changed, and the corpora.
    ///   - report: gets every event, in order, on the calling thread.
    /// - Throws: ``TrainingError/lossNotFinite(step:)``; ``OutOfMemory``; with ``checkpoints`` ``TrainingStopped``, and
    ///   ``TrainingError/otherRun(differences:file:)`` where they are of another run.
    public func train(
        _ data: PretrainingData, report: (PretrainingEvent) throws -> Void
    ) throws -> TrainedLanguageModel {
        try settings.check()
        let origin = try checkpoints?.newest { try report(.warning($0)) }
        var clock = PhaseClock(origin?.description.seconds ?? [:])
        let begin = ContinuousClock.now - .seconds(clock.total)
        let run = try PretrainingRun(data, settings, workers)
        let summary = summary(data, run)
        try report(origin.map { .resume(summary, step: $0.description.step) } ?? .start(summary))
        let shouldStop = checkpoints?.shouldStop ?? { false }
        if let origin {
            try run.restore(origin)
        } else if settings.embeddings == .cooccurrence {
            try run.writeEmbeddings { rows in
                if shouldStop() { throw TrainingStopped(step: 0) }
                try report(.counted(rows: rows, of: data.training.count))
            }
            clock.charge(.training)
            try report(.embedded(seconds: begin.secondsUntilNow))
        }
        var writer = checkpoints.map { CheckpointWriter($0, from: origin) }

        let state = run.state
        // A run that was stopped between a step and its evaluation resumes with that evaluation.
        var isEvaluationPending = origin?.description.isEvaluationPending ?? false
        var reason = isEvaluationPending ? nil : run.endReason(minutes: begin.secondsUntilNow / 60)
        func save(isLast: Bool, isStopping: Bool = false) throws {
            if state.step == 0 { throw TrainingStopped(step: 0) }
            try writer?.afterStep(
                state, seconds: clock.totals, isLast: isLast, isEvaluationPending: isEvaluationPending,
                isStopping: isStopping
            ) { try report(.checkpoint(step: $0, isLast: $1)) }
        }
        while reason == nil {
            do {
                if !isEvaluationPending {
                    let step = try run.makeStep(shouldStop: shouldStop)
                    clock.charge(.training)
                    try report(.step(step))
                }
                reason = run.endReason(minutes: begin.secondsUntilNow / 60)
                isEvaluationPending = reason == nil && state.step % settings.validateEvery == 0
                if isEvaluationPending {
                    let loss = try run.evaluate(shouldStop: shouldStop)
                    isEvaluationPending = false
                    try report(.evaluation(step: state.step - 1, loss, seconds: begin.secondsUntilNow))
                    clock.charge(.evaluation)
                }
            } catch let stop as StopRequested {
                try save(isLast: false, isStopping: true)
                throw stop
            }
            try save(isLast: reason != nil)
        }
        let (last, average) = try run.finish()
        clock.charge(.evaluation)
        let end = PretrainingEvent.EndSummary(
            steps: state.step, reason: reason ?? .epochs, tokens: state.tokens, last: last, average: average,
            seconds: begin.secondsUntilNow, secondsByPhase: clock.phases)
        try report(.end(end))
        var trained = TrainedLanguageModel(
            PretrainedModel(data.base, parameters: state.model.parameters), settings, data, end)
        // A run that time has ended can go on.
        if end.reason != .maxMinutes { trained.runSHA256 = checkpoints?.identity.sha256 }
        return trained
    }

    private func summary(_ data: PretrainingData, _ run: PretrainingRun) -> PretrainingEvent.StartSummary {
        PretrainingEvent.StartSummary(
            parameters: run.state.trained.reduce(0) { $0 + $1.parameter.count }, trainingRows: data.training.count,
            trainingTokens: data.training.tokens, validationRows: data.validation.count,
            validationTokens: data.validation.tokens, paddedLength: data.training.description.paddedLength,
            steps: run.steps, stepsPerEpoch: run.order.stepsPerEpoch, tokenizerSHA256: data.base.tokenizer.sha256)
    }
}
