// Checkpoints: a run stopped anywhere resumes to the same bits and the same events.

import Foundation
import GPT2Kit
import Records
import Synchronization
import TestSupport
import Testing

struct CheckpointTests {
    private let place: Folder
    private let base: Classifier
    private var output: String { place.path + "/out" }

    private init(place: Folder, base: Classifier) {
        self.place = place
        self.base = base
    }

    init() throws {
        place = try Folder()
        try writeByteTokenizer(place.path)
        base = try randomClassifier(place.path)
    }

    /// What a run, or a part of one, came to.
    private struct Outcome: RunOutcome {
        var bits: [[UInt32]] = []
        var events: [String] = []
        var warnings: [String] = []
        var stopped: Int?
    }

    private func settings(_ change: (inout TrainingSettings) -> Void = { _ in }) -> TrainingSettings {
        shortTraining(epochs: 3, change)
    }

    /// - Parameters:
    ///   - stop: the step after which the run is asked to stop.
    ///   - removes: whether checkpoints go when the run is through, as `finetune` does.
    private func train(
        _ settings: TrainingSettings, every: Int? = nil, resumes: Bool = false, stop: Int? = nil, threads: Int = 2,
        data: UInt64 = 1, saves: Bool = true, removes: Bool = true
    ) throws -> Outcome {
        var tuner = FineTuner(settings: settings, workers: Workers(count: threads))
        let sets = (0..<3).map { randomTexts([37, 11, 9][$0], for: base, seed: data + UInt64($0)) }
        let datasets = Datasets(training: sets[0], validation: sets[1], test: sets[2])
        let steps = Mutex(0)
        if saves {
            tuner.checkpoints = Checkpoints(
                output: output, every: every, resumes: resumes,
                identity: tuner.identity(base, datasets)
            ) { steps.withLock { $0 == stop } }
        }
        var outcome = Outcome()
        do {
            let trained = try tuner.train(base, on: datasets) { event in
                switch event {
                case .start, .frozen, .trial, .checkpoint: break
                case .resume(_, let step): outcome.events.append("resume \(step)")
                case .warning(let diagnosis): outcome.warnings.append(diagnosis.message)
                case .step(let step, let epoch, let loss, let rate, let norm):
                    outcome.events.append("step \(step) \(epoch) \(loss) \(rate) \(norm ?? -1)")
                    steps.withLock { $0 = step + 1 }
                case .evaluation(let step, let training, let validation, let isBest):
                    outcome.events.append("evaluation \(step) \(training) \(validation) \(isBest ?? false)")
                case .epoch(let epoch, let step, let training, let validation, _):
                    outcome.events.append("epoch \(epoch) \(step) \(training) \(validation)")
                case .end(let end):
                    outcome.events.append(
                        "end \(end.reason) \(end.steps) \(end.kept) \(end.trainingLoss) \(end.testAccuracy ?? -1)")
                }
            }
            outcome.bits = trained.classifier.parameters.named.map { bits($0.tensor.array) }
            if removes { tuner.checkpoints?.remove() }
        } catch let stopped as TrainingStopped {
            outcome.stopped = stopped.step
        }
        return outcome
    }

