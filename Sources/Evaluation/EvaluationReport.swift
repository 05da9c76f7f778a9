// The evaluation of scored records: measures with intervals, and counts.

import Records

/// A number, and where it is expected on other records of the same kind, with 95 % confidence.
public struct Estimate: Sendable, Equatable {
    /// The number on these records.
    public let value: Double
    /// The interval; nil where none was computed.
    public let interval: ClosedRange<Double>?
}

/// How good a classifier is on some records.
public struct EvaluationReport: Sendable {
    /// Counts of expected against predicted labels. Those are of the records, whatever prevalence is stated.
    public let matrix: ConfusionMatrix
    /// All measures that are defined. The interval of the accuracy is Wilson's, unless a prevalence is stated; the others come
    /// from resamples of the records (Efron 1979).
    public let measures: [Measure: Estimate]
    /// The stated share of every label; nil where there is none.
    public let prevalence: [(label: String, share: Double)]?
    /// The label whose curves were computed; nil where there are more than two, or no probabilities.
    public let positive: String?
    /// The share of others at which recall is told.
    public let falsePositiveRate: Double
    /// How many resamples the intervals come from.
    public let resamples: Int

    /// - Throws: ``EvaluationError`` where the settings don't fit the labels.
    public init(_ records: ScoredRecords, _ settings: EvaluationSettings = EvaluationSettings()) throws(EvaluationError)
    {
        matrix = records.matrix
        falsePositiveRate = settings.falsePositiveRate
        let shares = try settings.shares(of: records)
        prevalence = shares.map { Array(zip(records.labels, $0)).map { (label: $0.0, share: $0.1) } }
        let positive = try settings.positive(in: records.labels)
        self.positive = records.hasProbabilities && records.labels.count == 2 ? records.labels[positive] : nil
        let computation = MeasureComputation(
            records, positive: positive, falsePositiveRate: settings.falsePositiveRate, prevalence: shares)
        let values = computation.measures([Double](repeating: 1, count: records.count))
        resamples = settings.resamples(of: records.count)
        var bootstrap = Bootstrap(records: records.count, seed: settings.seed)
        var samples: [Measure: [Double]] = [:]
        for _ in 0..<resamples {
            for (measure, value) in computation.measures(bootstrap.next()) {
                samples[measure, default: []].append(value)
            }
        }
        var measures: [Measure: Estimate] = [:]
        for (measure, value) in values {
            let isWilson = measure == .accuracy && shares == nil
            measures[measure] = Estimate(
                value: value,
                interval: isWilson ? matrix.accuracyInterval : Interval.percentiles(samples[measure] ?? []))
        }
        self.measures = measures
    }
}

/// Draws as many records as there are, with replacement, again and again.
struct Bootstrap {
    private var generator: SeededGenerator
    private let count: Int

    init(records count: Int, seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        self.count = count
    }

    /// How often each record is drawn.
    mutating func next() -> [Double] {
        var counts = [Double](repeating: 0, count: count)
        for _ in 0..<count { counts[generator.nextInteger(below: count)] += 1 }
        return counts
    }
}
