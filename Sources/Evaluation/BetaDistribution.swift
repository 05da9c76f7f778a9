// The beta distribution, for exact bounds of shares (Clopper & Pearson 1934).

import Platform

/// Exact one-sided bounds of a share.
public enum ExactBound {
    /// The largest share with which as few as `hits` of `count` still come with a probability of 1 − `confidence`: an upper
    /// bound that holds in `confidence` of all samples. 1 for no records.
    public static func upper(_ hits: Int, of count: Int, confidence: Double = 0.95) -> Double {
        if hits >= count { return 1 }
        return BetaDistribution(Double(hits) + 1, Double(count - hits)).quantile(confidence)
    }

    /// How many records without a hit it takes until ``upper(_:of:confidence:)`` is at most `share`; nil where no number that can be
    /// written does.
    public static func records(for share: Double, confidence: Double = 0.95) -> Int? {
        Int(exactly: (log1p(-confidence) / log1p(-share)).rounded(.up))
    }
}

/// Beta(a, b).
package struct BetaDistribution {
    private let a: Double, b: Double

    /// Both are above 0.
    package init(_ a: Double, _ b: Double) { (self.a, self.b) = (a, b) }

    /// P(X ≤ x): the regularised incomplete beta function, by its continued fraction (Lentz's method; Press et al., *Numerical
    /// Recipes*, §6.4).
    package func cumulative(_ x: Double) -> Double {
        if x <= 0 { return 0 }
        if x >= 1 { return 1 }
        let front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
        // The fraction converges fast below the mean.
        return x < (a + 1) / (a + b + 2)
            ? front * Self.fraction(a, b, x) / a : 1 - front * Self.fraction(b, a, 1 - x) / b
    }

    private static func fraction(_ a: Double, _ b: Double, _ x: Double) -> Double {
        let tiny = 1e-300
        func kept(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
        var (c, d) = (1.0, 1 / kept(1 - (a + b) * x / (a + 1)))
        var result = d
        for step in 1...10_000 {
            let m = Double(step)
            for numerator in [
                m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
            ] {
                d = 1 / kept(1 + numerator * d)
                c = kept(1 + numerator / c)
                result *= d * c
            }
            if abs(d * c - 1) < 1e-16 { break }
        }
        return result
    }

    /// The x with P(X ≤ x) = p, by bisection.
    package func quantile(_ p: Double) -> Double {
        var (low, high) = (0.0, 1.0)
        while true {
            let middle = (low + high) / 2
            if middle <= low || middle >= high { return middle }
            if cumulative(middle) < p { low = middle } else { high = middle }
        }
    }
}
