// Computes all measures of records that have weights: the numbers of times that they were drawn, and those of their classes.

import Platform

/// What stays the same while weights change.
struct MeasureComputation {
    private let K: Int
    private let expected: [Int32]
    private let predicted: [Int32]
    private let hasProbabilities: Bool
    private let positive: Int
    private let falsePositiveRate: Double
    /// The share that each class is to have; nil for those of the records.
    private let prevalence: [Double]?
    /// For each label that curves are computed of: the records, the likeliest first, and where a lower probability begins.
    private let orders: [(label: Int, records: [Int32], isLast: [Bool])]
    private let losses: [Double]
    private let squares: [Double]
    private let bins: [UInt8]
    private let confidences: [Double]
    private let areTopsRight: [Bool]

    static let binCount = 15

    init(_ records: ScoredRecords, positive: Int, falsePositiveRate: Double, prevalence: [Double]?) {
        K = records.labels.count
        (expected, predicted) = (records.expected, records.predicted)
        hasProbabilities = records.hasProbabilities
        (self.positive, self.falsePositiveRate, self.prevalence) = (positive, falsePositiveRate, prevalence)
        let (K, p) = (K, records.probabilities)
        guard hasProbabilities else {
            (orders, losses, squares, bins, confidences, areTopsRight) = ([], [], [], [], [], [])
            return
        }
        orders = (K == 2 ? [positive] : Array(0..<K)).map { label in
            let order = (0..<Int32(records.count)).sorted {
                (p[Int($1) * K + label], $0) < (p[Int($0) * K + label], $1)
            }
            let isLast = order.indices.map { i in
                i + 1 == order.count || p[Int(order[i]) * K + label] != p[Int(order[i + 1]) * K + label]
            }
            return (label, order, isLast)
        }
        let least = Double.ulpOfOne
        losses = expected.enumerated().map { -log(min(max(p[$0 * K + Int($1)], least), 1 - least)) }
        squares = expected.enumerated().map { i, label in
            if K == 2 {
                let difference = p[i * K + positive] - (Int(label) == positive ? 1 : 0)
                return difference * difference
            }
            return (0..<K).reduce(0) { sum, k in
                let difference = p[i * K + k] - (Int(label) == k ? 1 : 0)
                return sum + difference * difference
            }
        }
        var tops: [(bin: UInt8, confidence: Double, isRight: Bool)] = []
        for (i, label) in expected.enumerated() {
            let row = p[i * K..<(i + 1) * K]
            let top = row.indices.reduce(row.startIndex) { row[$1] > row[$0] ? $1 : $0 }
            let bin = ProbabilityBins.index(of: row[top], count: Self.binCount)
            tops.append((UInt8(bin), row[top], top - i * K == Int(label)))
        }
        bins = tops.map(\.bin)
        confidences = tops.map(\.confidence)
        areTopsRight = tops.map(\.isRight)
    }

    /// All measures.
    ///
    /// - Parameter counts: how often each record counts, in their order.
    /// - Returns: nil for a measure that isn't defined.
    func measures(_ counts: [Double]) -> [Measure: Double] {
        let weights = weighted(counts)
        var result = byLabels(weights)
        guard hasProbabilities else { return result }
        let total = weights.reduce(0, +)
        guard total > 0 else { return result }
        var curves: [Measure: [Double]] = [:]
        for order in orders {
            for (measure, value) in self.curves(order, weights) { curves[measure, default: []].append(value) }
        }
        for (measure, values) in curves where values.count == orders.count {
            result[measure] = values.reduce(0, +) / Double(values.count)
        }
        result[.logLoss] = zip(losses, weights).reduce(0) { $0 + $1.0 * $1.1 } / total
        result[.brier] = zip(squares, weights).reduce(0) { $0 + $1.0 * $1.1 } / total
        result[.ece] = calibrationError(weights, total)
        return result
    }

    /// `counts`, times what brings the classes to their prevalence.
    private func weighted(_ counts: [Double]) -> [Double] {
        guard let prevalence else { return counts }
        var sums = [Double](repeating: 0, count: K)
        for (label, count) in zip(expected, counts) { sums[Int(label)] += count }
        let total = sums.reduce(0, +)
        let factors = zip(prevalence, sums).map { $1 > 0 ? $0 * total / $1 : 0 }
        return zip(expected, counts).map { factors[Int($0)] * $1 }
    }

