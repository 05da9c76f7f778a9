// Decisions against scipy's (Tests/Fixtures/make_decisions.py), against every possible choice, and on drawn records.

import Evaluation
import Foundation
import Records
import TestSupport
import Testing

struct DecisionTests {
    private struct Numbers {
        var state: UInt64

        mutating func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
    }

    private static let names = ["a", "b", "c", "d", "e", "f"].map { Array($0.utf8) }

    private func records(_ rows: [(expected: Int, probabilities: [Double])]) throws -> ScoredRecords {
        var records = ScoredRecords()
        for (line, row) in rows.enumerated() {
            try records.add(
                ScoredRecord(
                    line: line + 1, expected: Self.names[row.expected], predicted: Self.names[0],
                    probabilities: row.probabilities.enumerated().map { (Self.names[$0], $1) }), source: "records")
        }
        records.finish()
        return records
    }

    /// Records of a case of the fixture.
    private func records(_ number: Int) throws -> ScoredRecords {
        var numbers = Numbers(state: UInt64(number))
        for _ in 0..<5 { _ = numbers.below(2) }
        let (K, n) = (2 + numbers.below(5), 100 + numbers.below(300))
        return try records(
            (0..<n).map { _ in
                let label = numbers.below(K)
                var weights = (0..<K).map { _ in 1 + numbers.below(10_000) }
                weights[label] += (weights.max() ?? 0) / 3
                let total = Double(weights.reduce(0, +))
                return (label, weights.map { Double($0) / total })
            })
    }

    private var lines: [JSONValue] {
        get throws {
            try String(contentsOfFile: fixture("decisions.ndjson"), encoding: .utf8).split(separator: "\n")
                .map { try JSONValue(parsing: Array($0.utf8)) }
        }
    }

    private func number(_ value: JSONValue?) throws -> Double {
        guard case .number(let text)? = value else { throw RecordError.noRecords(source: "fixture") }
        return try #require(Double(text))
    }

