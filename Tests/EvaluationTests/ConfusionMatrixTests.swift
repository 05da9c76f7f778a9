// Counts and shares against numbers worked out by hand.

import Evaluation
import Records
import Testing

struct ConfusionMatrixTests {
    private func matrix(_ counts: [(expected: String, predicted: String, count: Int)]) -> ConfusionMatrix {
        var matrix = ConfusionMatrix()
        for (expected, predicted, count) in counts {
            for _ in 0..<count { matrix.add(expected: Array(expected.utf8), predicted: Array(predicted.utf8)) }
        }
        return matrix
    }

    private func isClose(_ a: Double?, _ b: Double, _ tolerance: Double = 1e-12) -> Bool {
        a.map { abs($0 - b) <= tolerance } ?? false
    }

    @Test("counts, precision, recall and F1 of three classes are those worked out by hand")
    func threeClasses() {
        let m = matrix([
            ("c", "c", 5), ("a", "a", 8), ("a", "b", 2), ("b", "b", 3), ("b", "a", 1), ("c", "a", 1),
        ])
        #expect(m.labels == ["a", "b", "c"])
        #expect(m.total == 20 && m.correct == 16)
        #expect(m[0, 0] == 8 && m[0, 1] == 2 && m[1, 0] == 1 && m[2, 0] == 1 && m[0, 2] == 0)
        #expect((0..<3).map(m.support) == [10, 4, 6])
        #expect((0..<3).map(m.predictions) == [10, 5, 5])
        #expect(isClose(m.accuracy, 0.8))
        for (label, precision, recall, f1) in [(0, 0.8, 0.8, 0.8), (1, 0.6, 0.75, 2.0 / 3), (2, 1, 5.0 / 6, 10.0 / 11)]
        {
            #expect(isClose(m.precision(label), precision) && isClose(m.recall(label), recall))
            #expect(isClose(m.f1(label), f1))
        }
        #expect(isClose(m.macroF1, (0.8 + 2.0 / 3 + 10.0 / 11) / 3))
        #expect(isClose(m.balancedAccuracy, (0.8 + 0.75 + 5.0 / 6) / 3))
    }

    @Test("naming the frequent class every time has a high accuracy and a low balanced accuracy")
    func imbalance() {
        let m = matrix([("ham", "ham", 90), ("spam", "ham", 10)])
        #expect(isClose(m.accuracy, 0.9) && isClose(m.balancedAccuracy, 0.5))
        // A label that is only predicted has no recall.
        let other = matrix([("ham", "ham", 3), ("ham", "eggs", 1)])
        #expect(isClose(other.balancedAccuracy, 0.75))
    }

    @Test("a share whose divisor is zero is nil")
    func undefinedShares() {
        let empty = ConfusionMatrix()
        #expect(
            empty.accuracy == nil && empty.macroF1 == nil && empty.balancedAccuracy == nil
                && empty.accuracyInterval == nil)
        // b is never predicted, c never expected.
        let m = matrix([("a", "a", 1), ("b", "c", 1)])
        #expect(m.precision(1) == nil && m.recall(2) == nil && m.f1(1) == 0)
        #expect(m.precisionInterval(1) == nil && m.recallInterval(2) == nil && m.recallInterval(0) != nil)
    }

    /// Newcombe 1998, *Statistics in Medicine* 17, 857, table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    @Test(
        "the score interval is the published one",
        arguments: [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718)])
    func wilsonInterval(_ correct: Int, _ total: Int, _ low: Double, _ high: Double) {
        let interval = matrix([("a", "a", correct), ("a", "b", total - correct)]).accuracyInterval
        #expect(isClose(interval?.lowerBound, low, 5e-5) && isClose(interval?.upperBound, high, 5e-5))
    }

    @Test("labels are compared and sorted by their bytes")
    func labelBytes() {
        let m = matrix([("é", "e\u{301}", 1), ("z", "z", 1), ("Z", "Z", 1)])
        #expect(m.labels.map { Array($0.utf8) } == ["Z", "e\u{301}", "z", "é"].map { Array($0.utf8) })
        #expect(m.correct == 2)
    }
}
