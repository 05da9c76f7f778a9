// Features in files: the model has the same bits as without them, whatever is found, missing or damaged.

import Foundation
import GPT2Kit
import Records
import Safetensors
import TestSupport
import Testing

struct FeatureFilesTests {
    private let place: Folder
    private let base: Classifier
    private let directory: String

    init() throws {
        place = try Folder()
        try writeByteTokenizer(place.path)
        base = try randomClassifier(place.path)
        directory = place.path + "/features"
    }

    /// A model's bits, what came before training, and the warnings.
    private struct Outcome {
        var bits: [[UInt32]]
        var frozen: FeatureSummary?
        var warnings: [String] = []
    }

    private func train(
        directory: String?, memory: Int? = nil, threads: Int = 2, base: Classifier? = nil, test: UInt64 = 3,
        _ change: (inout TrainingSettings) -> Void = { _ in }
    ) throws -> Outcome {
        var settings = TrainingSettings()
        settings.epochs = 2
        settings.learningRate = 1e-3
        change(&settings)
        var tuner = FineTuner(settings: settings, workers: Workers(count: threads))
        tuner.featureDirectory = directory
        if let memory { tuner.featureMemory = memory }
        let base = base ?? self.base
        var outcome = Outcome(bits: [])
        let trained = try tuner.train(
            base,
            on: Datasets(
                training: randomTexts(60, for: base, seed: 1), validation: randomTexts(11, for: base, seed: 2),
                test: randomTexts(9, for: base, seed: test))
        ) { event in
            if case .frozen(let summary) = event { outcome.frozen = summary }
            if case .warning(let diagnosis) = event { outcome.warnings.append(diagnosis.message) }
        }
        outcome.bits = trained.classifier.parameters.named.map { bits($0.tensor.array) }
        return outcome
    }

    private func files() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory).sorted().map { "\(directory)/\($0)" }
    }

    @Test(
        "files, memory and temporary files give the same bits, computed or found, on any threads",
        arguments: [TrainableSet.head, .lastBlocks(1)], [Pooling.lastToken, .mean])
    func sameBits(_ trainable: TrainableSet, _ pooling: Pooling) throws {
        func change(_ settings: inout TrainingSettings) {
            settings.trainable = trainable
            settings.pooling = pooling
        }
        let plain = try train(directory: nil, change)
        #expect(plain.frozen?.place == .memory)
        let spilled = try train(directory: nil, memory: 100, change)
        #expect(spilled.frozen?.place == .temporaryFile && spilled.bits == plain.bits)
        for (threads, reused) in [(1, false), (1, true), (2, true)] {
            let kept = try train(directory: directory, memory: 100, threads: threads, change)
            #expect(kept.bits == plain.bits && kept.warnings.isEmpty)
            let summary = try #require(kept.frozen)
            #expect(summary.place == .directory)
            #expect((summary.computedTokens == 0) == reused && (summary.reusedTokens > 0) == reused)
            #expect(summary.computedTokens + summary.reusedTokens == plain.frozen?.computedTokens)
        }
        #expect(try files().count == 3, "one for each set")
    }

    @Test("other hyperparameters find the files, and other weights, depths and texts don't")
    func fileKeys() throws {
        _ = try train(directory: directory)
        let first = try files()
        for change in [
            { $0.seed = 5 }, { $0.epochs = 1 }, { $0.batch = 4 }, { $0.learningRate = 0.1 }, { $0.shuffle = .none },
        ] as [(inout TrainingSettings) -> Void] {
            #expect(try train(directory: directory, change).frozen?.computedTokens == 0)
        }
        #expect(try files() == first)
        let otherTest = try #require(try train(directory: directory, test: 4).frozen)
        #expect(otherTest.computedTokens > 0 && otherTest.reusedTokens > otherTest.computedTokens)
        #expect(try files().count == 4)
        #expect(try train(directory: directory) { $0.trainable = .head }.frozen?.reusedTokens == 0)
        #expect(try train(directory: directory) { $0.pooling = .first }.frozen?.reusedTokens == 0)
        let other = try randomClassifier(place.path)
        for (name, found) in [("h.0.mlp.c_fc.bias", false), ("wpe.weight", false), ("h.1.ln_1.bias", true)] {
            let tensor = try #require(other.parameters.named.first { $0.name == name }).tensor
            let old = tensor.pointer[1]
            tensor.mutablePointer[1] += 0.5
            #expect((try train(directory: directory, base: other).frozen?.computedTokens == 0) == found, "\(name)")
            tensor.mutablePointer[1] = old
        }
        #expect(try train(directory: directory) { $0.trainable = .all }.frozen == nil, "nothing is frozen")
    }

    @Test("a file damaged anywhere is reported, computed again and replaced")
    func damagedFile() throws {
        let plain = try train(directory: directory)
        let file = try #require(try files().first)
        let whole = try Data(contentsOf: URL(filePath: file))
        var generator = SeededGenerator(seed: 9)
        for round in 0..<24 {
            var bytes = whole
            if round % 2 == 0 {
                let bit = generator.nextInteger(below: 8 * bytes.count)
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            } else {
                bytes.removeLast(1 + generator.nextInteger(below: bytes.count))
            }
            try bytes.write(to: URL(filePath: file))
            let again = try train(directory: directory)
            #expect(again.bits == plain.bits)
            #expect(again.warnings.count == 1, "round \(round): \(again.warnings)")
            #expect(again.warnings.allSatisfy { $0.hasPrefix(file) && $0.hasSuffix("computed again and replaced") })
            #expect(try Data(contentsOf: URL(filePath: file)) == whole, "round \(round)")
        }
    }

    @Test("a file is a safetensors file with the states, tokens and lengths of its texts")
    func fileFormat() throws {
        _ = try train(directory: directory)
        var tokens = 0
        for path in try files() {
            let file = try SafetensorsFile(path: path)
            let ids = try file.description(of: "input_ids").count
            let count = try file.description(of: "lengths").count
            let lengths = try file.integers("lengths", as: Int32.self, shape: [count])
            #expect(lengths.reduce(0, +) == ids && file.metadata["format"] == "gpt2kit.features/1")
            let states = try file.floats("states", shape: [ids, 16])
            // The states of a text, computed by itself.
            let layout = TextLayout(lengths: [Int(lengths[0])])
            let frozen = try InferenceBlocks(base.parameters, config: base.config, count: 1, workers: Workers(count: 1))
            let alone = try Tensor(shape: [layout.tokens, 16])
            try frozen.run(alone.region, tokens: file.integers("input_ids", as: Int32.self, shape: [ids]), layout)
            #expect(bits(states.prefix(alone.count)) == bits(alone.array))
            tokens += ids
        }
        #expect(tokens > 0)
    }
}
