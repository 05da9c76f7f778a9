// What the options of training do to whole runs on a tiny model.

import GPT2Kit
import Records
import TestSupport
import Testing

struct TrainingOptionsTests {
    private let place: Folder
    private let base: Classifier

    init() throws {
        place = try Folder()
        try writeByteTokenizer(place.path)
        base = try randomClassifier(place.path)
    }

    /// The events of a run.
    private struct Record {
        var losses: [Double] = []
        var evaluations: [(step: Int, loss: Double, isBest: Bool?)] = []
        var end: TrainingEvent.EndSummary?
        var parameters: [[UInt32]] = []
    }

    private func train(
        threads: Int = 2, rows: Int = 37, _ change: (inout TrainingSettings) -> Void
    ) throws -> Record {
        var settings = TrainingSettings()
        settings.epochs = 2
        settings.learningRate = 1e-3
        settings.evaluateEvery = 3
        change(&settings)
        var record = Record()
        let trained = try FineTuner(settings: settings, workers: Workers(count: threads)).train(
            base,
            on: Datasets(
                training: randomTexts(rows, for: base, seed: 1), validation: randomTexts(61, for: base, seed: 2))
        ) { event in
            switch event {
            case .step(_, _, let loss, _, _): record.losses.append(loss)
            case .evaluation(let step, _, let loss, let isBest): record.evaluations.append((step, loss, isBest))
            case .end(let end): record.end = end
            default: break
            }
        }
        record.parameters = trained.classifier.parameters.named.map { bits($0.tensor.array) }
        return record
    }

    @Test(
        "the same seed gives the same bits with every option, on any number of threads",
        arguments: [TrainableSet.lastBlocks(1), .all, .lora(LoRA())], [Pooling.lastToken, .mean])
    func repeatability(_ trainable: TrainableSet, _ pooling: Pooling) throws {
        func record(_ threads: Int, seed: UInt64 = 1) throws -> Record {
            try train(threads: threads) {
                $0.trainable = trainable
                $0.pooling = pooling
                $0.seed = seed
                $0.shuffle = .none
                $0.dropout = 0.2
                $0.wordDropout = trainable == .lastBlocks(1) ? 0 : 0.2
                $0.labelSmoothing = 0.1
                $0.classWeights = .balanced
                $0.clipNorm = 0.1
                $0.accumulate = 2
                $0.schedule.shape = .cosine
                $0.schedule.warmup = .share(0.5)
                $0.causalMask = false
                $0.keep = .best
            }
        }
        let first = try record(1)
        for threads in [1, 2, 3] {
            let again = try record(threads)
            #expect(again.losses == first.losses && again.parameters == first.parameters, "\(threads) threads")
        }
        // The order is the input's: what another seed changes are dropout and adapters.
        #expect(try record(2, seed: 2).losses != first.losses)
    }

    @Test("the parts of a step give the update of the whole", arguments: [0.0, 0.3])
    func accumulation(_ dropout: Double) throws {
        func parameters(_ batch: Int, _ accumulate: Int) throws -> [Float] {
            try train(rows: 24) {
                $0.trainable = .all
                $0.batch = batch
                $0.accumulate = accumulate
                $0.dropout = dropout
                $0.wordDropout = dropout
                $0.classWeights = .named([("spam", 3)])
            }.parameters.joined().map { Float(bitPattern: $0) }
        }
        let whole = try parameters(8, 1)
        for (batch, accumulate) in [(4, 2), (2, 4), (1, 8)] {
            // 6 steps of AdamW at 1e-3: where a gradient is rounding noise (the key bias), its sign decides.
            let parts = try parameters(batch, accumulate)
            let differences = zip(whole, parts).map { abs($0 - $1) }.sorted()
            #expect(differences[differences.count * 99 / 100] < 2e-6, "\(batch) × \(accumulate)")
            #expect(differences.allSatisfy { $0 < 1e-2 })
        }
        #expect(try parameters(4, 1) != whole)
    }

