// Whole training runs on tiny models: the same bits from the same seed, events in order, and what is refused.

import GPT2Kit
import Synchronization
import TestSupport
import Testing
import Tokenization

struct FineTunerTests {
    private let place: Folder
    private let base: Classifier

    init() throws {
        place = try Folder()
        try writeByteTokenizer(place.path)
        base = try randomClassifier(place.path)
    }

    private func settings(_ change: (inout TrainingSettings) -> Void = { _ in }) -> TrainingSettings {
        shortTraining(epochs: 2, change)
    }

    private func train(
        _ settings: TrainingSettings, threads: Int = 2, training: LabelledTexts? = nil,
        validation: LabelledTexts? = nil, report: (TrainingEvent) throws -> Void = { _ in },
        progress: @escaping @Sendable (TrainingProgress) -> Void = { _ in }
    ) throws -> TrainedClassifier {
        let datasets = Datasets(
            training: training ?? randomTexts(37, for: base, seed: 1),
            validation: validation ?? randomTexts(11, for: base, seed: 2), test: randomTexts(9, for: base, seed: 3))
        return try FineTuner(settings: settings, workers: Workers(count: threads)).train(
            base, on: datasets, report: report, progress: progress)
    }

    private func bitsOf(_ classifier: Classifier) -> [[UInt32]] {
        classifier.parameters.named.map { bits($0.tensor.array) }
    }

    @Test(
        "the same seed gives the same bits of all parameters, on any number of threads",
        arguments: [TrainableSet.head, .lastBlocks(1), .all], Pooling.allCases)
    func repeatability(_ trainable: TrainableSet, _ pooling: Pooling) throws {
        let settings = settings {
            $0.trainable = trainable
            $0.pooling = pooling
        }
        let before = bitsOf(base)
        let first = bitsOf(try train(settings, threads: 1).classifier)
        for threads in [1, 2, 3] {
            #expect(bitsOf(try train(settings, threads: threads).classifier) == first, "\(threads) threads")
        }
        var other = settings
        other.seed = 124
        #expect(bitsOf(try train(other).classifier) != first)
        #expect(bitsOf(base) == before, "training changed the model it started from")
        for ((name, _), (old, new)) in zip(base.parameters.named, zip(before, first)) {
            let isTrainable = GPT2Parameters.isTrainable(name, trainable, blocks: 2)
            // Weight decay moves even what has no gradient.
            #expect((old != new) == isTrainable, "\(name)")
        }
    }

    @Test("training lowers the loss and learns a rule of one token")
    func learning() throws {
        let settings = settings {
            $0.trainable = .all
            $0.pooling = .first
            $0.epochs = 40
        }
        let results = try train(settings, training: randomTexts(400, for: base, seed: 5)).results
        #expect(results.trainingAccuracy > 0.95 && results.trainingLoss < 0.2)
        #expect(results.steps == 50 * 40)
    }

    @Test("events come in order, with matching counts")
    func eventOrder() throws {
        var events: [String] = []
        let lastFrozen = Mutex((done: 0, total: 0))
        let trained = Mutex<[Int]>([])
        var tokens = 0
        _ = try train(settings()) { event in
            switch event {
            case .start(let start):
                events.append("start")
                #expect(
                    start.steps == 8 && start.trainingRows == 37 && start.validationRows == 11 && start.testRows == 9)
                #expect(start.classes == 2 && start.paddedLength == 12)
                tokens = start.tokens
            case .frozen(let summary):
                events.append("frozen")
                #expect(summary.place == .memory && summary.computedTokens == tokens && summary.reusedTokens == 0)
            case .warning(let diagnosis): Issue.record("\(diagnosis)")
            case .trial, .resume, .checkpoint: Issue.record("\(event)")
            case .step(let step, let epoch, let loss, let rate, let norm):
                events.append("step \(step) of epoch \(epoch)")
                #expect(loss.isFinite && rate == 1e-3 && norm == nil)
            case .evaluation(let step, _, _, _): events.append("evaluation \(step)")
            case .epoch(let epoch, let step, _, _, _): events.append("epoch \(epoch) after \(step)")
            case .end(let end):
                events.append("end \(end.steps)")
                #expect(end.testAccuracy != nil && end.reason == .epochs && end.kept == .step(7))
            }
        } progress: { progress in
            switch progress {
            case .frozen(let done, let total): lastFrozen.withLock { $0 = (max($0.done, done), total) }
            case .training(let done, _, _): trained.withLock { $0.append(done) }
            case .search: Issue.record("\(progress)")
            }
        }
        #expect(
            events == [
                "start", "frozen", "step 0 of epoch 1", "evaluation 0", "step 1 of epoch 1", "step 2 of epoch 1",
                "step 3 of epoch 1", "evaluation 3", "epoch 1 after 4", "step 4 of epoch 2", "step 5 of epoch 2",
                "step 6 of epoch 2", "evaluation 6", "step 7 of epoch 2", "epoch 2 after 8", "end 8",
            ])
        #expect(lastFrozen.withLock { $0.done == tokens && $0.total == tokens })
        #expect(trained.withLock { $0 } == Array(1...8))
    }

    @Test("a loss that isn't finite ends the run")
    func divergence() {
        #expect {
            try train(settings { $0.learningRate = 1e30 })
        } throws: { error in
            if case .lossNotFinite? = error as? TrainingError { true } else { false }
        }
    }

    @Test("data that don't belong to the model are refused with the file's name")
    func mismatchedData() throws {
        func expectMismatch(_ texts: LabelledTexts, _ part: String) {
            for isTraining in [true, false] {
                #expect {
                    _ =
                        isTraining
                        ? try train(settings(), training: texts) : try train(settings(), validation: texts)
                } throws: { error in
                    guard case .mismatch(let what, let remedy, _, "texts")? = error as? ModelError else { return false }
                    return what.contains(part) && !remedy.isEmpty
                }
            }
        }
        expectMismatch(randomTexts(9, for: base, seed: 1, tokenizer: String(repeating: "0", count: 64)), "tokenizer")
        expectMismatch(randomTexts(9, for: base, seed: 1, labels: ["a", "b"]), "labels are a, b")
        expectMismatch(
            randomTexts(9, for: base, seed: 1, labels: ["ham"]),
            "labels are ham; those of the training shard are ham, spam")
        expectMismatch(randomTexts(9, for: base, seed: 1, length: 33), "padded to 33")
        var rows = TokenRows()
        rows.append([1, 257], label: 0, line: 1)
        let description = randomTexts(1, for: base, seed: 1).texts.description
        expectMismatch(
            LabelledTexts(source: "texts", texts: .init(description: description, rows: rows, truncated: 0)),
            "token 257 is beyond")
    }

    @Test("rows without label and empty sets are refused")
    func unusableData() {
        #expect {
            try train(settings(), validation: randomTexts(9, for: base, seed: 1, unlabelled: 4))
        } throws: { error in
            guard case .unusableData(let what, _, "texts")? = error as? TrainingError else { return false }
            return what.contains("line 5")
        }
        #expect {
            try train(settings(), training: randomTexts(0, for: base, seed: 1))
        } throws: { error in
            if case .unusableData("no records", _, "texts")? = error as? TrainingError { true } else { false }
        }
    }
}
