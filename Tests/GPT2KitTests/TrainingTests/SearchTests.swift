// A search: its winner is the model that a run with its settings gives.

import GPT2Kit
import TestSupport
import Testing

struct SearchTests {
    private let place: Folder
    private let base: Classifier

    init() throws {
        place = try Folder()
        try writeByteTokenizer(place.path)
        base = try randomClassifier(place.path)
    }

    private struct Outcome: Equatable {
        var bits: [[UInt32]] = []
        /// Number, outcome, steps and loss of every trial, in the order of their events.
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

    @Test("settings that choose among the weights of a run, or end it by the clock, are refused")
    func refused() throws {
        let changes: [(inout TrainingSettings) -> Void] = [
            { $0.patience = 2 }, { $0.keep = .best }, { $0.averageDecay = 0.9 }, { $0.maxMinutes = 1 },
        ]
        for change in changes {
            var settings = settings()
            change(&settings)
            #expect(throws: TrainingError.self) { try search(space, settings: settings) }
        }
    }

    @Test(
        "the winner equals a run with its settings, on any threads, however little memory is kept",
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

    @Test("every trial is reported once with its steps, and the last one is the winner at its end")
    func trialEvents() throws {
        let outcome = try search(space, trials: 20)
        #expect(outcome.losses.count == 20 && outcome.trials.count == 20)
        let winner = try #require(outcome.trial)
        let last = try #require(outcome.trials.last).split(separator: " ")
        #expect(last[0] == "\(winner)" && last[1] == "finished" && last[2] == last[3])
        #expect(outcome.losses[winner] == outcome.validationLoss)
        // 20 trials, of which 7, 3 and 1 continue.
        #expect(outcome.trials.count { $0.split(separator: " ")[1] == "stopped" } >= 13)
        let first = try #require(outcome.trials.first).split(separator: " ")
        let steps = try #require(Int(first[2]))
        #expect(steps <= 4, "a 27th of six epochs of at most 15 steps")
    }

    @Test("diverging trials are reported and lose, and a search where all diverge is an error")
    func divergingTrials() throws {
        let outcome = try search("lr=1e-3..1e12", trials: 20)
        #expect(outcome.trials.contains { $0.contains("diverged") })
        #expect(try #require(outcome.winner).learningRate < 1)
        #expect {
            try search("lr=1e25..1e30", trials: 5)
        } throws: { error in
            if case .lossNotFinite? = error as? TrainingError { true } else { false }
        }
    }

    @Test("a search of one trial is a run with the winner's settings")
    func singleTrial() throws {
        let outcome = try search("epochs=3..3", trials: 1)
        #expect(outcome.trial == 1 && outcome.winner?.epochs == 3 && outcome.trials.count == 1)
    }

    @Test("settings that the model can't use are found before any training")
    func impossibleSettings() throws {
        #expect(throws: TrainingError.self) { try search("dropout=0..0.2", settings: settings(.head)) }
    }
}
