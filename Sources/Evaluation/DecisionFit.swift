// Fits a decision on scored records that the model wasn't trained on.

import Platform

/// What a decision is fitted to.
public struct DecisionGoal: Sendable {
    /// How the threshold of a label is chosen.
    public enum Threshold: Sendable, Equatable {
        /// The lowest at which at most this share of the other records gets the label; with a confidence, at most this share of
        /// all texts like them, in as many of all samples of records.
        case falsePositiveRate(Double, confidence: Double?)
        /// The one with the largest F1 of the label.
        case f1
        /// The one with the largest accuracy.
        case accuracy
        /// The one with the largest balanced accuracy.
        case balancedAccuracy
        /// The one with the least cost, where a false positive and a false negative cost this much.
        case cost(falsePositive: Double, falseNegative: Double)
    }

    /// Whether a temperature is fitted.
    public var fitsTemperature = true
    /// The shares of the labels in training, as the loss counted them; nil for those of the records.
    public var trainedShares: [Double]?
    /// The stated shares of the labels; nil for those of the records.
    public var shares: [Double]?
    /// The label with a threshold, and how that is chosen; nil for none.
    public var threshold: (label: Int, goal: Threshold)?
    /// The coverage of the sets of labels; nil for no sets.
    public var coverage: Double?

    /// A temperature alone.
    public init() {}
}

/// A decision and how it does on the records that it was fitted on.
public struct DecisionFit: Sendable {
    /// The decision.
    public private(set) var decision: Decision
    /// Mean cross entropy and calibration error on the records before and after, at the stated shares.
    public let logLoss: (before: Double, after: Double), calibrationError: (before: Double, after: Double)
    /// Of the label with a threshold: records of other labels that reach it, and how many of these there are; records of the
    /// label that reach it, and how many of these there are.
    public private(set) var falsePositives: (hits: Int, records: Int)?, truePositives: (hits: Int, records: Int)?
    /// Labels that have too few records for the coverage, so that they are in every set, with the number that it takes.
    public private(set) var sparseLabels: [(label: Int, records: Int, needed: Int)] = []

    /// Whether the records show no mistake that limits the temperature, so that one was assumed.
    public let assumesMistake: Bool

    private let records: ScoredRecords
    private let calibrated: [[Double]]
    /// For each record what brings the labels to their stated shares.
    private let weights: [Double]

    /// - Parameter records: at least one, with probabilities. Their labels are all of the model's.
    public init(_ records: ScoredRecords, _ goal: DecisionGoal) {
        self.records = records
        let K = records.labels.count
        var counts = [Double](repeating: 0, count: K)
        for label in records.expected { counts[Int(label)] += 1 }
        let own = counts.map { $0 / Double(records.count) }
        let stated = goal.shares ?? own
        let trained = goal.trainedShares ?? own
        func ratios(_ shares: [Double]) -> [Double] { zip(shares, trained).map { $1 > 0 ? $0 / $1 : 1 } }

        // The temperature belongs to the records as they are; what is stated changes the shares afterwards.
        var decision = Decision(labels: records.labels)
        decision.ratios = ratios(own)
        let rows = (0..<records.count).map { Array(records.probabilities[$0 * K..<($0 + 1) * K]) }
        if goal.fitsTemperature {
            func logs(_ values: [Double]) -> [Double] { values.map { log(max($0, .leastNonzeroMagnitude)) } }
            let fit = Temperature.fit(
                rows.map(logs), records.expected.map(Int.init), offsets: logs(decision.ratios))
            (decision.temperature, assumesMistake) = fit
        } else {
            assumesMistake = false
        }
        decision.ratios = ratios(stated)
        self.decision = decision
        let calibrated = rows.map(decision.probabilities)
        self.calibrated = calibrated
        let weights = records.expected.map { own[Int($0)] > 0 ? stated[Int($0)] / own[Int($0)] : 0 }
        self.weights = weights

        func measures(_ rows: [[Double]]) -> [Measure: Double] {
            MeasureComputation(
                records.replacing(rows), positive: K - 1, falsePositiveRate: 0.01, prevalence: nil
            ).measures(weights)
        }
        let (before, after) = (measures(rows), measures(calibrated))
        logLoss = (before[.logLoss] ?? 0, after[.logLoss] ?? 0)
        calibrationError = (before[.ece] ?? 0, after[.ece] ?? 0)
        if let (label, threshold) = goal.threshold { choose(label, threshold) }
        if let coverage = goal.coverage { addSets(coverage) }
    }

