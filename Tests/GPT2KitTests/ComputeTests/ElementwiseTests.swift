// Kernels on single numbers and rows against loops in double precision.

import Foundation
import GPT2Kit
import Records
import Testing

struct ElementwiseTests {
    /// Measured: 8.3e-8 at worst, at −81.4.
    @Test("the exponential is right to 1e-7 between −87 and 88")
    func exponentialError() {
        var worst = (error: 0.0, at: Float(0))
        for step in 0...1_750_000 {
            let x = -87 + Float(step) * 1e-4
            let expected = Foundation.exp(Double(x))
            let error = abs(Double(exponential(x)) - expected) / expected
            if !(error <= worst.error) { worst = (error, x) }
        }
        #expect(worst.error < 1e-7, "relative error \(worst.error) at \(worst.at)")
    }

    @Test("the exponential is clamped outside, and all lanes are computed alike")
    func exponentialEnds() {
        #expect(exponential(0) == 1)
        #expect(exponential(-1000).bitPattern == exponential(-87).bitPattern)
        #expect(exponential(-Float.infinity).bitPattern == exponential(-87).bitPattern)
        #expect(exponential(1000).bitPattern == exponential(88).bitPattern)
        #expect(exponential(88).isFinite)
        let lanes = Lanes(-90, -1.5, -1e-9, 0, 1e-9, 0.5, 20, 100)
        for i in 0..<8 { #expect(exponential(lanes)[i].bitPattern == exponential(lanes[i]).bitPattern) }
    }

    private static let slope = (2 / Double.pi).squareRoot()

    private static func gelu(_ x: Double) -> Double {
        0.5 * x * (1 + Foundation.tanh(slope * (x + 0.044715 * x * x * x)))
    }

    private static func geluDerivative(_ x: Double) -> Double {
        let t = Foundation.tanh(slope * (x + 0.044715 * x * x * x))
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * slope * (1 + 3 * 0.044715 * x * x)
    }

    @Test("GELU and its derivative are right for every remainder modulo 8", arguments: [1, 7, 8, 9, 31, 4001])
    func geluBothWays(_ count: Int) {
        let x = (0..<count).map { -20 + 40 * Float($0) / Float(max(1, count - 1)) }
        var y = [Float](repeating: .nan, count: count)
        GELU.forward(&y, x, count: count)
        expectClose(y, x.map { Float(Self.gelu(Double($0))) }, tolerance: { _ in 3e-7 }, "gelu")
        let dOutput = (0..<count).map { 1 + 0.5 * Float($0 % 3) }
        var dInput = [Float](repeating: .nan, count: count)
        GELU.backward(&dInput, dOutput, x, count: count)
        let expected = zip(x, dOutput).map { Float(Double($1) * Self.geluDerivative(Double($0))) }
        expectClose(dInput, expected, tolerance: { _ in 6e-7 }, "gelu′")
        // In place, as the layers call it.
        var same = dOutput
        same.withUnsafeMutableBufferPointer { GELU.backward($0.baseAddress!, $0.baseAddress!, x, count: count) }
        #expect(bits(same) == bits(dInput))
        var output = x
        output.withUnsafeMutableBufferPointer { GELU.forward($0.baseAddress!, $0.baseAddress!, count: count) }
        #expect(bits(output) == bits(y))
    }

    @Test("GELU of large numbers is 0 or the number, and its derivative 0 or 1")
    func geluOfLargeNumbers() {
        let x: [Float] = [-1e6, -100, 100, 1e6]
        var y = [Float](repeating: 1, count: 4)
        GELU.forward(&y, x, count: 4)
        #expect(abs(y[0]) < 1e-30 && abs(y[1]) < 1e-30 && y[2] == 100 && y[3] == 1e6)
        var d = [Float](repeating: 1, count: 4)
        GELU.backward(&d, [1, 1, 1, 1], x, count: 4)
        expectClose(d, [0, 0, 1, 1], tolerance: { _ in 1e-12 }, "gelu′")
    }

    @Test("LayerNorm's output and gradients are those of plain loops", arguments: [1, 5, 8, 20, 33, 64])
    func layerNorm(_ C: Int) {
        var generator = SeededGenerator(seed: UInt64(C))
        let rows = 5
        let epsilon: Float = 1e-5
        let x = normals(rows * C, &generator).map { 3 * $0 + 2 }
        let (weight, bias) = (normals(C, &generator), normals(C, &generator))
        let (dy, start) = (normals(rows * C, &generator), normals(rows * C, &generator))
        var normalized = [Float](repeating: 0, count: rows * C)
        var rstd = [Float](repeating: 0, count: rows)
        var y = normalized
        LayerNorm.normalize(&normalized, rstd: &rstd, x, rows: rows, width: C, epsilon: epsilon)
        LayerNorm.affine(&y, normalized, weight: weight, bias: bias, rows: rows, width: C)
        var fused = x
        fused.withUnsafeMutableBufferPointer {
            LayerNorm.forward(
                $0.baseAddress!, $0.baseAddress!, weight: weight, bias: bias, rows: rows, width: C, epsilon: epsilon)
        }
        var dx = start
        LayerNorm.backward(&dx, dy, normalized: normalized, rstd: rstd, weight: weight, rows: rows, width: C)
        var dxPlain = start
        LayerNorm.backward(&dxPlain, dy, normalized: normalized, rstd: rstd, weight: nil, rows: rows, width: C)
        var (dWeight, dBias) = (bias, weight)
        for columns in [0..<C / 2, C / 2..<C] {
            LayerNorm.backwardParameters(
                dWeight: &dWeight, dBias: &dBias, dy, normalized: normalized, rows: rows, width: C, columns: columns)
        }

        let naive = NaiveLayerNorm(x, weight, bias, rows: rows, width: C, epsilon: Double(epsilon))
        let tolerance = { (_: Int) in C == 1 ? Float(2e-3) : 5e-6 }
        expectClose(normalized, floats(naive.normalized), tolerance: tolerance, "x̂")
        expectClose(y, floats(naive.output), tolerance: tolerance, "y")
        expectClose(fused, floats(naive.output), tolerance: tolerance, "y at once")
        expectClose(dx, floats(naive.dInput(dy, weight, from: start)), tolerance: tolerance, "dx")
        let ones = [Float](repeating: 1, count: C)
        expectClose(dxPlain, floats(naive.dInput(dy, ones, from: start)), tolerance: tolerance, "dx without weight")
        var (dGainExpected, dShiftExpected) = (bias.map(Double.init), weight.map(Double.init))
        for i in 0..<rows * C {
            dGainExpected[i % C] += Double(dy[i]) * naive.normalized[i]
            dShiftExpected[i % C] += Double(dy[i])
        }
        expectClose(dWeight, floats(dGainExpected), tolerance: tolerance, "dWeight")
        expectClose(dBias, floats(dShiftExpected), tolerance: tolerance, "dBias")
    }

    @Test("sums, products and dots are right for every remainder modulo 8", arguments: 0...17)
    func vectorOperations(_ count: Int) {
        var generator = SeededGenerator(seed: UInt64(count))
        let (a, b, c) = (normals(count, &generator), normals(count, &generator), normals(count, &generator))
        var sum = c
        addVector(&sum, a, count)
        #expect(sum == zip(c, a).map { $0 + $1 })
        var times = c
        hadamard(&times, a, b, count)
        #expect(times == zip(a, b).map { $0 * $1 })
        var both = c
        addHadamard(&both, a, b, count)
        let expected = zip(c, zip(a, b)).map { Float(Double($0) + Double($1.0) * Double($1.1)) }
        expectClose(both, expected, tolerance: { _ in 1e-6 }, "c + a∘b")
        expectWithin([dot(a, b, count)], Bounded(product: a, b, m: 1, n: 1, k: count), "a·b")
    }
}

/// Layer normalisation as the paper writes it.
private struct NaiveLayerNorm {
    let rows: Int, C: Int
    var normalized: [Double] = [], output: [Double] = [], rstd: [Double] = []

