// Decisions at the edges: no mistakes, probabilities that rounding has changed, promises that nothing can keep.

import Evaluation
import Foundation
import TestSupport
import Testing

struct DecisionEdgeTests {
    private func records(_ rows: [(expected: Int, probabilities: [Double])]) throws -> ScoredRecords {
        let names = ["a", "b"].map { Array($0.utf8) }
        var records = ScoredRecords()
        for (line, row) in rows.enumerated() {
            try records.add(
                ScoredRecord(
                    line: line + 1, expected: names[row.expected], predicted: names[0],
                    probabilities: row.probabilities.enumerated().map { (names[$0], $1) }), source: "records")
        }
        records.finish()
        return records
    }

    @Test(
        "where all records are right by far, the temperature assumes a mistake, and doesn't make the model surer and surer"
    )
    func withoutMistake() throws {
        let rows = (0..<30).map { i in (expected: i % 2, probabilities: i % 2 == 1 ? [0.1, 0.9] : [0.9, 0.1]) }
        let fit = DecisionFit(try records(rows), DecisionGoal())
        #expect(fit.assumesMistake)
        // Smoothing of 1/31 has its optimum where p is 1 − 1/62: log(61) = log(9)/T.
        #expect(abs(fit.decision.temperature - log(9) / log(61)) < 1e-6, "\(fit.decision.temperature)")
        let wrong = DecisionFit(try records(rows + [(0, [0.1, 0.9])]), DecisionGoal())
        #expect(!wrong.assumesMistake && wrong.decision.temperature > fit.decision.temperature)
    }

    @Test("a record at the edge of its set is in it, whatever rounding did to its probabilities")
    func edge() throws {
        // Forty texts of each label with one probability that 32 bits can't hold.
        let p = [1.0 / 3, 2.0 / 3]
        let rounded = p.map { Double(Float($0)) }
        var goal = DecisionGoal()
        (goal.coverage, goal.fitsTemperature) = (0.9, false)
        let decision = DecisionFit(
            try records(
                (0..<80).map { i in (expected: i % 2, probabilities: i % 2 == 1 ? rounded : rounded.reversed()) }), goal
        ).decision
        #expect(
            decision.set(decision.probabilities(p)) == [1] && decision.set(decision.probabilities(p.reversed())) == [0])
        let below = decision.probabilities([p[0] + 1e-5, p[1] - 1e-5])
        #expect(decision.set(below) == [])
    }

    @Test("the number of records that a promise takes is told where it can be written")
    func numberOfRecords() {
        #expect(ExactBound.records(for: 0.05) == 59)
        for (share, confidence) in [(0.0, 0.95), (1e-300, 0.9)] {
            #expect(ExactBound.records(for: share, confidence: confidence) == nil)
        }
        #expect(ExactBound.records(for: 1e-12) == 2_995_732_273_553)
    }
}