    /// The best threshold of those halfway between neighbouring probabilities.
    private mutating func choose(_ label: Int, _ goal: DecisionGoal.Threshold) {
        let order = records.expected.indices.sorted { calibrated[$0][label] > calibrated[$1][label] }
        let isTrue = records.expected.map { Int($0) == label }
        let positives = zip(isTrue, weights).reduce(0) { $0 + ($1.0 ? $1.1 : 0) }
        let negatives = zip(isTrue, weights).reduce(0) { $0 + ($1.0 ? 0 : $1.1) }
        let others = isTrue.count { !$0 }
        var (hits, misses, falseCount, trueCount) = (0.0, 0.0, 0, 0)
        // No record reaches what is above all.
        var best = (value: Self.value(goal, 0, 0, positives, negatives), place: 0, counts: (0, 0))
        let allowed = Self.allowedMistakes(goal, of: others)
        for (place, record) in order.enumerated() {
            if isTrue[record] {
                hits += weights[record]
                trueCount += 1
            } else {
                misses += weights[record]
                falseCount += 1
            }
            let p = calibrated[record][label]
            if place + 1 < order.count, calibrated[order[place + 1]][label] == p { continue }
            if falseCount > allowed { break }
            let value = Self.value(goal, hits, misses, positives, negatives)
            // Of two that are equally good, the lower false positive rate asks for the higher threshold; where the rate is
            // bounded, more records of the label are better.
            let isBetter = if case .falsePositiveRate = goal { value >= best.value } else { value > best.value }
            if isBetter { best = (value, place + 1, (falseCount, trueCount)) }
        }
        let above = best.place == 0 ? 1 : calibrated[order[best.place - 1]][label]
        let below = best.place == order.count ? 0 : calibrated[order[best.place]][label]
        // Nothing is above 1: a threshold that no record may reach lies beyond it.
        decision.threshold = (label, best.place == 0 ? 1.000_001 : (above + below) / 2)
        falsePositives = (best.counts.0, others)
        truePositives = (best.counts.1, records.count - others)
    }

    /// How many of `others` may reach the threshold. With a confidence as many as the exact bound allows: at the threshold below
    /// which the next of them lies, the true rate of n records with k above follows Beta(k + 1, n − k) (Bates, Angelopoulos, Lei,
    /// Malik & Jordan 2021).
    private static func allowedMistakes(_ goal: DecisionGoal.Threshold, of others: Int) -> Int {
        guard case .falsePositiveRate(let rate, let confidence) = goal else { return others }
        let share = Int(rate * Double(others) * (1 + 1e-12))
        guard let confidence else { return share }
        return (0...share).last { ExactBound.upper($0, of: others, confidence: confidence) <= rate } ?? 0
    }

    /// How good a threshold is: larger is better.
    private static func value(
        _ goal: DecisionGoal.Threshold, _ hits: Double, _ misses: Double, _ positives: Double, _ negatives: Double
    ) -> Double {
        switch goal {
        case .falsePositiveRate: return hits
        case .f1: return hits > 0 ? 2 * hits / (positives + hits + misses) : 0
        case .accuracy: return hits + negatives - misses
        case .balancedAccuracy:
            return (positives > 0 ? hits / positives : 0) + (negatives > 0 ? 1 - misses / negatives : 0)
        case .cost(let falsePositive, let falseNegative):
            return -(falsePositive * misses + falseNegative * (positives - hits))
        }
    }

    /// Split conformal prediction within every label (Vovk, Lindsay, Nouretdinov & Gammerman 2003; Sadinle, Lei & Wasserman
    /// 2019): of n records of a label the ⌊(n + 1)(1 − coverage)⌋th smallest probability is its threshold, less what rounding to
    /// 32 bits in the scores may have added to it: a text like that record has to reach it.
    private mutating func addSets(_ coverage: Double) {
        let needed = Int((1 / (1 - coverage) - 1 - 1e-9).rounded(.up))
        let rounding = 4 * Double(Float.ulpOfOne) / min(1, decision.temperature)
        decision.coverage = coverage
        decision.setThresholds = decision.labels.indices.map { label in
            let own = records.expected.indices.filter { Int(records.expected[$0]) == label }
                .map { calibrated[$0][label] }.sorted()
            let place = Int((Double(own.count + 1) * (1 - coverage) + 1e-9).rounded(.down))
            if place == 0 {
                sparseLabels.append((label, own.count, needed))
                return 0
            }
            return own[min(place, own.count) - 1] * (1 - rounding)
        }
    }
}