    init(_ x: [Float], _ weight: [Float], _ bias: [Float], rows: Int, width C: Int, epsilon: Double) {
        (self.rows, self.C) = (rows, C)
        for row in 0..<rows {
            let values = x[row * C..<(row + 1) * C].map(Double.init)
            let mean = values.reduce(0, +) / Double(C)
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(C)
            rstd.append(1 / (variance + epsilon).squareRoot())
            normalized += values.map { ($0 - mean) * rstd[row] }
        }
        output = normalized.indices.map { normalized[$0] * Double(weight[$0 % C]) + Double(bias[$0 % C]) }
    }

    /// Through the Jacobian: ∂x̂ᵢ/∂xⱼ = rstd·(δᵢⱼ − 1/C − x̂ᵢx̂ⱼ/C).
    func dInput(_ dOutput: [Float], _ weight: [Float], from start: [Float]) -> [Double] {
        var result = start.map(Double.init)
        for row in 0..<rows {
            for j in 0..<C {
                for i in 0..<C {
                    let (hat, d) = (normalized[row * C + i], Double(dOutput[row * C + i]) * Double(weight[i]))
                    let slope = (i == j ? 1 : 0) - 1 / Double(C) - hat * normalized[row * C + j] / Double(C)
                    result[row * C + j] += d * rstd[row] * slope
                }
            }
        }
        return result
    }
}
