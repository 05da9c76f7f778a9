// What an evaluation can be told.

import Records

/// Choices of an evaluation.
public struct EvaluationSettings: Sendable {
    /// The label whose curves are computed where there are two; nil for the last one.
    public var positive: String?
    /// The share of other records taken for the positive label at which recall is told.
    public var falsePositiveRate = 0.01
    /// Shares that classes are to have, instead of those of the records. Classes that aren't named share the rest in their own
    /// ratio.
    public var prevalence: [(label: String, share: Double)] = []
    /// Resamples of the bootstrap; nil for 2,000, or fewer of more than 20,000 records, at least 200. 0 for no intervals
    /// of it.
    public var resamples: Int?
    /// The seed of the resamples.
    public var seed: UInt64 = 123

    /// The default settings.
    public init() {}

    func resamples(of count: Int) -> Int { resamples ?? max(200, min(2000, 40_000_000 / max(1, count))) }

    /// The index of the positive label.
    ///
    /// - Throws: ``EvaluationError/unknownLabel(_:known:)``.
    public func positive(in labels: [String]) throws(EvaluationError) -> Int {
        guard let positive else { return labels.count - 1 }
        guard let index = labels.index(ofLabel: positive) else {
            throw .unknownLabel(positive, known: labels)
        }
        return index
    }

    /// The share of every class; nil where none is to be changed.
    ///
    /// - Throws: ``EvaluationError`` where the stated shares don't fit the labels.
    public func shares(of records: ScoredRecords) throws(EvaluationError) -> [Double]? {
        if prevalence.isEmpty { return nil }
        let labels = records.labels
        var counts = [Int](repeating: 0, count: labels.count)
        for label in records.expected { counts[Int(label)] += 1 }
        var shares = [Double?](repeating: nil, count: labels.count)
        for (label, share) in prevalence {
            guard let index = labels.index(ofLabel: label) else {
                throw .unknownLabel(label, known: labels)
            }
            guard shares[index] == nil else { throw .badPrevalence("'\(label)' has two shares", remedy: "give it one") }
            guard counts[index] > 0 || share == 0 else {
                throw .badPrevalence(
                    "no record has the label '\(label)', so it can't have a share", remedy: "score records that have it"
                )
            }
            shares[index] = share
        }
        let named = shares.compactMap { $0 }.reduce(0, +)
        let rest = labels.indices.reduce(0) { $0 + (shares[$1] == nil ? counts[$1] : 0) }
        guard named <= 1 + 1e-9, rest > 0 || named >= 1 - 1e-9 else {
            throw .badPrevalence("the shares add up to \(Float(named)), not to 1", remedy: "correct them")
        }
        return labels.indices.map { shares[$0] ?? (1 - min(1, named)) * Double(counts[$0]) / Double(max(1, rest)) }
    }
}