    private func files() -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: output + ".checkpoints")) ?? []).sorted()
    }

    private static let variants: [@Sendable (inout TrainingSettings) -> Void] = [
        { _ in },
        { $0.trainable = .head },
        {
            $0.trainable = .all; $0.dropout = 0.2; $0.pooling = .mean
        },
        {
            $0.trainable = .lora(LoRA()); $0.clipNorm = 0.5; $0.dropout = 0.1; $0.wordDropout = 0.2
        },
        {
            $0.schedule.shape = .cosine; $0.schedule.warmup = .steps(3); $0.batch = 3; $0.accumulate = 2
        },
        {
            $0.keep = .best; $0.learningRate = 0.1
        },
        {
            $0.patience = 2; $0.keep = .best; $0.learningRate = 0.3; $0.epochs = 9
        },
        {
            $0.shuffle = .none; $0.maxSteps = 7
        },
        {
            $0.averageDecay = 0.9; $0.epochs = 3; $0.learningRate = 0.1; $0.pooling = .meanText
        },
        {
            $0.trainable = .all; $0.layerDecay = LayerDecay(0.7); $0.trainingPrecision = .bfloat16
        },
    ]

    @Test("a run stopped after any step resumes to the same bits and events", arguments: variants.indices)
    func stoppedAfterAnyStep(_ variant: Int) throws {
        let settings = settings(Self.variants[variant])
        try expectSameAfterAnyStop(
            whole: try train(settings, saves: false), saved: try train(settings, every: 2),
            stopped: { try train(settings, stop: $0, threads: 1) },
            resumed: { try train(settings, resumes: true, threads: 2) })
    }

    @Test("a run stopped again and again ends in the same bits")
    func stoppedOften() throws {
        let settings = settings { $0.keep = .best }
        let whole = try train(settings, saves: false)
        var outcome = try train(settings, stop: 1)
        for stop in 2...11 {
            #expect(outcome.stopped == stop - 1)
            outcome = try train(settings, resumes: true, stop: stop)
        }
        #expect(try train(settings, resumes: true).bits == whole.bits)
    }

    @Test("the newest two are kept, and the last step is one of them")
    func newestKept() throws {
        let settings = settings()
        _ = try train(settings, every: 2, stop: 7)
        #expect(files() == ["step-000006.safetensors", "step-000007.safetensors"])
        try Data("left".utf8).write(to: URL(filePath: output + ".checkpoints/.1-0.partial"))
        // The interval is the checkpoint's where none is given.
        _ = try train(settings, resumes: true, stop: 11)
        #expect(files() == ["step-000010.safetensors", "step-000011.safetensors"])
        _ = try train(settings, resumes: true, removes: false)
        #expect(files() == ["step-000011.safetensors", "step-000012.safetensors"])
        #expect(try train(settings, resumes: true).events.first == "resume 12")
    }

    @Test("a run that doesn't resume is refused where checkpoints are, and leaves them")
    func forgottenResume() throws {
        let settings = settings()
        _ = try train(settings, every: 2, stop: 7)
        #expect(throws: ForgottenCheckpoints.self) { try train(settings, every: 2) }
        #expect(throws: ForgottenCheckpoints.self) {
            try Checkpoints.requirePossible(output, base: .randomNamed("gpt2"), resumes: false)
        }
        try Checkpoints.requirePossible(output + "/", base: .randomNamed("gpt2"), resumes: true)
        #expect(files() == ["step-000006.safetensors", "step-000007.safetensors"])
    }

    @Test("a model with other heads or another ε is another base")
    func otherShape() throws {
        _ = try train(settings(), stop: 2)
        let config = base.config
        func shape(heads: Int, epsilon: Float) throws -> GPT2Config {
            try GPT2Config(
                vocabularySize: config.vocabularySize, positions: config.positions, width: config.width,
                blocks: config.blocks, heads: heads, epsilon: epsilon)
        }
        for (config, words) in [
            (try shape(heads: 1, epsilon: config.epsilon), "heads 1 (was 2)"),
            (try shape(heads: config.heads, epsilon: 1e-4), "layer_norm_epsilon 0.0001 (was 1e-05)"),
        ] {
            let other = Classifier(
                config: config, parameters: base.parameters, labels: base.labels, pooling: base.pooling,
                paddedLength: base.paddedLength, padToken: base.padToken, tokenizer: base.tokenizer,
                tokenizerDirectory: place.path, origin: "random")
            #expect {
                try CheckpointTests(place: place, base: other).train(settings(), resumes: true)
            } throws: { error in
                guard case .otherRun(let differences, _)? = error as? TrainingError else { return false }
                return differences == [words]
            }
        }
    }

    @Test("an unreadable checkpoint is reported and removed with the next one, and the good one stays till then")
    func unreadableCheckpoint() throws {
        let settings = settings()
        _ = try train(settings, every: 4, stop: 9)
        let directory = URL(filePath: output + ".checkpoints")
        let newest = directory.appending(path: "step-000009.safetensors")
        try FileManager.default.removeItem(at: newest)
        try FileManager.default.createSymbolicLink(
            atPath: newest.path, withDestinationPath: "nowhere")
        let outcome = try train(settings, resumes: true, stop: 10)
        #expect(outcome.events.first == "resume 8" && outcome.warnings.count == 1)
        #expect(files() == ["step-000008.safetensors", "step-000010.safetensors"])
        let directoryInstead = directory.appending(path: "step-000011.safetensors")
        try FileManager.default.createDirectory(at: directoryInstead, withIntermediateDirectories: false)
        #expect(try train(settings, resumes: true).events.first == "resume 10")
    }

    @Test("a damaged newest checkpoint is reported, and the one before it is used")
    func damagedCheckpoint() throws {
        let settings = settings { $0.keep = .best }
        let whole = try train(settings, saves: false)
        _ = try train(settings, every: 4, stop: 9)
        let file = URL(filePath: output + ".checkpoints/step-000009.safetensors")
        let intact = try Data(contentsOf: file)
        let header = 8 + intact.prefix(2).reversed().reduce(0) { $0 << 8 | Int($1) }
        var generator = SeededGenerator(seed: 4)
        for round in 0..<60 {
            var bytes = intact
            if round % 3 < 2 {
                let bit = generator.nextInteger(below: 8 * (round % 3 == 0 ? header : bytes.count))
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            } else {
                bytes.removeLast(1 + generator.nextInteger(below: bytes.count))
            }
            try bytes.write(to: file)
            let outcome = try train(settings, resumes: true)
            #expect(outcome.bits == whole.bits && outcome.events.first == "resume 8", "round \(round)")
            #expect(outcome.warnings.count == 1 && outcome.warnings[0].contains("the one before it is used"))
            if !FileManager.default.fileExists(atPath: file.path) { _ = try train(settings, every: 4, stop: 9) }
            try intact.write(to: file)
        }
        for name in files() { try Data("{}".utf8).write(to: URL(filePath: output + ".checkpoints/" + name)) }
        #expect(throws: DamagedCheckpoint.self) { try train(settings, resumes: true) }
    }

    @Test("a run with other settings or data is refused, with all differences")
    func changedSettings() throws {
        _ = try train(settings(), stop: 2)
        func refused(_ words: [String], data: UInt64 = 1, _ change: (inout TrainingSettings) -> Void = { _ in }) {
            #expect {
                try train(settings(change), resumes: true, data: data)
            } throws: { error in
                guard case .otherRun(let differences, _)? = error as? TrainingError else { return false }
                return differences == words
            }
        }
        refused(["learning_rate 0.1 (was 0.001)", "seed 5 (was 123)"]) {
            $0.learningRate = 0.1
            $0.seed = 5
        }
        refused(["eval_every 4 (was 3)"]) { $0.evaluateEvery = 4 }
        refused(["training data", "validation data", "test data"], data: 7)
        refused([
            "trainable \"lora\" (was \"last-1\")", "lora_rank 16 (was none)", "lora_alpha 16.0 (was none)",
            "lora_targets [\"attn.c_attn\",\"attn.c_proj\",\"mlp.c_fc\",\"mlp.c_proj\"] (was none)",
        ]) { $0.trainable = .lora(LoRA()) }
        #expect(files() == ["step-000002.safetensors"])
    }

    @Test("without any checkpoint a resumed run starts from the beginning and reports it")
    func noCheckpoint() throws {
        let outcome = try train(settings(), resumes: true)
        #expect(outcome.bits == (try train(settings(), saves: false)).bits)
        #expect(outcome.warnings.count == 1 && outcome.warnings[0].contains("starts from the beginning"))
    }
}
