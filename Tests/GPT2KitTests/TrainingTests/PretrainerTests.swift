// Pretraining: the same bits however often it is stopped, and on however many threads.

import Foundation
import GPT2Kit
import Records
import Synchronization
import TestSupport
import Testing
import Tokenization

struct PretrainerTests {
    private let corpus: RandomCorpus
    private var output: String { corpus.folder.path + "/out" }
    init() throws { corpus = try RandomCorpus() }

    /// What a run, or a part of one, came to.
    private struct Outcome: RunOutcome {
        var bits: [[UInt32]] = []
        var events: [String] = []
        var warnings: [String] = []
        var stopped: Int?
        var end: PretrainingEvent.EndSummary?
        var trained: TrainedLanguageModel?
    }

    /// - Parameters:
    ///   - stop: the step after which the run is asked to stop.
    ///   - removes: whether checkpoints go when the run is through.
    private func train(
        _ settings: PretrainingSettings, every: Int? = nil, resumes: Bool = false, stop: Int? = nil, threads: Int = 2,
        data seed: UInt64 = 1, saves: Bool = true, removes: Bool = true
    ) throws -> Outcome {
        let workers = Workers(count: threads)
        var pretrainer = Pretrainer(settings: settings, workers: workers)
        let data = try corpus.data(seed: seed)
        let steps = Mutex(0)
        if saves {
            pretrainer.checkpoints = Checkpoints(
                output: output, every: every, resumes: resumes, identity: data.identity(settings, workers: workers)
            ) { steps.withLock { $0 == stop } }
        }
        var outcome = Outcome()
        do {
            let trained = try pretrainer.train(data) { event in
                switch event {
                case .start, .checkpoint, .counted, .embedded: break
                case .resume(_, let step): outcome.events.append("resume \(step)")
                case .warning(let diagnosis): outcome.warnings.append(diagnosis.message)
                case .step(let step):
                    outcome.events.append(
                        "step \(step.step) \(step.epoch) \(step.tokens) \(step.loss) \(step.learningRate) "
                            + "\(step.gradientNorm ?? -1)")
                    steps.withLock { $0 = step.step + 1 }
                case .evaluation(let step, let loss, _): outcome.events.append("evaluation \(step) \(loss.sum)")
                case .end(let end):
                    outcome.events.append("end \(end.reason) \(end.steps) \(end.tokens) \(end.last.sum)")
                    outcome.end = end
                }
            }
            outcome.bits = trained.model.parameters.named.map { bits($0.tensor.array) }
            outcome.trained = trained
            if removes { pretrainer.checkpoints?.remove() }
        } catch let stopped as TrainingStopped {
            outcome.stopped = stopped.step
        }
        return outcome
    }

    private static let variants: [@Sendable (inout PretrainingSettings) -> Void] = [
        { _ in },
        {
            $0.averageDecay = nil; $0.clipNorm = nil; $0.schedule.shape = .cosine
        },
        {
            $0.averageDecay = 0.5; $0.rows = 5; $0.learningRate = 0.05
        },
        {
            $0.epochs = nil; $0.maxSteps = 9; $0.validateEvery = 1
        },
        {
            $0.precision = .bfloat16; $0.epochs = 2
        },
        {
            $0.optimizer = .muon; $0.muonRate = 1e-2
        },
        { $0.embeddings = .cooccurrence },
    ]

    @Test("a run stopped after any step resumes to the same bits and events [P3]", arguments: variants.indices)
    func stoppedAfterAnyStep(_ variant: Int) throws {
        let settings = shortPretraining(Self.variants[variant])
        try expectSameAfterAnyStop(
            whole: try train(settings, saves: false), saved: try train(settings, every: 2),
            stopped: { try train(settings, stop: $0, threads: 1) },
            resumed: { try train(settings, resumes: true, threads: 2) })
    }

