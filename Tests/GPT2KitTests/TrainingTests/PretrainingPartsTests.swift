// The parts of pretraining: losses and averages that can be computed by hand, the order of rows, the schedule.

import Foundation
import GPT2Kit
import Records
import TestSupport
import Testing
import Tokenization

struct PretrainingPartsTests {
    private let corpus: RandomCorpus
    init() throws { corpus = try RandomCorpus() }

    @Test("the first loss is the mean of the rows' own losses, and rows repeat an epoch later in another order")
    func firstLoss() throws {
        let data = try corpus.data()
        let settings = shortPretraining { $0.rows = 37 }
        var losses: [Double] = []
        _ = try Pretrainer(settings: settings, workers: Workers(count: 2)).train(data) { event in
            if case .step(let step) = event { losses.append(step.loss) }
        }
        let workers = Workers(count: 1)
        let language = try LanguageModel(
            data.base.parameters, gradients: nil, config: data.base.config, workers: workers)
        var (sum, predictions) = (0.0, 0)
        for row in 0..<data.training.count {
            var tokens: [Int32] = []
            try data.training.append(row, to: &tokens)
            let layout = TextLayout(lengths: [tokens.count])
            sum += try language.loss(tokens: tokens, layout)
            predictions += LanguageModel.predictions(layout)
        }
        #expect(predictions == data.training.predictions)
        #expect(abs(losses[0] - sum / Double(predictions)) < 1e-6)
        #expect(losses.count == 3 && losses[2] < losses[0])
    }

    @Test("a model of zeros has a loss of ln V, and bits per byte as computed by hand")
    func bitsPerByte() throws {
        let base = try corpus.model()
        let zeros = try GPT2Parameters(base.config, classes: 0) { try Tensor(shape: $1) }
        // "abc" and the end: three predictions, two bytes. "ab": one of each.
        let end = corpus.tokenizer.endOfText
        let rows = try corpus.corpus([corpus.tokenizer.encode("abc") + [end], corpus.tokenizer.encode("ab")])
        let data = try PretrainingData(
            base: PretrainedModel(base, parameters: zeros), training: rows, validation: rows)
        let settings = shortPretraining {
            $0.epochs = 1
            $0.learningRate = 1e-30
        }
        let trained = try Pretrainer(settings: settings, workers: Workers(count: 2)).train(data) { _ in }
        let loss = trained.results.kept
        #expect(loss.predictions == 4 && loss.bytes == 3)
        #expect(abs(loss.loss - log(257)) < 1e-6)
        #expect(abs(try #require(loss.bitsPerByte) - 4 * log2(257) / 3) < 1e-6)
        #expect(CorpusLoss(sum: 1, predictions: 1, bytes: 0).bitsPerByte == nil)
    }

    @Test("counts below 1 are refused, and tokens of another tokenizer than the base's")
    func refused() throws {
        let data = try corpus.data()
        for change: (inout PretrainingSettings) -> Void in [
            { $0.rows = 0 }, { $0.validateEvery = 0 }, { $0.epochs = -1 }, { $0.maxSteps = 0 },
        ] {
            #expect(throws: TrainingError.self) {
                try Pretrainer(settings: shortPretraining(change), workers: Workers(count: 1)).train(data) { _ in }
            }
        }
        // One merge more: a vocabulary of 258.
        let rows = try RandomCorpus(merges: ["a b"]).corpus([[97, 257, 98]])
        #expect(throws: ModelError.self) {
            try PretrainingData(base: data.base, training: rows, validation: data.validation)
        }
    }

    @Test("the average of the last weights is the weighted mean of the definition, and exchanges with them")
    func weightAverage() throws {
        let tensor = try Tensor(shape: [11])
        let average = try WeightAverage(of: [tensor], decay: 0.9, steps: 20, workers: Workers(count: 2))
        #expect(average.first == 16)
        var values: [[Double]] = []
        for step in 1...20 {
            for i in 0..<11 { tensor.mutablePointer[i] = Float(step * step + i) }
            average.add(after: step)
            if step > 16 { values.append((0..<11).map { Double(step * step + $0) }) }
        }
        let shares = [0.9 * 0.9 * 0.9, 0.9 * 0.9, 0.9, 1]
        for i in 0..<11 {
            let expected = zip(shares, values).reduce(0) { $0 + $1.0 * $1.1[i] } / shares.reduce(0, +)
            #expect(abs(Double(average.copies[0].pointer[i]) - expected) < 1e-3)
        }
        let (mean, last) = (average.copies[0].array, tensor.array)
        average.swap()
        #expect(tensor.array == mean && average.copies[0].array == last)
    }

    @Test("of the last weights and their average the better ones are kept")
    func betterWeightsKept() throws {
        for rate in [1e-4, 0.3] {
            let settings = shortPretraining {
                $0.learningRate = rate
                $0.schedule.shape = .constant
                $0.epochs = 12
                $0.averageDecay = 0.9
            }
            let end = try Pretrainer(settings: settings, workers: Workers(count: 2)).train(corpus.data()) { _ in }
                .results
            let average = try #require(end.average)
            #expect(end.keepsAverage == (average.loss < end.last.loss))
            #expect(end.kept.loss == min(average.loss, end.last.loss))
            // Small steps go straight down; large ones go back and forth.
            #expect(end.keepsAverage == (rate > 0.01), "\(average.loss) \(end.last.loss)")
        }
    }

    @Test("every epoch is a permutation of its own, cut into steps")
    func order() {
        var order = CorpusOrder(rows: 23, batch: 5, seed: 3)
        #expect(order.stepsPerEpoch == 4)
        var epochs: [[Int]] = []
        for epoch in 0..<3 { epochs.append((0..<4).flatMap { Array(order.rows(of: 4 * epoch + $0)) }) }
        for rows in epochs { #expect(Set(rows).count == 20 && rows.allSatisfy((0..<23).contains)) }
        #expect(Set(epochs).count == 3)
        // A step's rows don't depend on those that were asked for before.
        var other = CorpusOrder(rows: 23, batch: 5, seed: 3)
        #expect(Array(other.rows(of: 9)) == Array(epochs[2][5..<10]))
        var few = CorpusOrder(rows: 3, batch: 128, seed: 3)
        #expect(few.stepsPerEpoch == 1 && few.rows(of: 7).count == 3)
    }

    @Test("a trapezoid rises, stays, and goes down to 0 in a straight line")
    func trapezoid() {
        var schedule = LearningRateSchedule()
        schedule.shape = .trapezoid
        schedule.warmup = .share(0.1)
        let factors = (0..<20).map { schedule.factor(step: $0, of: 20) }
        let rise: [Double] = [0, 0.5]
        let flat = [Double](repeating: 1, count: 5)
        let fall: [Double] = (7..<20).map { Double(20 - $0) / 14 }
        let expected = rise + flat + fall
        #expect(zip(factors, expected).allSatisfy { abs($0 - $1) < 1e-12 }, "\(factors)")
        // A warm-up that is longer than the flat part ends in its highest point.
        schedule.warmup = .steps(10)
        #expect(schedule.factor(step: 10, of: 20) == 1 && schedule.factor(step: 11, of: 20) == 0.9)
    }
}
