// How far a sum in 32 bits may be from the sum in double precision. Absolute tolerances don't do: which order a CPU's
// kernel adds in, and so what it rounds, is oneDNN's choice.

import Foundation
import Testing

/// The bound on |fl(Σ aᵢbᵢ) − Σ aᵢbᵢ| for n products, as a share of Σ|aᵢbᵢ|, whatever the order of the sum: n·u in the worst
/// case (Higham 2002, *Accuracy and Stability of Numerical Algorithms*, §3.1), and λ√n·u but for an improbable pattern of
/// roundings (Higham & Mary 2019, https://doi.org/10.1137/18M1226312), here with λ = 4. u = 2⁻²⁴.
///
/// What it finds: operands of 16 bits, whose products are off by 2⁻⁹, exceed it up to n = 10⁷.
func roundingShare(terms n: Int) -> Double { min(Double(n), 4 * Double(n).squareRoot()) * 0x1p-24 }

/// Numbers in double precision, and how far a computation in 32 bits may be from each.
struct Bounded {
    var values: [Double]
    var bounds: [Double]

    /// op(A)·op(B), as ``naiveProduct(_:_:m:n:k:transposeA:transposeB:)``, with the bound of its sums, to each of which
    /// so many others are going to be added.
    init(
        product a: [Float], _ b: [Float], m: Int, n: Int, k: Int, transposeA: Bool = false, transposeB: Bool = false,
        added: [(Int) -> Float] = [], scale: Double = 1
    ) {
        values = naiveProduct(a, b, m: m, n: n, k: k, transposeA: transposeA, transposeB: transposeB)
        let sizes = naiveProduct(
            a.map(abs), b.map(abs), m: m, n: n, k: k, transposeA: transposeA, transposeB: transposeB)
        // A factor is rounded itself, and so is what it gives.
        let share = roundingShare(terms: k + added.count + (scale == 1 ? 0 : 2))
        bounds = []
        for i in values.indices {
            values[i] = scale * values[i] + added.reduce(0) { $0 + Double($1(i)) }
            bounds.append(share * (abs(scale) * sizes[i] + added.reduce(0) { $0 + abs(Double($1(i))) }))
        }
    }

    init(values: [Double], bounds: [Double]) { (self.values, self.bounds) = (values, bounds) }

    /// GELU of them, whose slope is below 1.13; the function itself is right to 3·10⁻⁷·max(1, |x|).
    var gelu: Bounded {
        let results = values.map { x in
            0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        }
        return Bounded(values: results, bounds: zip(values, bounds).map { 1.13 * $1 + 3e-7 * max(1, abs($0)) })
    }
}

/// Elementwise |got − value| ≤ bound; tells the worst element.
func expectWithin(
    _ got: [Float], _ expected: Bounded, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
) {
    guard got.count == expected.values.count else {
        Issue.record(
            "\(name): \(got.count) numbers, expected \(expected.values.count)", sourceLocation: sourceLocation)
        return
    }
    func excess(_ i: Int) -> Double {
        let difference = abs(Double(got[i]) - expected.values[i])
        // Results below the smallest normal number are rounded to its multiples.
        return difference.isFinite ? difference - expected.bounds[i] - 0x1p-126 : .infinity
    }
    guard let worst = got.indices.max(by: { excess($0) < excess($1) }), excess(worst) > 0 else { return }
    Issue.record(
        """
        \(name)[\(worst)]: got \(got[worst]), expected \(expected.values[worst]) ± \(expected.bounds[worst])
        """, sourceLocation: sourceLocation)
}
