// The evaluation of scored records: measures with intervals, and counts.

import Records

/// A number, and where it is expected on other records of the same kind, with 95 % confidence.
public struct Estimate: Sendable, Equatable {
    /// The number on these records.
    public let value: Double
    /// The interval; nil where none was computed.
    public let interval: ClosedRange<Double>?
}

/// How good a classifier is on the records of one label.
public struct ClassEstimates: Sendable, Equatable {
    /// Of those that got the label, the share that has it; nil where none got it. The interval is Wilson's or, at a stated
    /// prevalence, combined from those of the labels (``CombinedInterval``).
    public let precision: Estimate?
    /// Of those that have the label, the share that got it, with Wilson's interval; nil where none has it.
    public let recall: Estimate?
    /// The harmonic mean of both; nil where the label never occurs.
    public let f1: Double?
}

/// How good a classifier is on some records.
public struct EvaluationReport: Sendable {
    /// Counts of expected against predicted labels. Those are of the records, whatever prevalence is stated.
    public let matrix: ConfusionMatrix
    /// All measures that are defined. The interval of the accuracy is Wilson's, combined from those of the labels where a prevalence is
    /// stated; that of the balanced accuracy is combined, too, where resamples are all alike. The others come from resamples of the
    /// records (Efron 1979).
    public let measures: [Measure: Estimate]
    /// For every label, in the order of the matrix: at the stated prevalence where there is one.
    public let classes: [ClassEstimates]
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
        try self.init(records, settings, shares: settings.shares(of: records))
    }

    /// - Parameters:
    ///   - records: all or some of the records of an input.
    ///   - settings: the positive label, the rate and the resamples.
    ///   - shares: the share that every label is to have; nil for those of the records. Labels without a record here leave theirs to
    ///     the others.
    /// - Throws: ``EvaluationError`` where the settings don't fit the labels.
    public init(
        _ records: ScoredRecords, _ settings: EvaluationSettings, shares: [Double]?
    ) throws(EvaluationError) {
        let matrix = records.matrix
        self.matrix = matrix
        falsePositiveRate = settings.falsePositiveRate
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
            let counts = bootstrap.next()
            for (measure, value) in computation.measures(counts) { samples[measure, default: []].append(value) }
        }
        // Some of the records may lack some of the labels.
        let own = shares.map { shares in
            matrix.labels.map { label in records.labels.index(ofLabel: label).map { shares[$0] } ?? 0 }
        }
        let isResampled = resamples > 0
        func interval(_ measure: Measure) -> ClosedRange<Double>? {
            if measure == .accuracy { return own.map(matrix.accuracyInterval(shares:)) ?? matrix.accuracyInterval }
            let resampled = Interval.percentiles(samples[measure] ?? [])
            guard resampled == nil, measure == .balancedAccuracy, isResampled else { return resampled }
            return matrix.accuracyInterval(shares: matrix.labels.map { _ in 1 })
        }
        measures = Dictionary(
            uniqueKeysWithValues: values.map { ($0, Estimate(value: $1, interval: interval($0))) })
        classes = Self.estimates(
            computation.classes([Double](repeating: 1, count: records.count)), records.labels, matrix
        ) { label in
            own.map { matrix.precisionInterval(label, shares: $0) } ?? matrix.precisionInterval(label)
        }
    }

    /// The estimates of the labels of `matrix`: those of `labels` that occur.
    ///
    /// - Parameter interval: of a precision, by the label's index in the matrix.
    private static func estimates(
        _ all: [(precision: Double?, f1: Double?)], _ labels: [String], _ matrix: ConfusionMatrix,
        interval: (_ label: Int) -> ClosedRange<Double>?
    ) -> [ClassEstimates] {
        // Both are sorted. A part of the records may lack some of the labels.
        var classes: [ClassEstimates] = []
        for (index, name) in labels.enumerated() {
            let label = classes.count
            guard label < matrix.labels.count, matrix.labels[label].utf8.elementsEqual(name.utf8) else { continue }
            classes.append(
                ClassEstimates(
                    precision: all[index].precision.map { Estimate(value: $0, interval: interval(label)) },
                    recall: matrix.recall(label).map { Estimate(value: $0, interval: matrix.recallInterval(label)) },
                    f1: all[index].f1))
        }
        return classes
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
