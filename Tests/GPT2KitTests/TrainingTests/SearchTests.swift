// A search: what is drawn, which trials go on, and that its winner is the model that a run of its own gives.

import GPT2Kit
import TestSupport
import Testing

@Suite("Search spaces")
struct SearchSpaceTests {
    @Test("ranges are read")
    func read() throws {
        let space = try SearchSpace("lr=1e-5..1e-3,weight-decay=0..0.3,epochs=2..10,batch=4..4,dropout=.1...5")
        #expect(
            space.ranges == [
                .learningRate: 1e-5...1e-3, .weightDecay: 0...0.3, .epochs: 2...10, .batch: 4...4, .dropout: 0.1...0.5,
            ])
    }

    @Test(
        "what isn't a range is named",
        arguments: [
            ("", "'' is not NAME=LOW..HIGH"), ("lr", "'lr' is not NAME"), ("lr=1", "'lr=1' is not NAME"),
            ("lr=1e-5..1e-3,", "'' is not NAME"), ("lr=a..b", "with two numbers"), ("lr=1..", "with two numbers"),
            ("rate=1..2", "'rate' can't be searched; lr, weight-decay, epochs, batch, dropout, label-smoothing can"),
            ("lr=2..1", "ends below its beginning"), ("lr=0..1", "that lr doesn't take"),
            ("lr=-1..1", "that lr doesn't take"), ("lr=1..inf", "that --lr doesn't take"),
            ("lr=nan..1", "ends below"), ("dropout=0..1", "that dropout doesn't take"),
            ("epochs=1..2.5", "needs whole numbers"), ("epochs=0..2", "that epochs doesn't take"),
            ("lr=1..2,lr=1..2", "lr is there twice"), ("batch=1..99999999999999999999", "that batch doesn't take"),
        ])
    func wrong(_ text: String, _ problem: String) {
        #expect {
            try SearchSpace(text)
        } throws: { error in
            "\(error)".contains(problem)
        }
    }

    @Test("draws stay in their ranges, cover them on their scale, and have four digits")
    func draws() throws {
        let space = try SearchSpace("lr=1e-5..1e-3,weight-decay=0..0.3,epochs=2..10,batch=1..32")
        var settings = TrainingSettings()
        settings.dropout = 0.25
        let drawn = space.draw(4000, from: settings)
        #expect(drawn.allSatisfy { $0.dropout == 0.25 && $0.seed == settings.seed })
        #expect(drawn.allSatisfy { (1e-5...1e-3).contains($0.learningRate) && (0...0.3).contains($0.weightDecay) })
        #expect(Set(drawn.map(\.epochs)) == Set(2...10) && Set(drawn.map(\.batch)) == Set(1...32))
        func share(_ isWanted: (TrainingSettings) -> Bool) -> Double {
            Double(drawn.filter(isWanted).count) / Double(drawn.count)
        }
        // Standard deviations of these shares are below 0.008.
        #expect(abs(share { $0.learningRate < 1e-4 } - 0.5) < 0.04)
        #expect(abs(share { $0.weightDecay < 0.15 } - 0.5) < 0.04)
        #expect(abs(share { $0.epochs == 2 } - 1.0 / 9) < 0.025 && abs(share { $0.epochs == 10 } - 1.0 / 9) < 0.025)
        for trial in drawn.prefix(200) {
            let digits = "\(trial.learningRate)".split(separator: "e")[0].filter(\.isNumber).drop { $0 == "0" }
            #expect(digits.count <= 4, "\(trial.learningRate)")
        }
    }

    @Test("the same seed draws the same, and more trials begin with the same ones")
    func seeds() throws {
        let space = try SearchSpace("lr=1e-5..1e-3,epochs=2..10")
        var settings = TrainingSettings()
        let first = space.draw(50, from: settings)
        #expect(space.draw(80, from: settings).prefix(50) == first[...])
        settings.seed = 5
        #expect(space.draw(50, from: settings).map(\.learningRate) != first.map(\.learningRate))
    }

    @Test("thirds go on, three times as long, until one is left")
    func rounds() {
        func rounds(_ trials: Int) -> [[Int]] {
            SuccessiveHalving(trials: trials).rounds.map { [$0.divisor, $0.survivors] }
        }
        #expect(rounds(50) == [[81, 17], [27, 6], [9, 2], [3, 1]])
        #expect(rounds(1) == [] && rounds(2) == [[3, 1]] && rounds(3) == [[3, 1]] && rounds(4) == [[9, 2], [3, 1]])
        #expect(rounds(Int.max / 4).last == [3, 1])
    }
}

@Suite("Searches")
struct SearchTests {
    private let place: Workplace
    private let base: Classifier

    init() throws {
        place = try Workplace()
        try writeByteTokenizer(place.path)
        base = try randomClassifier(place.path)
    }

