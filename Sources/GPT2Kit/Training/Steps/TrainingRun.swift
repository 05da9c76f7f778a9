// A step of training, and an evaluation.

import Evaluation

/// Computes with a ``TrainingState``: makes steps, and evaluates the model.
final class TrainingRun {
    let state: TrainingState
    let settings: TrainingSettings
    /// The steps of all epochs, and the most that are made.
    let epochSteps: Int
    let steps: Int
    private let data: TrainingData
    private let objective: CrossEntropyLoss
    private let extractor: FeatureExtractor
    private let gradients: GradientVector
    private let layers: ClassifierTail
    private let inference: InferenceTail
    private let embeddings: EmbeddingGradient?
    private let wordDropout: WordDropout?
    private var states: FloatBuffer

    /// - Parameter state: the state to continue from; nil for the beginning.
    init(
        _ data: TrainingData, _ settings: TrainingSettings, _ workers: Workers, from state: TrainingState? = nil
    ) throws {
        self.data = data
        self.settings = settings
        objective = data.objective(settings)
        let state = try state ?? TrainingState(data, settings, workers)
        self.state = state
        state.use(workers)
        epochSteps = state.batches.stepsPerEpoch.multipliedSaturating(by: settings.epochs)
        steps = settings.steps(ofEpoch: state.batches.stepsPerEpoch)
        let config = data.base.config
        let model = state.model
        gradients = GradientVector(model.trained.map(\.gradient), workers: workers)
        extractor = try FeatureExtractor(
            model.parameters, config: config, pooling: data.base.pooling, trainable: settings.trainable,
            precision: settings.precision, workers: workers)
        let firstBlock = settings.trainable.firstBlock(of: config.blocks)
        layers = try ClassifierTail(
            model.parameters, gradients: model.gradients, adapters: model.adapters, trainable: settings.trainable,
            objective: objective, config: config, pooling: data.base.pooling, firstBlock: firstBlock,
            precision: settings.trainingPrecision, workers: workers)
        inference = try InferenceTail(
            model.parameters, config: config, pooling: data.base.pooling, firstBlock: firstBlock,
            precision: settings.trainingPrecision, sharing: layers, workers: workers)
        embeddings =
            settings.trainable == .all
            ? try EmbeddingGradient(model.gradients, rows: model.embedded?.rows, config: config, workers: workers)
            : nil
        wordDropout =
            settings.wordDropout > 0
            ? WordDropout(probability: settings.wordDropout, seed: settings.seed, for: data.base) : nil
        states = try FloatBuffer(count: 0)
    }

    /// The epoch of the last step, from 1, and whether that step was its last.
    var epoch: Int { (state.step - 1) / state.batches.stepsPerEpoch + 1 }
    var isAtEndOfEpoch: Bool { state.step % state.batches.stepsPerEpoch == 0 }

    /// The outcome of a step.
    struct Outcome {
        /// The mean loss of its rows, before the update.
        let loss: Double
        let learningRate: Double
        /// The norm of the gradients before clipping, where they are clipped.
        let gradientNorm: Double?
    }

    /// One update on the next batch.
    ///
    /// - Throws: ``TrainingError/lossNotFinite(step:)``, ``TrainingError/gradientNotFinite(step:)``.
    func makeStep() throws -> Outcome {
        let step = state.step
        let rows = state.batches.next()
        let denominator = objective.denominator(rows.map { data.training.labels[$0] })
        let size = min(settings.batch, rows.count)
        var loss = 0.0
        for first in stride(from: 0, to: rows.count, by: size) {
            loss += try addGradients(Array(rows[first..<min(first + size, rows.count)]), denominator: denominator)
        }
        guard loss.isFinite else { throw TrainingError.lossNotFinite(step: step) }
        let norm = settings.clipNorm.map(gradients.clip)
        guard norm?.isFinite ?? true else { throw TrainingError.gradientNotFinite(step: step) }
        let learningRate = settings.learningRate * settings.schedule.factor(step: step, of: steps)
        state.update(learningRate: learningRate)
        refresh()
        return Outcome(loss: loss / denominator, learningRate: learningRate, gradientNorm: norm)
    }

    /// Reads the parameters as they are now. To be called after every change of them.
    func refresh() {
        state.model.refresh()
        layers.refresh()
    }

    /// Adds the gradients of a batch of a step.
    ///
    /// - Returns: the sum of the rows' losses.
    private func addGradients(_ rows: [Int], denominator: Double) throws -> Double {
        let features = data.training
        let labels = rows.map { features.labels[$0] }
        let whole = extractor.keepsNothing ? features.batch(rows) : nil
        let batch = whole.map { wordDropout?.batch($0, rows: rows, step: state.step) ?? $0 }
        let layout = try load(rows, of: features, batch)
        if settings.trainable == .head {
            try layers.forward(pooledStates: states.pointer, rows: rows.count)
        } else {
            let dropout =
                settings.dropout > 0
                ? Dropout(probability: settings.dropout, seed: settings.seed, step: state.step, rows: rows) : nil
            try layers.forward(FloatView(states.pointer), layout, dropout: dropout)
        }
        try embeddings?.reserve(layout)
        layers.backward(labels: labels, denominator: denominator, dInput: embeddings?.dInput, layout)
        if let batch { embeddings?.addGradients(tokens: batch.tokens, layout) }
        return layers.loss(labels: labels)
    }

    /// Mean loss and accuracy over all rows.
    func evaluate(_ features: FeatureSet) throws -> (loss: Double, accuracy: Double) {
        try evaluate(Array(0..<features.count), of: features)
    }

