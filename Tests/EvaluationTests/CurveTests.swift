// Curves against the measures that are computed apart from them, and that equal scikit-learn's.

import Evaluation
import Records
import Testing

struct CurveTests {
    /// Random records with `K` labels; probabilities are rounded, so that some are equal.
    private func records(_ K: Int, seed: UInt64) throws -> ScoredRecords {
        var generator = SeededGenerator(seed: seed)
        var records = ScoredRecords()
        let names = (0..<K).map { Array("label \($0)".utf8) }
        for line in 1...120 {
            let expected = generator.nextInteger(below: K)
            var weights = (0..<K).map { _ in Double(1 + generator.nextInteger(below: 20)) }
            weights[expected] += 6
            let total = weights.reduce(0, +)
            let best = weights.indices.reduce(0) { weights[$1] > weights[$0] ? $1 : $0 }
            try records.add(
                ScoredRecord(
                    line: line, expected: names[expected], predicted: names[best],
                    probabilities: zip(names, weights).map { (label: $0, probability: $1 / total) }), source: "test")
        }
        records.finish()
        return records
    }

    /// The blocks of a table, as numbers, without their headings.
    private func blocks(_ table: String?) throws -> [[[Double]]] {
        try #require(table).split(separator: "\n", omittingEmptySubsequences: false).split(separator: "").filter {
            !$0.isEmpty
        }
        .map { $0.dropFirst().map { $0.split(separator: "\t").map { Double($0) ?? .nan } } }
    }

    @Test("the area under the curves is ROC AUC and average precision, for two labels and for four")
    func areas() throws {
        for K in [2, 4] {
            for seed in 1...5 as ClosedRange<UInt64> {
                let records = try records(K, seed: seed)
                let measures = try EvaluationReport(records).measures
                let roc = try blocks(Curve.roc.table(records, positive: 1))
                #expect(roc.count == (K == 2 ? 1 : K))
                let areas = roc.map { points in
                    zip(points, points.dropFirst()).reduce(0) { $0 + ($1.1[0] - $1.0[0]) * ($1.1[1] + $1.0[1]) / 2 }
                }
                let area = areas.reduce(0, +) / Double(areas.count)
                #expect(abs(area - (measures[.rocAUC]?.value ?? 0)) < 1e-12)
                #expect(roc.allSatisfy { $0.first == [0, 0] && $0.last == [1, 1] })
                let precisions = try blocks(Curve.precisionRecall.table(records, positive: 1)).map { points in
                    zip([[0, 0]] + points, points).reduce(0) { $0 + ($1.1[0] - $1.0[0]) * $1.1[1] }
                }
                let precision = precisions.reduce(0, +) / Double(precisions.count)
                #expect(abs(precision - (measures[.averagePrecision]?.value ?? 0)) < 1e-12)
            }
        }
    }

    @Test("the bins of the reliability curve give the calibration error, and those of the histogram all records")
    func bins() throws {
        for seed in 1...5 as ClosedRange<UInt64> {
            let records = try records(3, seed: seed)
            let bins = try blocks(Curve.reliability.table(records, positive: 0))[0]
            let error = bins.reduce(0) { $0 + abs($1[0] - $1[1]) * $1[2] } / Double(records.count)
            #expect(abs(error - (try EvaluationReport(records).measures[.ece]?.value ?? 0)) < 1e-12)
            let histogram = try blocks(Curve.histogram.table(records, positive: 0))[0]
            #expect(histogram.count == 20)
            #expect(histogram.reduce(0) { $0 + $1[1] } == Double(records.matrix.correct))
            #expect(histogram.reduce(0) { $0 + $1[1] + $1[2] } == 120)
        }
    }

    @Test("a temperature fitted on records lowers their own log loss and changes no label")
    func calibrated() throws {
        let records = try records(3, seed: 9)
        let calibrated = try #require(records.calibrated(on: records))
        let (before, after) = (try EvaluationReport(records).measures, try EvaluationReport(calibrated).measures)
        #expect((after[.logLoss]?.value ?? 1) < (before[.logLoss]?.value ?? 0))
        #expect(after[.accuracy] == before[.accuracy])
        #expect(records.calibrated(on: try self.records(2, seed: 1)) == nil)
    }
}
