// Cross-validation: what each fold is given is what a model says that was trained without it.

import Evaluation
import GPT2Kit
import TestSupport
import Testing
import Tokenization

struct CrossValidationTests {
    private let place: Folder
    private let base: Classifier

    init() throws {
        place = try Folder()
        try writeByteTokenizer(place.path)
        base = try randomClassifier(place.path)
    }

    /// Some rows of `texts`, in their order.
    private func selecting(_ rows: [Int], of texts: LabelledTexts) -> LabelledTexts {
        let all = texts.texts.rows
        var chosen = TokenRows()
        for row in rows { chosen.append(Array(all[row]), label: all.labels[row], line: all.lines[row]) }
        return LabelledTexts(
            source: "texts", texts: TokenizedTexts(description: texts.texts.description, rows: chosen, truncated: 0))
    }

    @Test(
        "the probabilities of a fold are those of a training without it, and of no other",
        arguments: [TrainableSet.head, .lastBlocks(1), .all, .lora(LoRA())])
    func unseen(_ trainable: TrainableSet) throws {
        let settings = shortTraining(epochs: 3) {
            $0.trainable = trainable
            $0.learningRate = 1e-2
            if trainable != .head { $0.dropout = 0.1 }
        }
        let texts = randomTexts(40, for: base, seed: 8)
        let tuner = FineTuner(settings: settings, workers: Workers(count: 2))
        let found = try tuner.crossValidate(base, on: texts, folds: 4)
        let rows = texts.texts.rows
        let folds = Folds.assign(
            labels: rows.labels.map(Int.init),
            texts: DistinctTexts([texts.texts], .lastToken, isCausal: true).textOfRow[0],
            count: 4, seed: settings.seed)
        let whole = try tuner.train(base, on: Datasets(training: texts, validation: texts)) { _ in }
        let known = try Scorer(whole.classifier, workers: tuner.workers).score(tokens: (0..<40).map { Array(rows[$0]) })
        var differences = 0
        for fold in 0..<4 {
            let others = selecting(folds.indices.filter { folds[$0] != fold }, of: texts)
            let trained = try tuner.train(base, on: Datasets(training: others, validation: others)) { _ in }
            let held = folds.indices.filter { folds[$0] == fold }
            #expect(held.count == 10)
            let scores = try Scorer(trained.classifier, workers: tuner.workers).score(
                tokens: held.map { Array(rows[$0]) })
            for (score, row) in zip(scores, held) {
                for (k, p) in score.probabilities.enumerated() {
                    #expect(abs(p - found[2 * row + k]) < 1e-5, "fold \(fold), row \(row)")
                }
                if abs(known[row].probabilities[0] - found[2 * row]) > 1e-3 { differences += 1 }
            }
        }
        #expect(differences > 20, "a model that has seen the rows says the same: \(differences) differ")
    }

    @Test("settings that choose among the weights of a run are refused, and so are folds too few")
    func refused() throws {
        let texts = randomTexts(40, for: base, seed: 8)
        func expectRefused(_ words: String, folds: Int = 4, _ change: (inout TrainingSettings) -> Void) {
            let tuner = FineTuner(settings: shortTraining(epochs: 1, change), workers: Workers(count: 1))
            #expect {
                _ = try tuner.crossValidate(base, on: texts, folds: folds)
            } throws: {
                "\($0)".contains(words)
            }
        }
        expectRefused("last weights") { $0.patience = 2 }
        expectRefused("last weights") { $0.keep = .best }
        expectRefused("last weights") { $0.averageDecay = 0.9 }
        for folds in [-1, 0, 1] { expectRefused("folds are too few", folds: folds) { _ in } }
    }
}