    /// The summary of the run, after an evaluation of whole sets.
    ///
    /// - Parameters:
    ///   - kept: the weights that the model has now.
    ///   - clock: charged with the evaluation.
    /// - Throws: ``TrainingError/lossNotFinite(step:)``.
    func endSummary(
        reason: EndReason, kept: TrainingEvent.Kept, trial: Int? = nil, _ clock: inout PhaseClock, seconds: () -> Double
    ) throws -> TrainingEvent.EndSummary {
        let (results, tested) = try evaluateSets()
        clock.charge(.evaluation)
        guard results.allSatisfy(\.loss.isFinite) else { throw TrainingError.lossNotFinite(step: state.step - 1) }
        return TrainingEvent.EndSummary(
            steps: state.step, reason: reason, kept: kept, trial: trial, trainingLoss: results[0].loss,
            validationLoss: results[1].loss, trainingAccuracy: results[0].accuracy,
            validationAccuracy: results[1].accuracy, testAccuracy: data.test == nil ? nil : results[2].accuracy,
            testClasses: tested, seconds: seconds(), secondsByPhase: clock.phases)
    }

    /// Mean loss and accuracy over all rows of every set, and the expected and predicted labels of the test rows.
    private func evaluateSets() throws -> (results: [(loss: Double, accuracy: Double)], test: ConfusionMatrix?) {
        let labels = data.base.labels.map { Array($0.utf8) }
        var matrix = ConfusionMatrix()
        let results = try data.sets.enumerated().map { index, set in
            try evaluate(
                Array(0..<set.count), of: set,
                told: { expected, predicted in
                    if index == 2 { matrix.add(expected: labels[expected], predicted: labels[predicted]) }
                })
        }
        return (results, data.test == nil ? nil : matrix)
    }

    /// Mean loss and accuracy over `rows`.
    ///
    /// - Parameters:
    ///   - shouldStop: asked now and then whether to leave the evaluation for later.
    ///   - told: gets the expected and the predicted label of every row.
    /// - Throws: ``StopRequested``.
    func evaluate(
        _ rows: [Int], of features: FeatureSet, shouldStop: () -> Bool = { false },
        told: ((_ expected: Int, _ predicted: Int) -> Void)? = nil
    ) throws -> (loss: Double, accuracy: Double) {
        let K = data.base.labels.count
        var loss = 0.0
        var correct = 0
        try eachChunk(rows, of: features) { chunk, logits in
            if shouldStop() { throw StopRequested() }
            let labels = chunk.map { features.labels[$0] }
            let result = CrossEntropyLoss.sumAndCorrect(logits, labels: labels, classes: K)
            for (row, label) in labels.enumerated() {
                told?(label, Softmax.indexOfLargest(UnsafeBufferPointer(start: logits + row * K, count: K)))
            }
            loss += result.sum
            correct += result.correct
        }
        return (loss / Double(rows.count), Double(correct) / Double(rows.count))
    }

    /// The probabilities of all rows, [rows, K].
    func probabilities(_ features: FeatureSet) throws -> [Double] {
        let K = data.base.labels.count
        var result: [Double] = []
        try eachChunk(Array(0..<features.count), of: features) { chunk, logits in
            for row in chunk.indices {
                result += Softmax.probabilities(UnsafeBufferPointer(start: logits + row * K, count: K))
            }
        }
        guard result.allSatisfy(\.isFinite) else { throw TrainingError.lossNotFinite(step: state.step - 1) }
        return result
    }

    /// Calls `body` with some rows at a time and their logits [rows,K], in the order of `rows`.
    private func eachChunk(
        _ rows: [Int], of features: FeatureSet,
        _ body: (_ rows: [Int], _ logits: UnsafeMutablePointer<Float>) throws -> Void
    ) throws {
        let K = data.base.labels.count
        // Enough rows at a time for some chunks of work on every core.
        let layout = TextLayout(lengths: rows.map(features.layout.length))
        for part in layout.chunks(tokens: 16 * InferenceBlocks.chunkTokens, rows: 4096) {
            let chunk = Array(rows[part])
            let layout = try load(chunk, of: features)
            let logits = try FloatBuffer(count: chunk.count * K)
            if settings.trainable == .head {
                try inference.logits(FloatView(logits.pointer), pooled: FloatView(states.pointer), rows: chunk.count)
            } else {
                try inference.logits(FloatView(logits.pointer), hidden: FloatView(states.pointer), layout)
            }
            try withExtendedLifetime(logits) { try body(chunk, logits.pointer) }
        }
    }

    /// Loads the features of `rows` into ``states``.
    ///
    /// - Parameter batch: the tokens that are computed, where they are known already.
    private func load(_ rows: [Int], of features: FeatureSet, _ batch: TokenBatch? = nil) throws -> TextLayout {
        let layout = batch?.layout ?? TextLayout(lengths: rows.map(features.layout.length))
        let count = max(layout.tokens, rows.count) * data.base.config.width
        if states.count < count { states = try FloatBuffer(count: count + count / 4) }
        if let batch {
            try extractor.embed(batch, to: FloatView(states.pointer))
        } else {
            try extractor.gather(FloatView(states.pointer), rows, of: features)
        }
        return layout
    }
}

extension TrainingRun {
    /// Why the run is over after the steps that it has made; nil where it isn't. At least one step is made.
    func endReason(minutes: Double, _ evaluations: BestEvaluation) -> EndReason? {
        if state.step >= epochSteps { return .epochs }
        return state.step == 0 ? nil : settings.limit(steps: state.step, minutes: minutes, evaluations)
    }
}
