// The few calls that most programs need.

import Foundation
import GPT2Kit
import TestSupport
import Testing

struct TextClassifierTests {
    private let folder: Folder
    private let base = fixture("conversion/base")
    init() throws { folder = try Folder() }

    private let texts = (0..<12).flatMap { _ in
        [
            LabelledText("aaaa", label: "letters"), LabelledText("1234", label: "digits"),
            LabelledText("!?!?", label: "marks"),
        ]
    }

    private func train(_ settings: TrainingSettings = TrainingSettings()) throws -> TextClassifier {
        var settings = settings
        (settings.trainable, settings.epochs, settings.learningRate) = (.all, 20, 0.01)
        return try TextClassifier.train(
            texts, validation: Array(texts.prefix(3)), base: base, settings: settings, to: "\(folder.path)/model")
    }

    @Test("a model of a few texts learns them, and is the same when it is read again")
    func training() throws {
        let classifier = try train()
        #expect(classifier.labels == ["digits", "letters", "marks"])
        let results = try classifier.classify(texts.map(\.text))
        #expect(results.map(\.label) == texts.map(\.label))
        let read = try TextClassifier(directory: "\(folder.path)/model", threads: 1)
        #expect(try read.classify(texts.map(\.text)) == results)
        for result in results {
            #expect(result.probabilities[result.label] == result.probability && !result.isUnsure)
            #expect(abs(result.probabilities.values.reduce(0, +) - 1) < 1e-6)
        }
        #expect(try read.classify("aaaa") == results[0])
        #expect(try read.classify([String]()).isEmpty)
    }

    @Test("words of a text have the weights that explain gives them")
    func explanation() throws {
        let classifier = try train()
        let text = "aaaa aa 1"
        let words = try classifier.explain(text)
        #expect(words.map(\.word) == ["aaaa", "aa", "1"])
        let scorer = try Scorer(
            Classifier(directory: "\(folder.path)/model", workers: Workers(count: 1)), precision: .automatic,
            workers: Workers(count: 1))
        let expected = try Explainer(scorer).explain(Array(text.utf8))
        #expect(words.map(\.weight) == expected.words.map(\.weight))
        #expect(words.contains { $0.weight != 0 })
    }

    @Test("a label that no training text has, and a directory without a model, are errors that say what to do")
    func errors() throws {
        #expect {
            try TextClassifier.train(
                texts, validation: [LabelledText("x", label: "other")], base: base, to: "\(folder.path)/model")
        } throws: {
            ($0 as? TrainingError)?.diagnosis.problem.contains("has the label 'other'") ?? false
        }
        #expect(throws: (any Error).self) { try TextClassifier(directory: "\(folder.path)/none") }
        #expect(throws: ModelError.self) { try TextClassifier(directory: base) }
    }

    @Test("calls from several threads get what they ask for")
    func threads() async throws {
        let classifier = try train()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for text in texts {
                group.addTask { try classifier.classify(text.text).label == text.label }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }
}