    /// The weights of the records of every label: of those that have it, of those that got it, and of those with both.
    private func sums(_ weights: [Double]) -> (support: [Double], named: [Double], hits: [Double]) {
        var support = [Double](repeating: 0, count: K)
        var (named, hits) = (support, support)
        for (i, weight) in weights.enumerated() {
            support[Int(expected[i])] += weight
            named[Int(predicted[i])] += weight
            if expected[i] == predicted[i] { hits[Int(expected[i])] += weight }
        }
        return (support, named, hits)
    }

    /// Precision and F1 of every label; nil where it isn't defined.
    ///
    /// - Parameter counts: how often each record counts, in their order.
    func classes(_ counts: [Double]) -> [(precision: Double?, f1: Double?)] {
        let (support, named, hits) = sums(weighted(counts))
        return (0..<K).map { label in
            let both = support[label] + named[label]
            return (named[label] > 0 ? hits[label] / named[label] : nil, both > 0 ? 2 * hits[label] / both : nil)
        }
    }

    private func byLabels(_ weights: [Double]) -> [Measure: Double] {
        let labels = 0..<K
        let (support, named, hits) = sums(weights)
        let (total, correct) = (support.reduce(0, +), hits.reduce(0, +))
        guard total > 0 else { return [:] }
        // Labels that occur on neither side count for nothing.
        let present = labels.filter { support[$0] > 0 || named[$0] > 0 }
        func mean(_ value: (Int) -> Double) -> Double { present.reduce(0) { $0 + value($1) } / Double(present.count) }
        func share(_ part: Double, _ whole: Double) -> Double { whole > 0 ? part / whole : 0 }
        let recalls = present.filter { support[$0] > 0 }.map { hits[$0] / support[$0] }
        return [
            .accuracy: correct / total, .balancedAccuracy: recalls.reduce(0, +) / Double(recalls.count),
            .macroPrecision: mean { share(hits[$0], named[$0]) }, .macroRecall: mean { share(hits[$0], support[$0]) },
            .macroF1: mean { share(2 * hits[$0], support[$0] + named[$0]) },
            .mcc: correlation(support, named, correct: correct, total: total),
        ]
    }

    private func correlation(_ support: [Double], _ named: [Double], correct: Double, total: Double) -> Double {
        let product = zip(support, named).reduce(0) { $0 + $1.0 * $1.1 }
        let left = total * total - support.reduce(0) { $0 + $1 * $1 }
        let right = total * total - named.reduce(0) { $0 + $1 * $1 }
        // Rounding leaves a rest where a side is constant.
        let tiny = 1e-12 * total * total
        return left <= tiny || right <= tiny
            ? 0 : (correct * total - product) / (left.squareRoot() * right.squareRoot())
    }

    /// The measures of one label against the others; none where one side is empty.
    private func curves(
        _ order: (label: Int, records: [Int32], isLast: [Bool]), _ weights: [Double]
    ) -> [Measure: Double] {
        var (positives, negatives) = (0.0, 0.0)
        for (label, weight) in zip(expected, weights) {
            if Int(label) == order.label { positives += weight } else { negatives += weight }
        }
        guard positives > 0, negatives > 0 else { return [:] }
        var (hits, misses, area, precision, recallAtRate) = (0.0, 0.0, 0.0, 0.0, 0.0)
        var (tiedHits, tiedMisses) = (0.0, 0.0)
        for (place, record) in order.records.enumerated() {
            let weight = weights[Int(record)]
            if Int(expected[Int(record)]) == order.label { tiedHits += weight } else { tiedMisses += weight }
            guard order.isLast[place] else { continue }
            // Ties are one step of the curve, in a straight line.
            area += tiedMisses * (hits + tiedHits / 2)
            hits += tiedHits
            misses += tiedMisses
            if tiedHits > 0 { precision += tiedHits * hits / (hits + misses) }
            if misses <= falsePositiveRate * negatives * (1 + 1e-12) { recallAtRate = hits }
            (tiedHits, tiedMisses) = (0, 0)
        }
        return [
            .rocAUC: area / (positives * negatives), .averagePrecision: precision / positives,
            .recallAtFPR: min(1, recallAtRate / positives),
        ]
    }

    private func calibrationError(_ weights: [Double], _ total: Double) -> Double {
        var differences = [Double](repeating: 0, count: Self.binCount)
        for (i, weight) in weights.enumerated() {
            differences[Int(bins[i])] += weight * (confidences[i] - (areTopsRight[i] ? 1 : 0))
        }
        return differences.reduce(0) { $0 + abs($1) } / total
    }
}
