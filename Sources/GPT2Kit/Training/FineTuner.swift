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
        let config = base.config
        let parameters = try base.parameters.copyingTrainable(settings.trainable, config: config)
        let run = try Run(parameters, config, settings, workers)

        let texts = DistinctTexts(inputs.map(\.texts), settings.pooling)
        let sets = Features.of(inputs.map(\.texts), texts)
        var sampler = BatchSampler(
            rows: training.count, batch: settings.batch, shuffle: settings.shuffle, seed: settings.seed)
        let steps = saturatingProduct(sampler.stepsPerEpoch, settings.epochs)
        let tokens = texts.packing.tokens
        try report(
            .start(
                .init(
                    classes: base.labels.count, parameters: parameters.named.reduce(0) { $0 + $1.tensor.count },
                    trainableParameters: run.trainableCount, trainingRows: training.count,
                    validationRows: validation.count, testRows: test?.count,
                    paddedLength: training.texts.description.length,
                    texts: sets.reduce(0) { $0 + $1.count }, distinctTexts: texts.count, tokens: tokens, steps: steps,
                    tokenizerSHA256: base.tokenizerSHA256)))

        if let summary = try prepare(sets, texts, run.extractor, report: report, progress: progress) {
            try report(.frozen(summary))
        }
        clock.charge(.frozen)

        // The rows that evaluations look at: drawn once, so that they can be compared with each other.
        let limit =
            settings.evaluationBatches == 0 ? Int.max : saturatingProduct(settings.evaluationBatches, settings.batch)
        var draw = BatchSampler(
            rows: training.count, batch: training.count, shuffle: settings.shuffle, seed: ~settings.seed)
        let trainingSample = Array(draw.epoch().joined().prefix(limit))
        let validationSample = Array((0..<validation.count).prefix(limit))

        var step = 0
        for epoch in 1...max(1, settings.epochs) where settings.epochs > 0 {
            for rows in sampler.epoch() {
                let loss = try run.step(rows, of: sets[0])
                guard loss.isFinite else { throw ModelError.lossNotFinite(step: step) }
                clock.charge(.training)
                try report(.step(step: step, epoch: epoch, loss: loss, learningRate: settings.learningRate))
                if step % settings.evaluateEvery == 0 {
                    let losses = try [
                        run.evaluate(trainingSample, of: sets[0]).loss,
                        run.evaluate(validationSample, of: sets[1]).loss,
                    ]
                    guard losses.allSatisfy(\.isFinite) else { throw ModelError.lossNotFinite(step: step) }
                    try report(.evaluation(step: step, trainingLoss: losses[0], validationLoss: losses[1]))
                    clock.charge(.evaluation)
                }
                step += 1
                progress(.training(done: step, total: steps, loss: loss))
            }
            try report(
                .epoch(
                    epoch: epoch, step: step, trainingAccuracy: run.evaluate(trainingSample, of: sets[0]).accuracy,
                    validationAccuracy: run.evaluate(validationSample, of: sets[1]).accuracy,
                    seconds: seconds() - begin))
            clock.charge(.evaluation)
        }
        let results = try sets.map { try run.evaluate(Array(0..<$0.count), of: $0) }
        clock.charge(.evaluation)
        guard results.allSatisfy(\.loss.isFinite) else { throw ModelError.lossNotFinite(step: step) }
        let end = TrainingEvent.EndSummary(
            steps: step, trainingLoss: results[0].loss, validationLoss: results[1].loss,
            trainingAccuracy: results[0].accuracy, validationAccuracy: results[1].accuracy,
            testAccuracy: test == nil ? nil : results[2].accuracy, seconds: seconds() - begin,
            secondsByPhase: clock.phases)
        try report(.end(end))
        return base.trained(
            parameters, settings: settings, paddedLength: training.texts.description.length, results: end)
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
    let trainableCount: Int
    private let trainable: TrainableSet
    private let config: GPT2Config
    private let workers: Workers
    private let parameters: GPT2Parameters
    private let layers: ClassifierLayers
    private let inference: Inference
    private let embeddings: EmbeddingGradient?
    private let optimizer: AdamW
    private var states: FloatBuffer

    init(_ parameters: GPT2Parameters, _ config: GPT2Config, _ settings: TrainingSettings, _ workers: Workers) throws {
        self.parameters = parameters
        self.config = config
        self.workers = workers
        trainable = settings.trainable
        let gradients = try GPT2Parameters.gradients(config, classes: parameters.classes, of: trainable)
        let pairs = zip(parameters.named, gradients.named)
            .filter { GPT2Parameters.isTrainable($0.0.name, settings.trainable, blocks: config.blocks) }
            .map { (parameter: $0.0.tensor, gradient: $0.1.tensor) }
        trainableCount = pairs.reduce(0) { $0 + $1.parameter.count }
        optimizer = try AdamW(
            pairs, settings: .init(learningRate: settings.learningRate, weightDecay: settings.weightDecay),
            workers: workers)
        extractor = try FeatureExtractor(
            parameters, config: config, pooling: settings.pooling, trainable: trainable,
            precision: settings.precision, workers: workers)
        let firstBlock = trainable.firstBlock(of: config.blocks)
        layers = ClassifierLayers(
            parameters, gradients: gradients, trainable: trainable, config: config, pooling: settings.pooling,
            firstBlock: firstBlock, workers: workers)
        inference = Inference(
            parameters, config: config, pooling: settings.pooling, firstBlock: firstBlock, workers: workers)
        embeddings = trainable == .all ? try EmbeddingGradient(gradients, config: config, workers: workers) : nil
        states = try FloatBuffer(count: 0)
    }

    /// One update on a batch; its mean loss before.
    func step(_ rows: [Int], of features: Features) throws -> Double {
        let labels = rows.map { features.labels[$0] }
        let packing = try load(rows, of: features)
        if trainable == .head {
            try layers.forward(pooledStates: states.pointer, rows: rows.count)
        } else {
            try layers.forward(Region(states.pointer), packing)
        }
        let loss = layers.loss(labels: labels).loss
        try embeddings?.reserve(packing)
        layers.backward(labels: labels, dInput: embeddings?.dInput, packing)
        if let embeddings {
            embeddings.accumulate(tokens: features.batch(rows).tokens, packing)
        }
        optimizer.update()
        return loss
    }

    /// Mean loss and accuracy over `rows`.
    func evaluate(_ rows: [Int], of features: Features) throws -> (loss: Double, accuracy: Double) {
        let K = parameters.classes
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
