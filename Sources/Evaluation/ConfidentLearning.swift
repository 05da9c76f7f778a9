// Which labels are wrong, by the probabilities of a model that hasn't seen them: confident learning (Northcutt, Jiang & Chuang
// 2021, https://arxiv.org/abs/1911.00068), as cleanlab's find_label_issues has it with its defaults (filter_by
// "prune_by_noise_rate", frac_noise 1, min_examples_per_class 1) and the ranking by self-confidence.

/// Suspected labels of records with out-of-sample probabilities.
public struct ConfidentLearning: Sendable {
    /// Records whose label is suspected, the most suspicious first: by the probability of their own label, and their number.
    public let suspects: [Int]
    /// How many records of a given label (row) are estimated to have a true label (column).
    public let joint: [[Int]]

    /// - Parameters:
    ///   - labels: the given label of every record, 0 ..< K.
    ///   - probabilities: [records, K], of models that weren't trained on the record.
    ///   - classes: K.
    public init(labels: [Int], probabilities p: [Double], classes K: Int) {
        let n = labels.count
        func probability(_ record: Int, _ label: Int) -> Double { p[record * K + label] }
        var counts = [Int](repeating: 0, count: K)
        for label in labels { counts[label] += 1 }

        // The threshold of a class is the mean probability that its records give it.
        var thresholds = [Double](repeating: 0, count: K)
        for (record, label) in labels.enumerated() { thresholds[label] += probability(record, label) }
        // No probability reaches that of a class without records.
        for k in 0..<K { thresholds[k] = counts[k] == 0 ? 2 : max(2e-6, thresholds[k] / Double(counts[k])) }

        // The confident joint: every record counts for the likeliest of the classes whose threshold it reaches.
        var joint = [[Int]](repeating: [Int](repeating: 0, count: K), count: K)
        for (record, label) in labels.enumerated() {
            let confident = (0..<K).filter { probability(record, $0) >= thresholds[$0] - 1e-6 }
            guard !confident.isEmpty else { continue }
            let likeliest = LogProbabilities.likeliest(Array(p[record * K..<(record + 1) * K]))
            joint[label][confident.count > 1 ? likeliest : confident[0]] += 1
        }
        for k in 0..<K { joint[k][k] = max(1, joint[k][k]) }
        let calibrated = Self.calibrated(joint, counts)
        self.joint = calibrated

        // Of every pair of a given and another class as many records as estimated: those that fit the other class best.
        var isSuspect = [Bool](repeating: false, count: n)
        for given in 0..<K where counts[given] > 1 {
            let own = labels.indices.filter { labels[$0] == given }
            for (other, count) in Self.keepingOne(calibrated[given], given).enumerated() where other != given {
                let order = own.map { (record: $0, margin: probability($0, other) - probability($0, given)) }
                    .sorted { ($1.margin, $0.record) < ($0.margin, $1.record) }
                for (record, _) in order.prefix(count) { isSuspect[record] = true }
            }
        }
        // A label that is also the likeliest isn't suspected.
        for record in 0..<n where isSuspect[record] {
            let own = probability(record, labels[record]) + 1e-6
            if (0..<K).allSatisfy({ $0 == labels[record] || probability(record, $0) < own }) {
                isSuspect[record] = false
            }
        }
        suspects = (0..<n).filter { isSuspect[$0] }
            .sorted { (probability($0, labels[$0]), $0) < (probability($1, labels[$1]), $1) }
    }

    /// The joint with as many records of every given label as there are, in whole numbers.
    private static func calibrated(_ joint: [[Int]], _ counts: [Int]) -> [[Int]] {
        let scaled = zip(joint, counts).map { row, count in
            row.map { Double($0) / Double(max(1, row.reduce(0, +))) * Double(count) }
        }
        let total = scaled.joined().reduce(0, +)
        let all = Double(counts.reduce(0, +))
        return scaled.map { rounded($0.map { $0 / max(total, 1e-100) * all }) }
    }

    /// Whole numbers near `values` with the same sum: those that rounding moved furthest are moved back.
    private static func rounded(_ values: [Double]) -> [Int] {
        var whole = values.map { $0.rounded(.toNearestOrEven) }
        let sum = values.reduce(0, +).rounded(.toNearestOrEven)
        while true {
            let missing = Int(sum - whole.reduce(0, +))
            if missing == 0 { break }
            let order = values.indices.sorted { (values[$0] - whole[$0], $0) < (values[$1] - whole[$1], $1) }
            let changed = missing > 0 ? Array(order.reversed()) : order
            for i in changed.prefix(abs(missing)) { whole[i] += missing > 0 ? 1 : -1 }
        }
        return whole.map { Int($0) }
    }

    /// How many records of a given label go to each other class, where one at least has to stay.
    private static func keepingOne(_ row: [Int], _ given: Int) -> [Int] {
        guard row[given] < 1 else { return row }
        let share = Double(1 - row[given]) / Double(max(1, row.count { $0 != 0 } - 1))
        return row.map { Int(max(0, Double($0) - share)) }
    }
}