    private struct Outcome: Equatable {
        var bits: [[UInt32]] = []
        /// Number, outcome, steps and loss of every trial, in the order in which they were told.
        var trials: [String] = []
        var losses: [Int: Double] = [:]
        var winner: TrainingSettings?
        var trial: Int?
        var validationLoss: Double?
    }

    private func tuner(_ settings: TrainingSettings, threads: Int = 2) -> FineTuner {
        FineTuner(settings: settings, workers: Workers(count: threads))
    }

    private func settings(_ trainable: TrainableSet = .lastBlocks(1)) -> TrainingSettings {
        var settings = TrainingSettings()
        settings.trainable = trainable
        return settings
    }

    private func search(
        _ text: String, trials: Int = 11, settings: TrainingSettings? = nil, threads: Int = 2, memory: Int? = nil
    ) throws -> Outcome {
        var tuner = tuner(settings ?? self.settings(), threads: threads)
        tuner.searchMemory = memory
        var outcome = Outcome()
        let trained = try tuner.search(
            SearchSpace(text), trials: trials, base,
            on: Datasets(
                training: randomTexts(61, for: base, seed: 1), validation: randomTexts(23, for: base, seed: 2),
                test: randomTexts(9, for: base, seed: 3))
        ) { event in
            if case .trial(let trial) = event {
                outcome.trials.append(
                    "\(trial.number) \(trial.outcome) \(trial.steps) \(trial.stepsOfAllEpochs) \(trial.validationLoss ?? -1)"
                )
                outcome.losses[trial.number] = trial.validationLoss
            }
            if case .end(let end) = event {
                outcome.trial = end.trial
                outcome.validationLoss = end.validationLoss
                #expect(end.testAccuracy != nil)
            }
        }
        outcome.bits = trained.classifier.parameters.named.map { bits($0.tensor.array) }
        outcome.winner = trained.settings
        return outcome
    }

    private let space = "lr=1e-5..3e-2,weight-decay=0..0.3,epochs=2..6,batch=4..16"

    @Test(
        "the winner is what a run with its settings gives, for any number of threads, however little is kept in memory",
        arguments: [TrainableSet.head, .lastBlocks(1), .all, .lora(LoRA())])
    func sameBits(_ trainable: TrainableSet) throws {
        var settings = settings(trainable)
        if trainable != .head { settings.dropout = 0.1 }
        settings.clipNorm = 1
        let found = try search(space, settings: settings, threads: 1)
        for (threads, memory) in [(2, nil), (3, nil), (2, 1), (2, 200_000), (3, 400_000)] as [(Int, Int?)] {
            #expect(
                try search(space, settings: settings, threads: threads, memory: memory) == found,
                "\(threads) threads, \(memory ?? -1) bytes")
        }
        let alone = try tuner(#require(found.winner)).train(
            base,
            on: Datasets(
                training: randomTexts(61, for: base, seed: 1), validation: randomTexts(23, for: base, seed: 2)),
            report: { _ in })
        #expect(alone.classifier.parameters.named.map { bits($0.tensor.array) } == found.bits)
        #expect(found.validationLoss == alone.results.validationLoss)
    }

    @Test("every trial is told once, with its steps; the last one told is the winner, and has come to its end")
    func events() throws {
        let outcome = try search(space, trials: 20)
        #expect(outcome.losses.count == 20 && outcome.trials.count == 20)
        let winner = try #require(outcome.trial)
        let last = try #require(outcome.trials.last).split(separator: " ")
        #expect(last[0] == "\(winner)" && last[1] == "finished" && last[2] == last[3])
        #expect(outcome.losses[winner] == outcome.validationLoss)
        // 20 trials, of which 7, 3 and 1 go on.
        #expect(outcome.trials.count { $0.split(separator: " ")[1] == "stopped" } >= 13)
        let first = try #require(outcome.trials.first).split(separator: " ")
        let steps = try #require(Int(first[2]))
        #expect(steps <= 4, "a 27th of six epochs of at most 15 steps")
    }

    @Test("trials that diverge are told and lose; where all do, it is an error")
    func diverging() throws {
        let outcome = try search("lr=1e-3..1e12", trials: 20)
        #expect(outcome.trials.contains { $0.contains("diverged") })
        #expect(try #require(outcome.winner).learningRate < 1)
        #expect {
            try search("lr=1e25..1e30", trials: 5)
        } throws: { error in
            if case .lossNotFinite? = error as? ModelError { true } else { false }
        }
    }

    @Test("one trial is a run; its settings are those of the winner")
    func single() throws {
        let outcome = try search("epochs=3..3", trials: 1)
        #expect(outcome.trial == 1 && outcome.winner?.epochs == 3 && outcome.trials.count == 1)
    }

    @Test("what the model can't do is found before any training")
    func impossible() throws {
        #expect(throws: ModelError.self) { try search("dropout=0..0.2", settings: settings(.head)) }
    }
}
