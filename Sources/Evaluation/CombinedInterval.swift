// Intervals of sums and ratios of shares, from the shares' own intervals: MOVER, "method of variance estimates recovery" (Zou &
// Donner 2008, *Stat. Med.* 27, 1693; Donner & Zou 2012, *Stat. Methods Med. Res.* 21, 347). Resamples of records without a mistake have
// none either, so that they would promise too much.

/// A number with its interval.
struct CombinedInterval {
    let value: Double
    let low: Double
    let high: Double

    /// `weight` times the share of `hits` in `count`, at least 1, with Wilson's interval.
    init(_ weight: Double, _ hits: Int, of count: Int) {
        let interval = Interval.wilson(hits, of: count) ?? 0...1
        value = weight * Double(hits) / Double(max(1, count))
        (low, high) = (weight * interval.lowerBound, weight * interval.upperBound)
    }

    /// The sum of independent parts.
    init(sum parts: [CombinedInterval]) {
        let value = parts.reduce(0) { $0 + $1.value }
        func distance(_ bound: KeyPath<CombinedInterval, Double>) -> Double {
            parts.reduce(0) { $0 + ($1.value - $1[keyPath: bound]) * ($1.value - $1[keyPath: bound]) }.squareRoot()
        }
        self.value = value
        low = max(0, value - distance(\.low))
        high = value + distance(\.high)
    }

    /// The interval of `self` / (`self` + `other`), which are independent and not both 0.
    func share(with other: CombinedInterval) -> ClosedRange<Double> {
        // The ratio to the one that isn't 0, so that nothing is divided by 0.
        if value > 0 {
            let ratio = other.ratio(to: self)
            return 1 / (1 + ratio.upperBound)...1 / (1 + ratio.lowerBound)
        }
        let ratio = ratio(to: other)
        return ratio.lowerBound / (1 + ratio.lowerBound)...ratio.upperBound / (1 + ratio.upperBound)
    }

    /// The interval of `self` / `other`, whose value is above 0.
    private func ratio(to other: CombinedInterval) -> ClosedRange<Double> {
        let product = value * other.value
        func root(_ mine: Double, _ theirs: Double) -> Double {
            let rest = product * product - mine * theirs * (2 * value - mine) * (2 * other.value - theirs)
            return max(0, rest).squareRoot()
        }
        let (below, above) = (other.low * (2 * other.value - other.low), other.high * (2 * other.value - other.high))
        let low = above > 0 ? (product - root(low, other.high)) / above : low / other.high
        let high = below > 0 ? (product + root(high, other.low)) / below : .infinity
        return max(0, low)...max(0, low, high)
    }
}

extension ConfusionMatrix {
    /// The interval of the accuracy where every label has its share of the records, and that of a label without records is 0.
    ///
    /// - Parameter shares: of the labels of the matrix; they need not add up to 1.
    func accuracyInterval(shares: [Double]) -> ClosedRange<Double>? {
        let present = labels.indices.filter { support($0) > 0 && shares[$0] > 0 }
        let total = present.reduce(0) { $0 + shares[$1] }
        guard total > 0 else { return nil }
        let sum = CombinedInterval(
            sum: present.map { CombinedInterval(shares[$0] / total, self[$0, $0], of: support($0)) })
        return sum.low...min(1, sum.high)
    }

    /// The interval of a label's precision where every label has its share of the records; nil where none got the label.
    func precisionInterval(_ label: Int, shares: [Double]) -> ClosedRange<Double>? {
        func part(_ expected: Int) -> CombinedInterval {
            CombinedInterval(shares[expected], self[expected, label], of: support(expected))
        }
        let others = labels.indices.filter { $0 != label && support($0) > 0 && shares[$0] > 0 }
        guard support(label) > 0 else { return nil }
        let (hits, misses) = (part(label), CombinedInterval(sum: others.map(part)))
        return hits.value + misses.value > 0 ? hits.share(with: misses) : nil
    }
}
