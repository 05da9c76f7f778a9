// Whole runs of the fine-tuner against PyTorch's and transformers' (Tests/Fixtures/make_training_options.py): losses,
// learning rates, gradient norms and parameters, elementwise. Tolerances: 1e-4 for losses, 1e-4·norm for norms, 1e-6 for
// factors of the learning rate, 2e-5·max(1,|x|) for parameters after AdamW's steps; 2e-4 for the biases of c_attn, of which
// a third has no gradient but rounding noise, of which AdamW makes steps (see ParityTests).

import GPT2Kit
import Safetensors
import TestSupport
import Testing
import Tokenization

struct TrainingParityTests {
    private let place: Folder
    private let reference: Reference
    private let expected: SafetensorsFile
    private let base: Classifier
    private let texts: LabelledTexts
    /// The texts with a space for every third token, so that they have words.
    private let words: LabelledTexts

    init() throws {
        place = try Folder()
        try writeByteTokenizer(place.path)
        reference = try Reference("tiny-3class")
        expected = try Reference.training()
        let tokenizer = try Tokenizer(directory: place.path)
        base = Classifier(
            config: reference.config, parameters: reference.parameters, labels: ["a", "b", "c"], pooling: .lastToken,
            paddedLength: reference.T, padToken: tokenizer.endOfText, tokenizer: tokenizer,
            tokenizerDirectory: place.path, origin: "tiny-3class")
        var rows = TokenRows()
        var spaced = TokenRows()
        for row in 0..<reference.B {
            let start = row * reference.T
            var tokens = Array(reference.ids[start..<start + reference.lengths[row]])
            let (label, line) = (Int32(reference.labels[row]), Int64(row + 1))
            rows.append(tokens, label: label, line: line)
            for index in stride(from: 2, to: tokens.count, by: 3) { tokens[index] = 220 }
            spaced.append(tokens, label: label, line: line)
        }
        let description = TokenSetDescription(
            paddedLength: reference.T, padToken: base.padToken, labelNames: base.labels,
            tokenizerSHA256: base.tokenizerSHA256)
        texts = LabelledTexts(
            source: "texts", texts: TokenizedTexts(description: description, rows: rows, truncated: 0))
        words = LabelledTexts(
            source: "words", texts: TokenizedTexts(description: description, rows: spaced, truncated: 0))
    }

    private func floats(_ name: String) throws -> [Float] {
        try expected.floats(name, shape: try expected.description(of: name).shape)
    }

    /// A run of the reference, with the settings that it had there.
    struct Scenario: CustomTestStringConvertible {
        let name: String
        let settings: TrainingSettings
        var testDescription: String { name }

        init(
            _ name: String, _ trainable: TrainableSet, _ pooling: Pooling, steps: Int,
            change: (inout TrainingSettings) -> Void
        ) {
            self.name = name
            var settings = TrainingSettings()
            settings.trainable = trainable
            settings.pooling = pooling
            settings.batch = 2
            settings.learningRate = 1e-3
            settings.epochs = steps
            settings.maxSteps = steps
            settings.shuffle = .none
            change(&settings)
            self.settings = settings
        }

        static let all = [
            Scenario("clipped", .lastBlocks(1), .lastToken, steps: 6) {
                $0.schedule.shape = .cosine
                $0.schedule.warmup = .steps(2)
                $0.clipNorm = 0.5
            },
            Scenario("smoothed", .lastBlocks(1), .first, steps: 4) {
                $0.batch = 5
                $0.schedule.shape = .linear
                $0.schedule.warmup = .share(0.25)
                $0.labelSmoothing = 0.1
            },
            Scenario("weighted", .head, .lastToken, steps: 6) {
                $0.classWeights = .named([("c", 2.5), ("b", 6)])
            },
            Scenario("balanced", .lastBlocks(1), .lastPosition, steps: 6) {
                $0.classWeights = .balanced
                $0.labelSmoothing = 0.2
            },
            Scenario("accumulated", .lastBlocks(2), .lastToken, steps: 2) {
                $0.accumulate = 3
                $0.classWeights = .named([("a", 0.5), ("b", 2)])
            },
            Scenario("dropped", .all, .lastToken, steps: 6) { $0.dropout = 0.25 },
            Scenario("dropped-mean", .lastBlocks(1), .mean, steps: 6) { $0.dropout = 0.1 },
            Scenario("own-tokens", .lastBlocks(2), .meanText, steps: 6) { $0.dropout = 0.1 },
            Scenario("word-dropped", .all, .lastToken, steps: 6) { $0.wordDropout = 0.4 },
            Scenario("word-dropped-mean", .all, .mean, steps: 6) {
                $0.dropout = 0.1
                $0.wordDropout = 0.25
            },
            Scenario("word-dropped-position", .lastBlocks(2), .lastPosition, steps: 6) { $0.wordDropout = 0.4 },
            Scenario("layer-decay", .all, .lastToken, steps: 6) { $0.layerDecay = LayerDecay(0.6) },
            Scenario("nocausal-first", .all, .first, steps: 6) { $0.causalMask = false },
            Scenario("nocausal-mean", .lastBlocks(1), .mean, steps: 6) { $0.causalMask = false },
            Scenario("nocausal-head", .head, .first, steps: 6) { $0.causalMask = false },
            Scenario("nocausal-dropped", .lastBlocks(2), .first, steps: 6) {
                $0.causalMask = false
                $0.dropout = 0.25
            },
        ]
    }

