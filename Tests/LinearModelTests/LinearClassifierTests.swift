// The linear model against scikit-learn's (Tests/Fixtures/make_baseline.py).

import Foundation
import LinearModel
import Records
import TestSupport
import Testing

struct LinearClassifierTests {
    private let reference: JSONValue
    private let texts: [[UInt8]]
    private let labels: [String]

    init() throws {
        reference = try JSONValue(parsing: Array(Data(contentsOf: URL(fileURLWithPath: fixture("baseline.json")))))
        texts = try #require(reference["texts"]?.array).map { Array(($0.string ?? "").utf8) }
        labels = try #require(reference["labels"]?.array).map { $0.string ?? "" }
    }

    private func number(_ value: JSONValue?) throws -> Double {
        guard case .number(let text)? = value else { throw CocoaError(.formatting) }
        return try #require(Double(text))
    }

    @Test("TF-IDF of words and of runs of characters is scikit-learn's within 1e-6")
    func features() throws {
        let names = Array(Set(labels)).sorted()
        let classes = labels.map { label in names.firstIndex(of: label) ?? 0 }
        let classifier = try LinearTrainer().train(LinearTrainingTexts(texts, classes: classes, labels: names))
            .classifier
        var compared = 0
        for (kind, key) in [(NGrams.Kind.words, "words"), (.characters, "characters")] {
            let rows = try #require(reference["values"]?[key]?.array)
            for (text, row) in zip(texts, rows) {
                let sparse = classifier.features(text[...])
                var own: [UInt32: Float] = [:]
                for (index, value) in zip(sparse.indices, sparse.values)
                where (Int(index) < classifier.vocabulary.words) == (kind == .words) {
                    own[classifier.vocabulary.hashes[Int(index)]] = value
                }
                let members = row.object ?? []
                #expect(own.count == members.count, "\(String(decoding: text, as: UTF8.self)), \(key)")
                for member in members {
                    let hash = UInt32(Vocabulary.number(kind, NGrams.hash(of: member.key)))
                    let value = Double(try #require(own[hash], "\(member.key)"))
                    #expect(abs(value - (try number(member.value))) < 1e-6, "\(member.key)")
                    compared += 1
                }
            }
        }
        #expect(compared > 1500)
    }

    @Test("margins of two and of three classes are LinearSVC's within 1e-3, whatever C and the class weights")
    func margins() throws {
        for machine in try #require(reference["machines"]?.array) {
            let names = (machine["labels"]?.array ?? []).compactMap(\.string)
            let chosen = labels.indices.filter { names.contains(labels[$0]) }
            var trainer = LinearTrainer()
            trainer.cost = try number(machine["cost"])
            trainer.balancesClasses = machine["balanced"] == .bool(true)
            let data = LinearTrainingTexts(
                chosen.map { texts[$0] }, classes: chosen.map { names.firstIndex(of: labels[$0]) ?? 0 }, labels: names)
            let classifier = try trainer.train(data).classifier
            for (text, row) in zip(chosen, try #require(machine["margins"]?.array)) {
                let margins = classifier.margins(classifier.features(texts[text][...]))
                let expected = try names.count == 2 ? [-number(row), number(row)] : (row.array ?? []).map(number)
                #expect(zip(margins, expected).allSatisfy { abs($0 - $1) < 1e-3 }, "\(margins) \(expected)")
            }
        }
    }

    @Test("the model is the same on any number of threads, and after it is written and read")
    func writtenAndRead() throws {
        let names = Array(Set(labels)).sorted()
        let data = LinearTrainingTexts(
            texts, classes: labels.map { label in names.firstIndex(of: label) ?? 0 }, labels: names)
        var trainer = LinearTrainer()
        trainer.folds = 3
        let one = try trainer.train(data).classifier
        trainer.threads = 4
        let four = try trainer.train(data).classifier
        #expect(one.weights == four.weights && one.temperature == four.temperature && one.rarity == four.rarity)
        let folder = try Folder()
        let directory = folder.path + "/linear"
        try TrainedLinearClassifier(data, trainer).write(directory: directory, command: ["baseline"])
        #expect(LinearClassifier.isThere(in: directory) && !LinearClassifier.isThere(in: folder.path))
        let read = try LinearClassifier(directory: directory)
        #expect(read.labels == names)
        for text in texts { #expect(read.probabilities(text[...]) == one.probabilities(text[...])) }
    }

    @Test("a text of nothing known gets what the bias says, and probabilities sum to 1")
    func unknown() throws {
        let classifier = try LinearTrainer().train(
            LinearTrainingTexts(texts, classes: labels.map { $0 == "spam" ? 1 : 0 }, labels: ["other", "spam"])
        ).classifier
        let nothing = classifier.features(Array("ж".utf8)[...])
        #expect(nothing.indices.isEmpty)
        #expect(classifier.margins(nothing) == [-1, 1].map { $0 * Double(classifier.weights.last ?? 0) })
        for text in texts { #expect(abs(classifier.probabilities(text[...]).reduce(0, +) - 1) < 1e-12) }
    }

    @Test("the temperature follows from texts that weren't trained on; without any it is a constant")
    func temperature() throws {
        let alike = (0..<40).map { Array("text \($0 % 5)".utf8) }
        // Texts that are alike with labels that aren't: probabilities can't be far from a half.
        let vague = try LinearTrainer().train(
            LinearTrainingTexts(alike, classes: (0..<40).map { $0 / 5 % 2 }, labels: ["a", "b"])
        ).classifier
        #expect(alike.allSatisfy { abs(vague.probabilities($0[...])[0] - 0.5) < 0.1 })
        // Without a mistake in n texts, a mistake remains as likely as one in about n.
        let clear = try LinearTrainer().train(
            LinearTrainingTexts(
                (0..<60).map { Array(($0 % 2 == 0 ? "win a prize \($0)" : "see you \($0)").utf8) },
                classes: (0..<60).map { $0 % 2 },
                labels: ["spam", "ham"]))
        let sure = clear.classifier.probabilities(Array("see you".utf8)[...])[1]
        #expect(clear.accuracy == 1 && (0.98...0.998).contains(sure), "\(sure)")
        let two = try LinearTrainer().train(
            LinearTrainingTexts([Array("a word".utf8), Array("other".utf8)], classes: [0, 1], labels: ["a", "b"]))
        #expect(two.accuracy == nil && two.classifier.temperature == 0.5)
    }
}
