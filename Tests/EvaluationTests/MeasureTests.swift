// Measures, intervals and tests against scikit-learn's and scipy's (Tests/Fixtures/make_measures.py), within 1e-9.

import Evaluation
import Foundation
import Records
import TestSupport
import Testing

struct MeasureTests {
    /// The generator that the fixture's script describes.
    private struct Numbers {
        var state: UInt64

        mutating func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
    }

    /// A case of the fixture.
    private struct Case {
        var records = ScoredRecords()
        var settings = EvaluationSettings()
        /// How many records the label of the largest probability is right for.
        var tops = 0

        init(_ number: Int) throws {
            var numbers = Numbers(state: UInt64(number))
            for _ in 0..<5 { _ = numbers.below(2) }
            let K = 2 + numbers.below(5)
            let n = 1 + numbers.below(number % 5 == 0 ? 8 : 300)
            let (isCoarse, isTop, isStated) = (numbers.below(2) == 1, numbers.below(2) == 1, numbers.below(3) == 0)
            let names = ["a", "b", "c", "d", "e", "f"].map { Array($0.utf8) }
            var counts = [Int](repeating: 0, count: K)
            for line in 0..<n {
                let label = numbers.below(K)
                counts[label] += 1
                var weights = (0..<K).map { _ in numbers.below(isCoarse ? 5 : 10_000) }
                if weights.allSatisfy({ $0 == 0 }) { weights = [Int](repeating: 1, count: K) }
                weights[label] += (weights.max() ?? 0) / 3
                let total = Double(weights.reduce(0, +))
                let probabilities = weights.map { Double($0) / total }
                let top = probabilities.indices.reduce(0) { probabilities[$1] > probabilities[$0] ? $1 : $0 }
                if top == label { tops += 1 }
                let predicted = isTop ? top : numbers.below(K)
                try records.add(
                    ScoredRecord(
                        line: line + 1, expected: names[label], predicted: names[predicted],
                        probabilities: probabilities.enumerated().map { (names[$0], $1) }), source: "case")
            }
            records.finish()
            settings.falsePositiveRate = 0.1
            settings.resamples = 0
            guard isStated else { return }
            let weights = (0..<K).map { _ in 1 + numbers.below(9) }
            let total = (0..<K).reduce(0) { $0 + (counts[$1] > 0 ? weights[$1] : 0) }
            for label in 0..<K where counts[label] > 0 {
                settings.prevalence.append(
                    (String(decoding: names[label], as: UTF8.self), Double(weights[label]) / Double(total)))
            }
        }
    }

