// Weights of words against scores of every edited text.

import GPT2Kit
import Platform
import Records
import TestSupport
import Testing

struct ExplainerTests {
    private let place: Folder

    init() throws {
        place = try Folder()
        try writeByteTokenizer(place.path)
    }

    private func scorer(
        _ pooling: Pooling, isCausal: Bool = true, paddedLength: Int = 60, threads: Int = 2
    ) throws -> Scorer {
        let classifier = try randomClassifier(
            place.path, labels: ["a", "b", "c"], pooling: pooling, paddedLength: paddedLength)
        return try Scorer(
            isCausal ? classifier : classifier.with(isCausal: false), workers: Workers(count: threads))
    }

    private static let texts = [
        "get a loan of 5000 today and pay never", "one", "", "  two  spaces  around ", "é ü 中文 🎉 done",
        "a text that is longer than the model's padded length, so that its end is cut when nothing is deleted at all",
    ]

    private func logOdds(_ score: Score, _ label: Int) -> Double {
        log(score.probabilities[label] / (1 - score.probabilities[label]))
    }

    @Test(
        "scores of edited copies are those of each text alone, within 1e-5", arguments: Pooling.allCases, [true, false])
    func edits(_ pooling: Pooling, _ isCausal: Bool) throws {
        let scorer = try scorer(pooling, isCausal: isCausal)
        var generator = SeededGenerator(seed: 4)
        for text in Self.texts.map({ Array($0.utf8) }) {
            var edits = [text, [], Array("another text".utf8), text + Array(" more".utf8)]
            for _ in 0..<12 where text.count > 1 && text.allSatisfy({ $0 < 0x80 }) {
                let first = generator.nextInteger(below: text.count)
                let last = first + generator.nextInteger(below: text.count - first)
                edits.append(Array(text[..<first] + text[last...]))
            }
            let (whole, scores) = try scorer.score(text, edits: edits)
            for (got, expected) in zip([whole] + scores, try scorer.score([text] + edits)) {
                for (p, q) in zip(got.probabilities, expected.probabilities) { #expect(abs(p - q) <= 1e-5) }
                #expect(got.label == expected.label)
            }
        }
    }

    @Test("a word's weight is the difference of log-odds, and words are runs without white space")
    func weights() throws {
        let scorer = try scorer(.lastToken)
        let explainer = Explainer(scorer)
        for text in Self.texts {
            let explanation = try explainer.explain(Array(text.utf8))
            let words = text.split(whereSeparator: \.isWhitespace)
            #expect(
                explanation.words.map { String(decoding: Array(text.utf8)[$0.word.range], as: UTF8.self) }
                    == words.map(String.init))
            let whole = try scorer.score([Array(text.utf8)])[0]
            #expect(explanation.label == whole.label)
            // Texts with one space between words and none around: deleting is leaving out.
            guard text == words.joined(separator: " ") else { continue }
            for (index, (_, weight)) in explanation.words.enumerated() {
                var rest = words
                rest.remove(at: index)
                let edited = try scorer.score([Array(rest.joined(separator: " ").utf8)])[0]
                let expected = logOdds(whole, whole.label) - logOdds(edited, whole.label)
                #expect(abs(weight - expected) < 1e-4, "\(text), \(index): \(weight), \(expected)")
            }
        }
        let other = try explainer.explain(Array(Self.texts[0].utf8), label: 1)
        #expect(other.label == 1)
    }

    @Test(
        "of a text that is cut, words behind that weigh nothing, and those before it what they weigh in whole copies",
        .timeLimit(.minutes(1)), arguments: Pooling.allCases)
    func longText(_ pooling: Pooling) throws {
        let scorer = try scorer(pooling)
        var generator = SeededGenerator(seed: 9)
        let words = (0..<30_000).map { _ in String(repeating: "x", count: 1 + generator.nextInteger(below: 9)) }
        let text = Array(words.joined(separator: " ").utf8)
        let explanation = try Explainer(scorer).explain(text)
        #expect(explanation.words.count == words.count)
        let whole = try scorer.score([text])[0]
        var isRead = 0
        for index in 0..<40 {
            var rest = words
            rest.remove(at: index)
            let edited = try scorer.score([Array(rest.joined(separator: " ").utf8)])[0]
            let expected = logOdds(whole, whole.label) - logOdds(edited, whole.label)
            #expect(abs(explanation.words[index].weight - expected) < 1e-4, "\(index)")
            if explanation.words[index].weight != 0 { isRead += 1 }
        }
        #expect(explanation.words.dropFirst(60).allSatisfy { $0.weight == 0 })
        if pooling != .first { #expect(isRead > 3) }
    }

    @Test("weights have the same bits on any number of threads")
    func sameBits() throws {
        let runs = try [1, 2, 3].map { threads in
            try Explainer(scorer(.lastToken, threads: threads)).explain(Array(Self.texts[0].utf8)).words.map(\.weight)
        }
        #expect(runs[1] == runs[0] && runs[2] == runs[0])
    }

    @Test("a counterfactual gets another label, and its words are missing in its text")
    func counterfactuals() throws {
        var found = 0
        for pooling in [Pooling.lastToken, .meanText] {
            let scorer = try scorer(pooling)
            let explainer = Explainer(scorer)
            for text in Self.texts {
                let bytes = Array(text.utf8)
                let original = try scorer.score([bytes])[0].label
                guard let result = try explainer.counterfactual(bytes, most: 30) else { continue }
                found += 1
                #expect(result.label != original && !result.removed.isEmpty)
                #expect(try scorer.score([result.text])[0].label == result.label)
                let left = String(decoding: result.text, as: UTF8.self).split(whereSeparator: \.isWhitespace).count
                #expect(left + result.removed.count == text.split(whereSeparator: \.isWhitespace).count)
                #expect(
                    try explainer.counterfactual(bytes, most: result.removed.count - 1) == nil
                        || result.removed.count == 1)
            }
        }
        #expect(found > 0)
    }
}