    @Test("a step limit ends a run as the end of its epochs would")
    func maxSteps() throws {
        let record = try train { $0.maxSteps = 5 }
        #expect(record.losses.count == 5)
        #expect(record.end?.reason == .maxSteps && record.end?.steps == 5 && record.end?.kept == .step(4))
        let all = try train { $0.maxSteps = 8 }
        #expect(all.end?.reason == .epochs && all.losses.count == 8)
        #expect(Array(all.losses.prefix(5)) == record.losses)
    }

    @Test("a time limit ends a run after at least one step")
    func maxMinutes() throws {
        let record = try train {
            $0.maxMinutes = 1e-9
            $0.epochs = .max
        }
        #expect(record.losses.count == 1 && record.end?.reason == .maxMinutes)
    }

    @Test("patience counts evaluations without improvement, and the best weights are the best evaluation's")
    func earlyStopping() throws {
        // A learning rate at which the validation loss soon rises.
        func record(_ change: @escaping (inout TrainingSettings) -> Void) throws -> Record {
            try train {
                $0.trainable = .all
                $0.learningRate = 1e-2
                $0.epochs = 40
                $0.evaluateEvery = 2
                change(&$0)
            }
        }
        let stopped = try record {
            $0.patience = 3
            $0.keep = .best
        }
        let losses = stopped.evaluations.map(\.loss)
        let best = try #require(losses.indices.min { losses[$0] < losses[$1] })
        #expect(stopped.end?.reason == .patience && best == losses.count - 4)
        for (index, evaluation) in stopped.evaluations.enumerated() {
            #expect(evaluation.isBest == losses[..<index].allSatisfy { losses[index] < $0 })
        }
        #expect(stopped.end?.kept == .step(stopped.evaluations[best].step))
        #expect(stopped.end?.validationLoss == losses[best])

        // The same as ending after the best step.
        let short = try record { $0.maxSteps = stopped.evaluations[best].step + 1 }
        #expect(short.parameters == stopped.parameters)
        #expect(short.evaluations.allSatisfy { $0.isBest == nil })
        // Without keep the last weights stay.
        let last = try record { $0.patience = 3 }
        #expect(last.end?.steps == stopped.end?.steps && last.end?.kept == .step((last.end?.steps ?? 0) - 1))
        #expect(last.parameters != stopped.parameters)
        // The end is an evaluation too.
        let end = try record {
            $0.keep = .best
            $0.learningRate = 1e-4
            $0.epochs = 1
            $0.evaluateEvery = 3
        }
        #expect(end.evaluations.map(\.step) == [0, 3] && end.end?.kept == .step(3))
    }

    @Test("the average of the last fifth is Σ dⁿ⁻ⁱ·pᵢ / Σ dⁿ⁻ⁱ, and kept where its validation loss is lower")
    func average() throws {
        var kept: Set<Bool> = []
        for rate in [1e-4, 3e-2] {
            func record(_ change: (inout TrainingSettings) -> Void) throws -> Record {
                try train {
                    $0.trainable = .all
                    $0.learningRate = rate
                    $0.epochs = 4  // of 4 steps
                    change(&$0)
                }
            }
            let averaged = try record { $0.averageDecay = 0.5 }
            let last = try record { $0.maxSteps = 16 }
            // The last three of 16 steps count.
            let weights = try [14, 15, 16].map { steps in
                try record { $0.maxSteps = steps }.parameters.joined().map { Double(Float(bitPattern: $0)) }
            }
            let isAverage = averaged.end?.kept == .average
            kept.insert(isAverage)
            guard isAverage else {
                #expect(averaged.parameters == last.parameters && averaged.end?.kept == .step(15))
                continue
            }
            let loss = try #require(averaged.end?.validationLoss)
            #expect(try loss < #require(last.end?.validationLoss))
            for (i, bits) in averaged.parameters.joined().enumerated() {
                let expected = (weights[0][i] + 2 * weights[1][i] + 4 * weights[2][i]) / 7
                #expect(abs(Double(Float(bitPattern: bits)) - expected) <= 4e-7 * max(1, abs(expected)))
            }
        }
        #expect(kept == [true, false])
    }

