// Intervals in which a measure is expected on other texts of the same kind, with 95 % confidence; and exact tests of counts.

import Platform

/// Intervals of a share, and probabilities of counts.
public enum Interval {
    /// The 97.5 % quantile of the standard normal distribution.
    private static let z = 1.959963984540054

    /// The score interval of `hits` of `count` (Wilson 1927, *J. Am. Stat. Assoc.* 22, 209); nil for none of none.
    public static func wilson(_ hits: Int, of count: Int) -> ClosedRange<Double>? {
        guard count > 0 else { return nil }
        let (n, p) = (Double(count), Double(hits) / Double(count))
        let centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        return max(0, centre - half)...min(1, centre + half)
    }

    /// The probability that of `a + b` fair coins as few as the rarer side, or as many as the other one, or fewer or more,
    /// fall on one side: the exact two-sided test of McNemar (1947), where `a` records changed in one direction and `b` in
    /// the other. 1 where none changed.
    public static func mcNemar(_ a: Int, _ b: Int) -> Double {
        let n = a + b
        if n == 0 { return 1 }
        let base = lgamma(Double(n) + 1) - Double(n) * log(2)
        let tail = (0...min(a, b)).reduce(0.0) { sum, k in
            sum + exp(base - lgamma(Double(k) + 1) - lgamma(Double(n - k) + 1))
        }
        return min(1, 2 * tail)
    }

    /// The middle 95 % of values, their quantiles interpolated in a straight line; nil for none, and where all are the same: resamples
    /// of records without a mistake, for instance, say nothing of other records.
    static func percentiles(_ values: [Double]) -> ClosedRange<Double>? {
        let sorted = values.sorted()
        guard let least = sorted.first, let most = sorted.last, least < most else { return nil }
        func quantile(_ q: Double) -> Double {
            let place = q * Double(sorted.count - 1)
            let below = Int(place)
            let above = min(below + 1, sorted.count - 1)
            return sorted[below] + (sorted[above] - sorted[below]) * (place - Double(below))
        }
        return quantile(0.025)...quantile(0.975)
    }
}