    @Test("losses, learning rates, norms and parameters of a run match", arguments: Scenario.all, [1, 2])
    func trainingRuns(_ scenario: Scenario, _ threads: Int) throws {
        let key = "run.\(scenario.name)."
        // A norm that nothing exceeds shows the gradient's without changing it.
        var settings = scenario.settings
        settings.clipNorm = settings.clipNorm ?? 1e30
        let texts = settings.wordDropout > 0 ? words : texts
        var (losses, rates, norms): ([Float], [Float], [Float]) = ([], [], [])
        let trained = try FineTuner(settings: settings, workers: Workers(count: threads)).train(
            base, on: Datasets(training: texts, validation: texts)
        ) { event in
            guard case .step(_, _, let loss, let rate, let norm) = event else { return }
            losses.append(Float(loss))
            rates.append(Float(rate))
            norms.append(Float(try #require(norm)))
        }
        expectClose(losses, try floats(key + "loss"), tolerance: { _ in 1e-4 }, key + "loss")
        expectClose(rates, try floats(key + "rate"), tolerance: { _ in 1e-9 }, key + "rate")
        expectClose(norms, try floats(key + "norm"), tolerance: { _ in 1e-4 }, key + "norm")
        var compared = 3
        for (name, tensor) in trained.classifier.parameters.named where expected.contains(key + name) {
            let tolerance: Float = name.hasSuffix("attn.c_attn.bias") ? 2e-4 : 2e-5
            expectClose(tensor.array, try floats(key + name), tolerance: { _ in tolerance }, key + name)
            compared += 1
        }
        #expect(compared == expected.names.count { $0.hasPrefix(key) })
    }

    @Test("factors of the learning rate match", arguments: [LearningRateSchedule.Shape.constant, .linear, .cosine])
    func schedules(_ shape: LearningRateSchedule.Shape) throws {
        let names = expected.names.filter { $0.hasPrefix("schedule.\(shape.rawValue)-") }
        #expect(names.count == 4)
        for name in names {
            let parts = name.split(separator: "-").dropFirst().compactMap { Int($0) }
            let (warmup, steps) = (parts[0], parts[1])
            // A share that gives the same number of steps, rounded up.
            let share = max(0, Double(warmup) - 0.5) / Double(steps)
            for warmup in [LearningRateSchedule.Warmup.steps(warmup), .share(share)] {
                var schedule = LearningRateSchedule()
                schedule.shape = shape
                schedule.warmup = warmup
                let factors = (0..<steps).map { Float(schedule.factor(step: $0, of: steps)) }
                expectClose(factors, try floats(name), tolerance: { _ in 1e-6 }, name)
            }
        }
    }

    @Test("hidden states and logits without causal mask match", arguments: Pooling.allCases, [1, 3])
    func noCausalMask(_ pooling: Pooling, _ threads: Int) throws {
        var config = reference.config
        config.isCausal = false
        let workers = Workers(count: threads)
        let (tokens, padded, _) = reference.batch(Array(0..<3), .lastPosition)
        for count in 0...config.blocks {
            let frozen = try InferenceBlocks(reference.parameters, config: config, count: count, workers: workers)
            let hidden = try Tensor(shape: [padded.tokens, config.width])
            try frozen.run(hidden.region, tokens: tokens, padded)
            let name = "nocausal.hidden.\(count)"
            expectClose(hidden.values, try floats(name), tolerance: 1e-4, name)

            let lengths = reference.lengths.map {
                pooling.positions(length: $0, paddedLength: reference.T, isCausal: false)
            }
            let layout = TextLayout(lengths: lengths)
            let rows = (0..<reference.B).flatMap { row in
                reference.ids[row * reference.T..<row * reference.T + lengths[row]]
            }
            let input = try Tensor(shape: [layout.tokens, config.width])
            try frozen.run(input.region, tokens: rows, layout)
            let inference = try InferenceTail(
                reference.parameters, config: config, pooling: pooling, firstBlock: count, workers: workers)
            let logits = try Tensor(shape: [reference.B, reference.K])
            try inference.logits(logits.region, hidden: input.region, layout)
            expectClose(
                logits.values, try floats("nocausal.logits.\(pooling.rawValue)"), tolerance: 1e-4,
                "logits from block \(count)")
        }
    }
}