    @Test("a request to stop is made once, and the run is saved all the same")
    func askedOnce() throws {
        let workers = Workers(count: 2)
        let settings = shortPretraining()
        var pretrainer = Pretrainer(settings: settings, workers: workers)
        let data = try corpus.data(seed: 1)
        let steps = Mutex(0)
        let isAsked = Mutex(false)
        pretrainer.checkpoints = Checkpoints(
            output: output, every: nil, resumes: false, identity: data.identity(settings, workers: workers)
        ) {
            guard steps.withLock({ $0 == 2 }) else { return false }
            return isAsked.withLock { isAsked in
                defer { isAsked = true }
                return !isAsked
            }
        }
        #expect {
            _ = try pretrainer.train(data) { if case .step(let step) = $0 { steps.withLock { $0 = step.step + 1 } } }
        } throws: {
            ($0 as? TrainingStopped)?.step == 2
        }
    }

    @Test("a run has the same bits on any number of threads [P4]")
    func anyThreads() throws {
        let optimizers = PretrainingSettings.Optimizer.allCases
        let runs = try optimizers.map { optimizer in
            let settings = shortPretraining { $0.optimizer = optimizer }
            let one = try train(settings, threads: 1, saves: false)
            for threads in [2, 3] {
                let other = try train(settings, threads: threads, saves: false)
                #expect(other.bits == one.bits && other.events == one.events, "\(optimizer), \(threads) threads")
            }
            return one
        }
        let one = runs[0]
        #expect(runs[1].bits != one.bits)
        #expect(try train(shortPretraining { $0.seed = 5 }, saves: false).bits != one.bits)
        let counted = shortPretraining { $0.embeddings = .cooccurrence }
        let first = try train(counted, threads: 1, saves: false)
        #expect(try train(counted, threads: 3, saves: false).bits == first.bits && first.bits != one.bits)
    }

    @Test("a run that time ends is whole, and goes on with more minutes to the same bits [P5]")
    func outOfTime() throws {
        let settings = shortPretraining()
        let whole = try train(settings, saves: false)
        let short = try train(shortPretraining { $0.maxMinutes = 1e-9 }, removes: false)
        #expect(short.end?.reason == .maxMinutes && short.end?.steps == 1 && !short.bits.isEmpty)
        #expect(short.trained?.runSHA256 == nil)
        // No more minutes, no more steps; the model is the same.
        let again = try train(shortPretraining { $0.maxMinutes = 1e-9 }, resumes: true, removes: false)
        #expect(again.bits == short.bits && again.events.first == "resume 1")
        let rest = try train(
            shortPretraining {
                $0.maxMinutes = 60; $0.validateEvery = 2
            }, resumes: true)
        #expect(rest.bits == whole.bits && rest.end?.reason == .epochs && rest.trained?.runSHA256 != nil)
    }

    @Test("a run with other settings or data is refused, with all differences [P3]")
    func otherRun() throws {
        _ = try train(shortPretraining(), stop: 2)
        func refused(_ words: [String], data: UInt64 = 1, _ change: (inout PretrainingSettings) -> Void = { _ in }) {
            #expect {
                try train(shortPretraining(change), resumes: true, data: data)
            } throws: { error in
                guard case .otherRun(let differences, _)? = error as? TrainingError else { return false }
                return differences == words
            }
        }
        refused(["learning_rate 0.1 (was 0.002)", "decay_from 0.5 (was 0.3)"]) {
            $0.learningRate = 0.1
            $0.schedule.decayFrom = 0.5
        }
        refused(["precision \"bf16\" (was \"f32\")"]) { $0.precision = .bfloat16 }
        refused(["training data", "validation data"], data: 7)
    }

    @Test("a loss that isn't finite ends the run with its step [P6]")
    func infiniteLoss() throws {
        let settings = shortPretraining {
            $0.learningRate = 1e30
            $0.clipNorm = nil
            $0.schedule.warmup = .steps(0)
        }
        #expect {
            try train(settings, saves: false)
        } throws: { error in
            guard case .lossNotFinite(let step)? = error as? TrainingError else { return false }
            return step > 0
        }
    }
}
