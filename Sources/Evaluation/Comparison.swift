// Two models on the same records.

import Records

/// How the scores of two models differ on the same records.
public struct Comparison: Sendable {
    /// How many records there are.
    public let records: Int
    /// Records that this model alone labels rightly, and those that the other one alone does.
    public let onlyThis: Int, onlyOther: Int
    /// Records to which they give different labels.
    public let changed: Int
    /// The exact two-sided probability of so uneven a split of ``onlyThis`` and ``onlyOther``, if both models were equally
    /// good (McNemar 1947).
    public let pValue: Double
    /// This model's accuracy less the other's, at the stated prevalence where there is one, with the interval of resamples of the
    /// records.
    public let accuracy: Estimate
    /// The same of the balanced accuracy.
    public let balancedAccuracy: Estimate

    /// - Parameters:
    ///   - records: this model's.
    ///   - other: the other model's labels of the same records, in the same order.
    ///   - settings: the resamples and their seed.
    ///   - shares: the share that every label is to have; nil for those of the records.
    public init(
        _ records: ScoredRecords, other: ScoredRecords, _ settings: EvaluationSettings, shares: [Double]? = nil
    ) {
        self.records = records.count
        let names = other.labels.map { records.labels.index(ofLabel: $0) }
        let others = other.predicted.map { names[Int($0)] ?? -1 }
        let expected = records.expected.map(Int.init)
        let right = zip(records.predicted, expected).map { Int($0) == $1 }
        let otherRight = zip(others, expected).map { $0 == $1 }
        onlyThis = zip(right, otherRight).count { $0 && !$1 }
        onlyOther = zip(right, otherRight).count { $1 && !$0 }
        changed = zip(records.predicted, others).count { Int($0) != $1 }
        pValue = Interval.mcNemar(onlyThis, onlyOther)

        let gains = zip(right, otherRight).map { ($0 ? 1.0 : 0) - ($1 ? 1.0 : 0) }
        let K = records.labels.count
        /// The differences of both accuracies; nil where no record of these has a label with a share.
        func differences(_ counts: [Double]) -> (plain: Double, balanced: Double)? {
            var (sums, totals) = ([Double](repeating: 0, count: K), [Double](repeating: 0, count: K))
            for (i, count) in counts.enumerated() {
                sums[expected[i]] += count * gains[i]
                totals[expected[i]] += count
            }
            let present = (0..<K).filter { totals[$0] > 0 }
            let weights = shares ?? totals
            let whole = present.reduce(0) { $0 + weights[$1] }
            guard whole > 0 else { return nil }
            return (
                present.reduce(0) { $0 + weights[$1] * sums[$1] / totals[$1] } / whole,
                present.reduce(0) { $0 + sums[$1] / totals[$1] } / Double(present.count)
            )
        }
        let value = differences([Double](repeating: 1, count: records.count)) ?? (0, 0)
        var bootstrap = Bootstrap(records: records.count, seed: settings.seed)
        let samples = (0..<settings.resamples(of: records.count)).compactMap { _ in differences(bootstrap.next()) }
        accuracy = Estimate(value: value.plain, interval: Interval.percentiles(samples.map(\.plain)))
        balancedAccuracy = Estimate(value: value.balanced, interval: Interval.percentiles(samples.map(\.balanced)))
    }
}