    @Test("all measures of 1,000 random cases are scikit-learn's, within 1e-9")
    func allCases() throws {
        let lines = try String(contentsOfFile: fixture("measures.ndjson"), encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 1000)
        var (compared, undefined) = (0, 0)
        for (number, line) in lines.enumerated() {
            let expected = try JSONValue(parsing: Array(line.utf8))
            let drawn = try Case(number)
            let report = try EvaluationReport(drawn.records, drawn.settings)
            for measure in Measure.allCases {
                let got = report.measures[measure]?.value
                switch expected[measure.rawValue] {
                case .number(let text):
                    let value = try #require(Double(text))
                    #expect(
                        got.map { abs($0 - value) <= 1e-9 } ?? false, "\(number), \(measure): \(got ?? .nan), \(value)")
                    compared += 1
                case .null:
                    #expect(got == nil, "\(number), \(measure): \(got ?? .nan)")
                    undefined += 1
                default: Issue.record("\(number) lacks \(measure)")
                }
            }
            let interval = try #require(Interval.wilson(report.matrix.correct, of: report.matrix.total))
            for (got, key) in [
                (interval.lowerBound, "wilson_low"), (interval.upperBound, "wilson_high"),
                (Interval.mcNemar(report.matrix.correct, drawn.tops), "mcnemar"),
            ] {
                guard case .number(let text) = expected[key], let value = Double(text) else {
                    Issue.record("\(number) lacks \(key)")
                    continue
                }
                #expect(abs(got - value) <= 1e-9, "\(number), \(key): \(got), \(value)")
            }
        }
        #expect(compared > 11_000 && undefined > 100, "\(compared), \(undefined)")
    }

    @Test("labels alone give the measures of labels, and no others")
    func labelsAlone() throws {
        var records = ScoredRecords()
        for (expected, predicted) in ["aa", "ab", "bb", "bb"].map({ ($0.utf8.first, $0.utf8.last) }) {
            try records.add(
                ScoredRecord(
                    line: 1, expected: [expected ?? 0], predicted: [predicted ?? 0], probabilities: nil), source: "x")
        }
        records.finish()
        let measures = try EvaluationReport(records).measures
        #expect(Set(measures.keys) == Set(Measure.allCases.filter { !$0.needsProbabilities }))
        #expect(measures[.accuracy]?.value == 0.75 && measures[.balancedAccuracy]?.value == 0.75)
    }

    @Test("resamples' intervals are those of records drawn one by one, and the seed decides")
    func bootstrap() throws {
        let drawn = try Case(3)
        var settings = drawn.settings
        settings.resamples = 60
        settings.seed = 9
        let report = try EvaluationReport(drawn.records, settings)
        #expect(try EvaluationReport(drawn.records, settings).measures == report.measures)
        settings.seed = 10
        #expect(try EvaluationReport(drawn.records, settings).measures != report.measures)
        // The same draws as records of their own.
        var generator = SeededGenerator(seed: 9)
        var samples: [Measure: [Double]] = [:]
        for _ in 0..<60 {
            let indices = (0..<drawn.records.count).map { _ in generator.nextInteger(below: drawn.records.count) }
            var one = drawn.settings
            one.resamples = 0
            let values = try EvaluationReport(drawn.records.selecting(indices), one).measures
            for (measure, estimate) in values { samples[measure, default: []].append(estimate.value) }
        }
        for measure in Measure.allCases where measure != .accuracy {
            let sorted = (samples[measure] ?? []).sorted()
            guard sorted.count == 60, let interval = report.measures[measure]?.interval else { continue }
            let (low, high) = (
                sorted[1] + (sorted[2] - sorted[1]) * 0.475, sorted[57] + (sorted[58] - sorted[57]) * 0.525
            )
            #expect(abs(interval.lowerBound - low) < 1e-9 && abs(interval.upperBound - high) < 1e-9, "\(measure)")
        }
    }

    @Test("an interval holds the true accuracy in about 95 of 100 samples")
    func coverage() {
        var generator = SeededGenerator(seed: 1)
        for (n, p) in [(30, 0.9), (300, 0.95), (100, 0.5)] {
            let held = (0..<4000).count { _ in
                let hits = (0..<n).count { _ in generator.nextUniform() < p }
                return Interval.wilson(hits, of: n)?.contains(p) ?? false
            }
            #expect((0.92...0.98).contains(Double(held) / 4000), "\(n), \(p): \(held)")
        }
        #expect(Interval.wilson(0, of: 0) == nil)
    }

    /// Records of two labels, and how many of each got the other one.
    private func records(_ ham: (count: Int, wrong: Int), _ spam: (count: Int, wrong: Int)) throws -> ScoredRecords {
        var records = ScoredRecords()
        for (label, other, side) in [("ham", "spam", ham), ("spam", "ham", spam)] {
            for record in 0..<side.count {
                try records.add(
                    ScoredRecord(
                        line: record + 1, expected: Array(label.utf8),
                        predicted: Array((record < side.wrong ? other : label).utf8), probabilities: nil), source: "x")
            }
        }
        records.finish()
        return records
    }

    @Test("without a mistake among few records, intervals promise no more than those allow")
    func noMistake() throws {
        var settings = EvaluationSettings()
        settings.prevalence = [("spam", 0.01)]
        let rare = try EvaluationReport(try records((54, 0), (49, 31)), settings)
        // Up to 6.6 % of the ham may be taken for spam: then 1 message of spam in 100 makes a precision of 5 %.
        let precision = try #require(rare.classes[1].precision)
        #expect(
            precision.value == 1 && precision.interval?.lowerBound ?? 1 < 0.06 && precision.interval?.upperBound == 1)
        #expect(rare.measures[.accuracy]?.interval?.lowerBound ?? 1 < 0.94)
        let perfect = try EvaluationReport(try records((3, 0), (2, 0)), EvaluationSettings())
        #expect(perfect.measures[.balancedAccuracy]?.interval?.lowerBound ?? 1 < 0.7)
        #expect(perfect.measures[.macroF1]?.value == 1 && perfect.measures[.macroF1]?.interval == nil)
        let same = Comparison(
            try records((9, 2), (9, 1)), other: try records((9, 2), (9, 1)), EvaluationSettings())
        #expect(same.accuracy.value == 0 && same.accuracy.interval == nil && same.pValue == 1)
    }

    @Test("at a stated prevalence, too, intervals hold the truth in about 95 of 100 samples")
    func coverageAtPrevalence() throws {
        var generator = SeededGenerator(seed: 2)
        var settings = EvaluationSettings()
        settings.prevalence = [("spam", 0.2)]
        settings.resamples = 0
        for (n, falsePositive, truePositive) in [(60, 0.02, 0.9), (200, 0.05, 0.8)] {
            let precision = 0.2 * truePositive / (0.2 * truePositive + 0.8 * falsePositive)
            let accuracy = 0.2 * truePositive + 0.8 * (1 - falsePositive)
            var held = (precision: 0, accuracy: 0)
            for _ in 0..<1000 {
                let wrong = [falsePositive, 1 - truePositive].map { rate in
                    (0..<n).count { _ in generator.nextUniform() < rate }
                }
                let report = try EvaluationReport(try records((n, wrong[0]), (n, wrong[1])), settings)
                if report.classes[1].precision?.interval?.contains(precision) ?? false { held.precision += 1 }
                if report.measures[.accuracy]?.interval?.contains(accuracy) ?? false { held.accuracy += 1 }
            }
            #expect((920...985).contains(held.precision) && (920...985).contains(held.accuracy), "\(n): \(held)")
        }
    }

    @Test("prevalences that can't be are refused")
    func prevalences() throws {
        let records = try Case(2).records
        func fails(_ prevalence: [(String, Double)]) -> Bool {
            var settings = EvaluationSettings()
            settings.resamples = 0
            settings.prevalence = prevalence
            return (try? EvaluationReport(records, settings)) == nil
        }
        #expect(fails([("z", 0.1)]) && fails([("a", 0.1), ("a", 0.2)]) && fails([("a", 0.7), ("b", 0.7)]))
        #expect(fails(records.labels.map { ($0, 0.1) }) && !fails([("a", 0.25)]))
        var settings = EvaluationSettings()
        settings.resamples = 0
        settings.prevalence = [("a", 0.25)]
        let shares = try #require(try EvaluationReport(records, settings).prevalence)
        #expect(shares[0].share == 0.25 && abs(shares.reduce(0) { $0 + $1.share } - 1) < 1e-12)
        settings = EvaluationSettings()
        settings.positive = "z"
        #expect(throws: EvaluationError.unknownLabel("z", known: records.labels)) {
            try EvaluationReport(records, settings)
        }
    }

    @Test("McNemar's test is symmetric, 1 for equal counts, and exact for few")
    func mcNemar() {
        #expect(Interval.mcNemar(0, 0) == 1 && Interval.mcNemar(7, 7) == 1)
        #expect(abs(Interval.mcNemar(0, 5) - 0.0625) < 1e-12 && Interval.mcNemar(5, 0) == Interval.mcNemar(0, 5))
        #expect(abs(Interval.mcNemar(1, 9) - 22.0 / 1024) < 1e-12)
        #expect(Interval.mcNemar(400_000, 410_000) < 1e-20 && Interval.mcNemar(400_000, 400_100) > 0.9)
    }

    private func records(_ expected: some Sequence<Character>, _ predicted: some Sequence<Character>) throws
        -> ScoredRecords
    {
        var records = ScoredRecords()
        for (expected, predicted) in zip(expected, predicted) {
            try records.add(
                ScoredRecord(
                    line: 1, expected: Array("\(expected)".utf8), predicted: Array("\(predicted)".utf8),
                    probabilities: nil), source: "x")
        }
        records.finish()
        return records
    }

    @Test("a comparison takes labels as bytes")
    func comparedBytes() throws {
        // Composed and decomposed, which Swift takes for equal.
        let labels: [Character] = ["\u{E9}", "e\u{301}"]
        let comparison = try Comparison(
            records(labels, labels), other: records(labels, labels.reversed()), EvaluationSettings())
        #expect(comparison.changed == 2 && comparison.onlyThis == 2 && comparison.onlyOther == 0)
    }

    @Test("a comparison counts what changed, and its intervals hold the differences")
    func comparison() throws {
        func records(_ labels: String) throws -> ScoredRecords { try self.records("aaaabbbbbb", labels) }
        let comparison = try Comparison(records("aaabbbbbba"), other: records("abbbbbbbbc"), EvaluationSettings())
        #expect(comparison.records == 10 && comparison.changed == 3 && comparison.onlyThis == 2)
        #expect(comparison.onlyOther == 0 && comparison.pValue == 0.5)
        #expect(abs(comparison.accuracy.value - 0.2) < 1e-12 && abs(comparison.balancedAccuracy.value - 0.25) < 1e-12)
        #expect(comparison.accuracy.interval.map { $0.contains(0.2) && $0.lowerBound >= 0 } ?? false)
    }
}