    @Test("an average and the best weights exclude each other, and nothing is trained in int8")
    func impossible() {
        #expect(throws: TrainingError.self) { try train { ($0.averageDecay, $0.keep) = (0.9, .best) } }
        #expect(throws: TrainingError.self) { try train { $0.trainingPrecision = .int8 } }
    }

    @Test("counts below 1 are refused", arguments: [0, -1, Int.min])
    func counts(_ count: Int) {
        #expect(throws: TrainingError.self) { try train { $0.batch = count } }
        #expect(throws: TrainingError.self) { try train { $0.accumulate = count } }
        #expect(throws: TrainingError.self) { try train { $0.epochs = count } }
        #expect(throws: TrainingError.self) { try train { $0.evaluateEvery = count } }
        #expect(throws: TrainingError.self) { try train { $0.maxSteps = count } }
    }

    @Test(
        "LoRA trains the head, adds low-rank adapters to the weights and leaves all else",
        arguments: [2, 16])
    func lora(_ rank: Int) throws {
        var lora = LoRA()
        (lora.rank, lora.layers) = (rank, [.attention, .mlpProjection])
        let record = try train {
            $0.trainable = .lora(lora)
            $0.pooling = .first
            $0.epochs = 20
            $0.learningRate = 1e-2
        }
        let early: Double = record.losses.prefix(8).reduce(0, +)
        let late: Double = record.losses.suffix(8).reduce(0, +)
        #expect(late < 0.8 * early)
        for ((name, tensor), after) in zip(base.parameters.named, record.parameters) {
            let isAdapted = name.hasSuffix("attn.c_attn.weight") || name.hasSuffix("mlp.c_proj.weight")
            #expect((bits(tensor.array) != after) == (isAdapted || name.hasPrefix("score.")), "\(name)")
        }
    }

    @Test("a class that is missing or has no records can't have a weight")
    func classWeights() throws {
        #expect {
            try train { $0.classWeights = .named([("eggs", 2)]) }
        } throws: {
            guard case .impossibleSetting(let what, let remedy)? = $0 as? TrainingError else { return false }
            return what.contains("'eggs'") && remedy.contains("'ham', 'spam'")
        }
        #expect(throws: TrainingError.self) {
            try ClassWeights.balanced.resolved(labels: ["a", "b"], rows: [0, 0], source: "texts")
        }
        #expect(throws: TrainingError.self) {
            try ClassWeights.named([("a", 1), ("a", 2)]).resolved(labels: ["a", "b"], rows: [0, 1], source: "")
        }
        #expect(
            try ClassWeights.balanced.resolved(labels: ["a", "b"], rows: [0, 0, 1, 0], source: "") == [2.0 / 3, 2])
        #expect(try ClassWeights.equal.resolved(labels: ["a", "b"], rows: [0, 0], source: "") == nil)
    }

    @Test("settings that contradict the model are refused")
    func impossibleSettings() throws {
        func expectRefusal(_ part: String, _ change: (inout TrainingSettings) -> Void) {
            #expect {
                try train(change)
            } throws: {
                guard case .impossibleSetting(let what, _)? = $0 as? TrainingError else { return false }
                return what.contains(part)
            }
        }
        expectRefusal("dropout has no effect") {
            $0.trainable = .head
            $0.dropout = 0.1
        }
        expectRefusal("words can be dropped only where no block is frozen") {
            $0.trainable = .lastBlocks(1)
            $0.wordDropout = 0.1
        }
        expectRefusal("LoRA's rank 17") {
            var lora = LoRA()
            lora.rank = 17
            $0.trainable = .lora(lora)
        }
    }
}
