// Fine-tuning: frozen blocks once per text, then epochs of steps over what they gave (chapter 6 of "Build a Large
// Language Model (From Scratch)", with any trainable set and pooling).

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Tokenized texts with their labels, and where they came from, for messages.
public struct LabelledTexts: Sendable {
    public let source: String
    public let texts: TokenizedTexts

    public init(source: String, texts: TokenizedTexts) {
        self.source = source
        self.texts = texts
    }

    public var count: Int { texts.rows.count }
}

/// Trains a classifier on tokenized, labelled texts.
public struct FineTuner: Sendable {
    public let settings: TrainingSettings
    public let workers: Workers
    /// The directory in which the output of the frozen blocks is kept from run to run; nil for none.
    public var featureDirectory: String?
    /// Bytes of memory that the output of the frozen blocks may take; more goes to a temporary file. nil for half of
    /// what is left when training is about to begin.
    package var featureMemory: Int?

    public init(settings: TrainingSettings, workers: Workers) {
        self.settings = settings
        self.workers = workers
    }

    /// A classifier trained on `training`, starting from `base`.
    ///
    /// - Parameters:
    ///   - report: gets every event, in order, on the calling thread.
    ///   - progress: gets the state of long phases, from any thread.
    /// - Throws: ``ModelError/lossNotFinite(step:)``; ``ModelError/unusableData(_:remedy:file:)`` for rows without
    ///   label or an empty set; ``OutOfMemory``.
    public func train(
        _ base: Classifier, training: LabelledTexts, validation: LabelledTexts, test: LabelledTexts?,
        report: (TrainingEvent) throws -> Void, progress: @escaping @Sendable (TrainingProgress) -> Void = { _ in }
    ) throws -> Classifier {
        let begin = seconds()
        var clock = PhaseClock()
        let inputs = [training, validation] + (test.map { [$0] } ?? [])
        for set in inputs { try check(set, base) }
        let base = settings.causalMask ? base : base.withoutCausalMask
        let config = base.config
        try settings.check(config)
        let model = try TrainableModel(
            base.parameters, settings.trainable, config: config, seed: settings.seed, workers: workers)
        let objective = try CrossEntropyLoss(
            weights: settings.classWeights.resolved(
                labels: base.labels, rows: training.texts.rows.labels.map(Int.init), source: training.source),
            smoothing: settings.labelSmoothing)
        let run = try Run(model, objective, config, settings, workers)

        let texts = DistinctTexts(inputs.map(\.texts), settings.pooling, isCausal: config.isCausal)
        let sets = Features.of(inputs.map(\.texts), texts)
        var sampler = BatchSampler(
            rows: training.count, batch: settings.rowsOfStep, shuffle: settings.shuffle, seed: settings.seed)
        let epochSteps = saturatingProduct(sampler.stepsPerEpoch, settings.epochs)
        let steps = min(epochSteps, settings.maxSteps ?? .max)
        let tokens = texts.packing.tokens
        try report(
            .start(
                .init(
                    classes: base.labels.count, parameters: base.parameters.named.reduce(0) { $0 + $1.tensor.count },
                    trainableParameters: model.trained.reduce(0) { $0 + $1.parameter.count },
                    trainingRows: training.count,
                    validationRows: validation.count, testRows: test?.count,
                    paddedLength: training.texts.description.length,
                    texts: sets.reduce(0) { $0 + $1.count }, distinctTexts: texts.count, tokens: tokens, steps: steps,
                    tokenizerSHA256: base.tokenizerSHA256)))

        if let summary = try prepare(sets, texts, run.extractor, report: report, progress: progress) {
            try report(.frozen(summary))
        }
        clock.charge(.frozen)

        // The rows that evaluations look at: drawn once, so that they can be compared with each other. Validation rows
        // are all where a decision depends on them.
        let limit =
            settings.evaluationBatches == 0 ? Int.max : saturatingProduct(settings.evaluationBatches, settings.batch)
        var draw = BatchSampler(
            rows: training.count, batch: training.count, shuffle: settings.shuffle, seed: ~settings.seed)
        let trainingSample = Array(draw.epoch().joined().prefix(limit))
        let validationSample = Array((0..<validation.count).prefix(settings.dependsOnEvaluations ? .max : limit))

        var step = 0
        var best = BestEvaluation()
        var reason = EndReason.epochs
        for epoch in 1...max(1, settings.epochs) where settings.epochs > 0 {
            for rows in sampler.epoch() {
                let rate = settings.learningRate * settings.schedule.factor(step: step, of: steps)
                let (loss, norm) = try run.step(rows, of: sets[0], number: step, learningRate: rate)
                guard loss.isFinite else { throw ModelError.lossNotFinite(step: step) }
                clock.charge(.training)
                try report(.step(step: step, epoch: epoch, loss: loss, learningRate: rate, gradientNorm: norm))
                if step % settings.evaluateEvery == 0 {
                    let losses = try [
                        run.evaluate(trainingSample, of: sets[0]).loss,
                        run.evaluate(validationSample, of: sets[1]).loss,
                    ]
                    guard losses.allSatisfy(\.isFinite) else { throw ModelError.lossNotFinite(step: step) }
                    let isBest = settings.dependsOnEvaluations ? best.note(losses[1], step: step) : nil
                    if isBest == true { run.best?.save() }
                    try report(
                        .evaluation(step: step, trainingLoss: losses[0], validationLoss: losses[1], isBest: isBest))
                    clock.charge(.evaluation)
                }
                step += 1
                progress(.training(done: step, total: steps, loss: loss))
                if step < epochSteps,
                    let limit = settings.limit(steps: step, minutes: (seconds() - begin) / 60, best)
                {
                    reason = limit
                    break
                }
            }
            try report(
                .epoch(
                    epoch: epoch, step: step, trainingAccuracy: run.evaluate(trainingSample, of: sets[0]).accuracy,
                    validationAccuracy: run.evaluate(validationSample, of: sets[1]).accuracy,
                    seconds: seconds() - begin))
            clock.charge(.evaluation)
            if reason != .epochs { break }
        }
        let keptStep = try keep(run, best, lastStep: step - 1, validation: sets[1])
        let results = try sets.map { try run.evaluate(Array(0..<$0.count), of: $0) }
        clock.charge(.evaluation)
        guard results.allSatisfy(\.loss.isFinite) else { throw ModelError.lossNotFinite(step: step) }
        let end = TrainingEvent.EndSummary(
            steps: step, reason: reason, keptStep: keptStep, trainingLoss: results[0].loss,
            validationLoss: results[1].loss,
            trainingAccuracy: results[0].accuracy, validationAccuracy: results[1].accuracy,
            testAccuracy: test == nil ? nil : results[2].accuracy, seconds: seconds() - begin,
            secondsByPhase: clock.phases)
        try report(.end(end))
        return base.trained(
            model.parameters, settings: settings, paddedLength: training.texts.description.length, results: end)
    }