    @Test("temperatures are scipy's within 1e-6, losses within 1e-9, thresholds of sets within 1e-6")
    func temperatures() throws {
        var compared = 0
        for line in try lines where line["case"] != nil {
            let records = try records(try #require(line["case"]?.int))
            var goal = DecisionGoal()
            goal.coverage = 0.8
            let fit = DecisionFit(records, goal)
            let temperature = try number(line["temperature"])
            #expect(abs(fit.decision.temperature - temperature) < 1e-6 * temperature)
            let losses = try #require(line["log_loss"]?.array)
            #expect(try abs(fit.logLoss.before - number(losses[0])) < 1e-9)
            #expect(try abs(fit.logLoss.after - number(losses[1])) < 1e-9)
            let bounds = try #require(fit.decision.setThresholds)
            for (got, expected) in zip(bounds, try #require(line["sets"]?.array)) {
                #expect(try abs(got - number(expected)) < 1e-6)
            }
            compared += 1
        }
        #expect(compared == 60)
    }

    @Test("quantiles of the beta distribution are scipy's within 1e-10, and bounds follow from them")
    func beta() throws {
        var compared = 0
        for line in try lines {
            guard let values = try line["beta"]?.array?.map(number) else { continue }
            let distribution = BetaDistribution(values[0], values[1])
            #expect(abs(distribution.quantile(values[2]) - values[3]) < 1e-10, "\(values)")
            #expect(abs(distribution.cumulative(values[3]) - values[2]) < 1e-9, "\(values)")
            compared += 1
        }
        #expect(compared == 32)
        // The rule of three, and what it says of 150 records.
        #expect(abs(ExactBound.upper(0, of: 150) - (1 - pow(0.05, 1.0 / 150))) < 1e-12)
        #expect(ExactBound.upper(5, of: 5) == 1 && ExactBound.upper(0, of: 0) == 1)
        #expect(ExactBound.records(for: 0.001) == 2995)
    }

    @Test(
        "a threshold is as good as the best of all",
        arguments: [
            DecisionGoal.Threshold.falsePositiveRate(0.05, confidence: nil), .falsePositiveRate(0, confidence: nil),
            .falsePositiveRate(0.3, confidence: 0.9), .f1, .accuracy, .balancedAccuracy,
            .cost(falsePositive: 10, falseNegative: 1),
        ], [nil, [0.9, 0.1]])
    func thresholds(_ goal: DecisionGoal.Threshold, _ shares: [Double]?) throws {
        var generator = SeededGenerator(seed: 6)
        for round in 0..<30 {
            let rows = (0..<3 + generator.nextInteger(below: 40)).map { i in
                let label = i < 2 ? i : generator.nextInteger(below: 2)
                let p = Double(1 + generator.nextInteger(below: 9) + (label == 1 ? 3 : 0)) / 14
                return (expected: label, probabilities: [1 - p, p])
            }
            let records = try records(rows)
            var fitted = DecisionGoal()
            fitted.fitsTemperature = round % 2 == 0
            fitted.shares = shares
            fitted.threshold = (1, goal)
            let decision = DecisionFit(records, fitted).decision
            let calibrated = rows.map { decision.probabilities($0.probabilities)[1] }
            let counts = [0, 1].map { label in Double(rows.count { $0.expected == label }) }
            let own = counts.map { $0 / Double(rows.count) }
            let weights = rows.map { (shares ?? own)[$0.expected] / own[$0.expected] }
            /// Larger is better; −∞ where it isn't allowed.
            func value(_ threshold: Double) -> Double {
                var sums = [[0.0, 0], [0.0, 0]]  // of each label, below and from the threshold on
                var falsePositives = 0
                for (i, row) in rows.enumerated() {
                    sums[row.expected][calibrated[i] >= threshold ? 1 : 0] += weights[i]
                    if row.expected == 0, calibrated[i] >= threshold { falsePositives += 1 }
                }
                switch goal {
                case .falsePositiveRate(let rate, let confidence):
                    let bound =
                        confidence.map { ExactBound.upper(falsePositives, of: Int(counts[0]), confidence: $0) }
                        ?? Double(falsePositives) / counts[0]
                    return bound <= rate || falsePositives == 0 ? sums[1][1] : -.infinity
                case .f1: return 2 * sums[1][1] / (2 * sums[1][1] + sums[1][0] + sums[0][1])
                case .accuracy: return sums[1][1] + sums[0][0]
                case .balancedAccuracy:
                    return sums[1][1] / sums[1].reduce(0, +) + sums[0][0] / sums[0].reduce(0, +)
                case .cost(let falsePositive, let falseNegative):
                    return -falsePositive * sums[0][1] - falseNegative * sums[1][0]
                }
            }
            let threshold = try #require(decision.threshold)
            #expect(threshold.label == 1)
            let best = (calibrated + [1.1]).map(value).max() ?? 0
            #expect(abs(value(threshold.probability) - best) < 1e-9, "\(goal), \(round)")
        }
    }

    /// Records of two classes whose probabilities say what is true, of which `share` have label 1.
    private func drawn(
        _ count: Int, _ generator: inout SeededGenerator, sharpness: Double = 1
    ) -> [(expected: Int, probabilities: [Double])] {
        (0..<count).map { _ in
            let logit = 3 * generator.nextNormal()
            let truth = 1 / (1 + exp(-logit))
            let p = 1 / (1 + exp(-sharpness * logit))
            return (generator.nextUniform() < truth ? 1 : 0, [1 - p, p])
        }
    }

    @Test("probabilities that are three times too sure get a temperature of three, and lose their calibration error")
    func overconfidence() throws {
        var generator = SeededGenerator(seed: 2)
        let fit = DecisionFit(try records(drawn(20_000, &generator, sharpness: 3)), DecisionGoal())
        #expect(abs(fit.decision.temperature - 3) < 0.15, "\(fit.decision.temperature)")
        #expect(fit.calibrationError.before > 0.08 && fit.calibrationError.after < 0.02, "\(fit.calibrationError)")
        #expect(fit.logLoss.after < fit.logLoss.before)
    }

    @Test("sets of a coverage hold the label as often on other records, within every label")
    func coverage() throws {
        var generator = SeededGenerator(seed: 3)
        var (held, totals) = ([0, 0], [0, 0])
        for _ in 0..<40 {
            var goal = DecisionGoal()
            goal.coverage = 0.9
            let decision = DecisionFit(try records(drawn(300, &generator, sharpness: 2)), goal).decision
            for record in drawn(500, &generator, sharpness: 2) {
                let set = try #require(decision.set(decision.probabilities(record.probabilities)))
                totals[record.expected] += 1
                held[record.expected] += set.contains(record.expected) ? 1 : 0
            }
        }
        for label in 0..<2 {
            let share = Double(held[label]) / Double(totals[label])
            #expect((0.89...0.93).contains(share), "\(label): \(share)")
        }
    }

    @Test("a threshold for a false positive rate keeps it on average on other records")
    func falsePositives() throws {
        var generator = SeededGenerator(seed: 4)
        var (wrong, others) = (0, 0)
        for _ in 0..<60 {
            var goal = DecisionGoal()
            goal.threshold = (1, .falsePositiveRate(0.05, confidence: nil))
            let decision = DecisionFit(try records(drawn(800, &generator)), goal).decision
            let threshold = try #require(decision.threshold)
            for record in drawn(800, &generator) where record.expected == 0 {
                others += 1
                wrong += decision.probabilities(record.probabilities)[1] >= threshold.probability ? 1 : 0
            }
        }
        #expect((0.04...0.06).contains(Double(wrong) / Double(others)), "\(wrong) of \(others)")
    }

    @Test("a threshold with a confidence keeps the rate of all other records in that share of samples")
    func promised() throws {
        var generator = SeededGenerator(seed: 8)
        let population = drawn(20_000, &generator).filter { $0.expected == 0 }
        var (kept, without) = (0, 0)
        for _ in 0..<100 {
            for confidence in [nil, 0.9] {
                var goal = DecisionGoal()
                goal.fitsTemperature = false
                goal.threshold = (1, .falsePositiveRate(0.05, confidence: confidence))
                let sample = (0..<400).map { _ in population[generator.nextInteger(below: population.count)] }
                let decision = DecisionFit(try records(sample + [(1, [0.01, 0.99])]), goal).decision
                let bound = try #require(decision.threshold).probability
                let wrong = population.count { decision.probabilities($0.probabilities)[1] >= bound }
                let holds = Double(wrong) <= 0.05 * Double(population.count)
                if confidence == nil { without += holds ? 1 : 0 } else { kept += holds ? 1 : 0 }
            }
        }
        // A binomial share of 100 with 0.9 has a standard deviation of 3.
        #expect(kept >= 82 && without <= 70, "\(kept), \(without)")
    }

    @Test("a stated prevalence brings back probabilities of a model that learned from as many of each label")
    func prevalence() throws {
        // One label in ten has a higher score; the model was trained on equal shares.
        var generator = SeededGenerator(seed: 5)
        let rows = (0..<30_000).map { _ in
            let label = generator.nextUniform() < 0.1 ? 1 : 0
            let x = generator.nextNormal() + (label == 1 ? 1 : -1)
            let p = 1 / (1 + exp(-2 * x))  // P(1 | x) with equal shares
            return (expected: label, probabilities: [1 - p, p])
        }
        var goal = DecisionGoal()
        goal.trainedShares = [0.5, 0.5]
        let fit = DecisionFit(try records(rows), goal)
        #expect(abs(fit.decision.temperature - 1) < 0.05 && fit.calibrationError.after < 0.01)
        #expect(fit.logLoss.before > fit.logLoss.after + 0.05, "\(fit.logLoss)")
        goal.shares = [0.5, 0.5]
        let equal = DecisionFit(try records(rows), goal).decision
        #expect(equal.ratios == [1, 1])
    }

    @Test("a label with too few records is in every set, and is named")
    func sparse() throws {
        var goal = DecisionGoal()
        goal.coverage = 0.95
        let rows = (0..<30).map { i in (expected: i < 5 ? 1 : 0, probabilities: i < 5 ? [0.2, 0.8] : [0.7, 0.3]) }
        let fit = DecisionFit(try records(rows), goal)
        #expect(fit.sparseLabels.count == 1 && fit.sparseLabels[0].label == 1 && fit.sparseLabels[0].needed == 19)
        #expect(fit.decision.setThresholds?[1] == 0)
    }

    @Test("a decision written as JSON reads as the same, in the model's order of labels; another model's doesn't")
    func json() throws {
        var decision = Decision(labels: ["a", "b", "c"])
        decision.temperature = 1.75
        decision.ratios = [0.5, 2, 1]
        decision.threshold = (2, 0.625)
        decision.setThresholds = [0.1, 0.2, 0.3]
        decision.coverage = 0.9
        let json = try JSONValue(parsing: decision.json(weightsSHA256: "1234", notes: []))
        #expect(try Decision(json: json, labels: ["a", "b", "c"], weightsSHA256: "1234") == decision)
        let other = try Decision(json: json, labels: ["c", "a", "b"], weightsSHA256: nil)
        #expect(other.ratios == [1, 0.5, 2] && other.threshold?.label == 0 && other.setThresholds == [0.3, 0.1, 0.2])
        let p = decision.probabilities([0.2, 0.3, 0.5])
        let q = other.probabilities([0.5, 0.2, 0.3])
        #expect(zip(p, [q[1], q[2], q[0]]).allSatisfy { abs($0 - $1) < 1e-15 } && abs(p.reduce(0, +) - 1) < 1e-12)
        #expect(throws: Decision.ReadError.otherModel) {
            try Decision(json: json, labels: ["a", "b", "c"], weightsSHA256: "99")
        }
        #expect(throws: Decision.ReadError.otherModel) {
            try Decision(json: json, labels: ["a", "b"], weightsSHA256: nil)
        }
        #expect(throws: Decision.ReadError.format) {
            try Decision(json: .object([]), labels: ["a"], weightsSHA256: nil)
        }
    }
}
