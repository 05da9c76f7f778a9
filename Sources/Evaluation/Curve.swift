// Curves and bins of scored records, as tables that a plotting program reads.

/// What is drawn of scored records.
public enum Curve: String, Sendable, CaseIterable {
    /// The share of others that get a label against the share of its own records that do, as the threshold falls.
    case roc
    /// Precision against recall, as the threshold falls.
    case precisionRecall = "precision-recall"
    /// The share of records that got their label against its mean probability, in the bins of the calibration error.
    case reliability
    /// Records by the probability of the label that they got, right and wrong ones.
    case histogram

    /// Bins of the histogram, from 0 to 1.
    static let histogramBins = 20

    /// Tab-separated lines. Curves of labels are blocks with the label, in quotes, in a line before them, and two blank lines
    /// between them; the other tables are one block with the names of their columns.
    ///
    /// - Parameter positive: of two labels, the one with the curve. Of more, each has one.
    /// - Returns: nil where records have no probabilities.
    public func table(_ records: ScoredRecords, positive: Int) -> String? {
        guard records.hasProbabilities else { return nil }
        switch self {
        case .roc, .precisionRecall:
            let labels = records.labels.count == 2 ? [positive] : Array(records.labels.indices)
            return labels.map { label in
                "\"\(records.labels[label].printable)\"\n" + lines(records, label).map { "\($0.x)\t\($0.y)\n" }.joined()
            }.joined(separator: "\n\n")
        case .reliability:
            let bins = Self.bins(records, MeasureComputation.binCount)
            return "probability\tright\trecords\n"
                + bins.filter { $0.records > 0 }.map {
                    "\($0.probability / Double($0.records))\t\(Double($0.right) / Double($0.records))\t\($0.records)\n"
                }.joined()
        case .histogram:
            let bins = Self.bins(records, Self.histogramBins)
            return "probability\tright\twrong\n"
                + bins.enumerated().map { bin, counts in
                    "\((Double(bin) + 0.5) / Double(bins.count))\t\(counts.right)\t\(counts.records - counts.right)\n"
                }.joined()
        }
    }

    /// The points of a label's curve. Records with the same probability are one step.
    private func lines(_ records: ScoredRecords, _ label: Int) -> [(x: Double, y: Double)] {
        let K = records.labels.count
        let p = (0..<records.count).map { records.probabilities[$0 * K + label] }
        let order = p.indices.sorted { p[$0] > p[$1] }
        let own = Double(records.expected.count { Int($0) == label })
        let others = Double(records.count) - own
        guard own > 0, others > 0 else { return [] }
        var points: [(x: Double, y: Double)] = self == .roc ? [(0, 0)] : []
        var (hits, alarms) = (0.0, 0.0)
        for (place, record) in order.enumerated() {
            if Int(records.expected[record]) == label { hits += 1 } else { alarms += 1 }
            if place + 1 < order.count, p[order[place + 1]] == p[record] { continue }
            points.append(self == .roc ? (alarms / others, hits / own) : (hits / own, hits / (hits + alarms)))
        }
        return points
    }

    /// Records by the probability of the label that they got, in ``ProbabilityBins``.
    private static func bins(
        _ records: ScoredRecords, _ count: Int
    ) -> [(probability: Double, right: Int, records: Int)] {
        let K = records.labels.count
        var bins = [(probability: Double, right: Int, records: Int)](repeating: (0, 0, 0), count: count)
        for (record, label) in records.predicted.enumerated() {
            let p = records.probabilities[record * K + Int(label)]
            let bin = ProbabilityBins.index(of: p, count: count)
            bins[bin].probability += p
            bins[bin].records += 1
            if label == records.expected[record] { bins[bin].right += 1 }
        }
        return bins
    }
}

extension ScoredRecords {
    /// The same records with probabilities at the temperature that fits `validation`, records of the same model with the same
    /// labels, best.
    public func calibrated(on validation: ScoredRecords) -> ScoredRecords? {
        guard hasProbabilities, validation.hasProbabilities, labels.areSameLabels(as: validation.labels) else {
            return nil
        }
        let decision = DecisionFit(validation, DecisionGoal()).decision
        let K = labels.count
        return replacing((0..<count).map { decision.probabilities(Array(probabilities[$0 * K..<($0 + 1) * K])) })
    }
}