    /// Restores the best weights where they are wanted and aren't the last; the step that they are of.
    private func keep(
        _ run: Run, _ best: BestEvaluation, lastStep: Int, validation: Features
    ) throws -> Int {
        guard let snapshot = run.best, let step = best.step, let least = best.loss, step < lastStep else {
            return lastStep
        }
        let last = try run.evaluate(Array(0..<validation.count), of: validation).loss
        if last < least { return lastStep }
        snapshot.restore()
        run.model.refresh()
        return step
    }

    private func check(_ set: LabelledTexts, _ base: Classifier) throws(ModelError) {
        guard set.count > 0 else {
            throw .unusableData("no records", remedy: "check what writes the shard", file: set.source)
        }
        if let row = set.texts.rows.labels.firstIndex(where: { $0 < 0 }) {
            throw .unusableData(
                "the record of line \(set.texts.rows.lines[row]) has no label", remedy: "label all records",
                file: set.source)
        }
        try base.check(set)
        guard base.labels.count > 1 else {
            throw .unusableData(
                "all records have the same label", remedy: "train on records of two classes or more", file: set.source)
        }
    }
}

/// A count that is too large to be reached anyway stops at the largest.
private func saturatingProduct(_ a: Int, _ b: Int) -> Int {
    let (product, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? .max : product
}

/// The state of one run.
private final class Run {
    let extractor: FeatureExtractor
    let model: TrainableModel
    /// The best weights so far, where they are to be kept.
    let best: Snapshot?
    private let trainable: TrainableSet
    private let config: GPT2Config
    private let settings: TrainingSettings
    private let objective: CrossEntropyLoss
    private let gradients: GradientVector
    private let layers: ClassifierLayers
    private let inference: Inference
    private let embeddings: EmbeddingGradient?
    private let optimizer: AdamW
    private var states: FloatBuffer

    init(
        _ model: TrainableModel, _ objective: CrossEntropyLoss, _ config: GPT2Config, _ settings: TrainingSettings,
        _ workers: Workers
    ) throws {
        self.model = model
        self.config = config
        self.settings = settings
        self.objective = objective
        trainable = settings.trainable
        let parameters = model.parameters
        gradients = GradientVector(model.trained.map(\.gradient), workers: workers)
        best = settings.keep == .best ? try Snapshot(of: model.trained.map(\.parameter)) : nil
        optimizer = try AdamW(
            model.trained.map { ($0.parameter, $0.gradient) },
            settings: .init(learningRate: settings.learningRate, weightDecay: settings.weightDecay),
            workers: workers)
        extractor = try FeatureExtractor(
            parameters, config: config, pooling: settings.pooling, trainable: trainable,
            precision: settings.precision, workers: workers)
        let firstBlock = trainable.firstBlock(of: config.blocks)
        layers = ClassifierLayers(
            parameters, gradients: model.gradients, adapters: model.adapters, trainable: trainable,
            objective: objective, config: config, pooling: settings.pooling, firstBlock: firstBlock, workers: workers)
        inference = Inference(
            parameters, config: config, pooling: settings.pooling, firstBlock: firstBlock, workers: workers)
        embeddings = trainable == .all ? try EmbeddingGradient(model.gradients, config: config, workers: workers) : nil
        states = try FloatBuffer(count: 0)
    }

    /// One update on the rows of step `number`; their loss before, and, where it is clipped, the gradients' norm.
    func step(
        _ rows: [Int], of features: Features, number: Int, learningRate: Double
    ) throws -> (loss: Double, gradientNorm: Double?) {
        let denominator = objective.denominator(rows.map { features.labels[$0] })
        let size = min(settings.batch, rows.count)
        var loss = 0.0
        for first in stride(from: 0, to: rows.count, by: size) {
            loss += try accumulate(
                Array(rows[first..<min(first + size, rows.count)]), of: features, number: number,
                denominator: denominator)
        }
        let norm = settings.clipNorm.map(gradients.clip)
        optimizer.settings.learningRate = learningRate
        optimizer.update()
        model.refresh()
        return (loss / denominator, norm)
    }

    /// Adds the gradients of a part of a step's rows; the sum of their losses.
    private func accumulate(
        _ rows: [Int], of features: Features, number: Int, denominator: Double
    ) throws -> Double {
        let labels = rows.map { features.labels[$0] }
        let packing = try load(rows, of: features)
        if trainable == .head {
            try layers.forward(pooledStates: states.pointer, rows: rows.count)
        } else {
            let dropout =
                settings.dropout > 0
                ? Dropout(probability: settings.dropout, seed: settings.seed, step: number, rows: rows) : nil
            try layers.forward(Region(states.pointer), packing, dropout: dropout)
        }
        try embeddings?.reserve(packing)
        layers.backward(labels: labels, denominator: denominator, dInput: embeddings?.dInput, packing)
        embeddings?.accumulate(tokens: features.batch(rows).tokens, packing)
        return layers.loss(labels: labels)
    }

    /// Mean loss and accuracy over `rows`.
    func evaluate(_ rows: [Int], of features: Features) throws -> (loss: Double, accuracy: Double) {
        let K = model.parameters.classes
        var loss = 0.0
        var correct = 0
        // As many rows at a time as make some chunks of work for every core.
        let packing = Packing(lengths: rows.map(features.packing.length))
        for part in packing.chunks(tokens: 16 * FrozenBlocks.chunkTokens, rows: 4096) {
            let chunk = Array(rows[part])
            let packing = try load(chunk, of: features)
            let logits = try FloatBuffer(count: chunk.count * K)
            if trainable == .head {
                try inference.logits(Region(logits.pointer), pooled: Region(states.pointer), rows: chunk.count)
            } else {
                try inference.logits(Region(logits.pointer), hidden: Region(states.pointer), packing)
            }
            let result = crossEntropy(logits.pointer, labels: chunk.map { features.labels[$0] }, classes: K)
            loss += result.sum
            correct += result.correct
        }
        return (loss / Double(rows.count), Double(correct) / Double(rows.count))
    }

    /// Brings the states of `rows` into ``states``.
    private func load(_ rows: [Int], of features: Features) throws -> Packing {
        let packing = Packing(lengths: rows.map(features.packing.length))
        let count = max(packing.tokens, rows.count) * config.width
        if states.count < count { states = try FloatBuffer(count: count + count / 4) }
        try extractor.gather(Region(states.pointer), rows, of: features)
        return packing
    }
}

/// Seconds of a clock that only goes forward.
func seconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Adds up what each phase takes.
private struct PhaseClock {
    private var last = seconds()
    private var totals: [TrainingEvent.Phase: Double] = [:]

    /// Charges the time since the last call to `phase`.
    mutating func charge(_ phase: TrainingEvent.Phase) {
        let now = seconds()
        totals[phase, default: 0] += now - last
        last = now
    }

    var phases: [(phase: TrainingEvent.Phase, seconds: Double)] {
        TrainingEvent.Phase.allCases.map { ($0, totals[$0] ?? 0) }
    }
}
