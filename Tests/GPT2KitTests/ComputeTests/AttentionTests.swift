// Softmax and attention against loops in double precision.

import Foundation
import GPT2Kit
import Records
import Testing

struct AttentionTests {
    /// Lengths at and around the kernel's block of 64 queries.
    @Test("output and gradients are those of plain loops", arguments: [1, 2, 63, 64, 65, 130], [5, 8])
    func forwardAndBackward(_ T: Int, _ d: Int) throws { try compare(T, d, isCausal: true, dropout: nil) }

    @Test(
        "output and gradients are those of plain loops without causal mask and with dropout",
        arguments: [1, 2, 64, 65, 130],
        [(true, 0.2), (false, 0), (false, 0.2)])
    func maskAndDropout(_ T: Int, _ variant: (isCausal: Bool, dropout: Double)) throws {
        let dropout =
            variant.dropout > 0 ? Dropout(probability: variant.dropout, seed: 3, step: 4, rows: [5, 6]) : nil
        let layout = TextLayout(lengths: [1, T])
        try compare(
            T, 8, isCausal: variant.isCausal,
            dropout: dropout.map { BlockDropout($0, block: 2, layout).head(1, text: 1) })
    }

    private func compare(_ T: Int, _ d: Int, isCausal: Bool, dropout: HeadDropout?) throws {
        var generator = SeededGenerator(seed: UInt64(T * 100 + d))
        // Two heads side by side, as c_attn packs them: strides wider than d, and a neighbour that must stay.
        let stride = 2 * d + 1
        let inputs = try (0..<4).map { _ in try Tensor(random: [T, stride], &generator) }
        defer { withExtendedLifetime(inputs) {} }
        let outputs = try (0..<4).map { _ in try Tensor(random: [T, stride], &generator) }
        let before = outputs.map(\.array)
        let attention = TrainedAttention(headWidth: d, isCausal: isCausal, .float32)
        try attention.reserve(length: T)
        let scratch = try FloatBuffer(count: attention.scratchCount(length: T))
        defer { withExtendedLifetime(scratch) {} }
        scratch.values.update(repeating: .nan)
        let (q, k, v, dO) = (inputs[0].matrix, inputs[1].matrix, inputs[2].matrix, inputs[3].matrix)
        attention.forward(
            outputs[0].matrix, query: q, key: k, value: v, length: T, dropout: dropout, scratch: scratch.pointer)
        scratch.values.update(repeating: .nan)
        attention.backward(
            dQuery: outputs[1].matrix, dKey: outputs[2].matrix, dValue: outputs[3].matrix, dOutput: dO,
            query: q, key: k, value: v, length: T, dropout: dropout, scratch: scratch.pointer)

        let head = { (tensor: Tensor) in (0..<T).map { t in (0..<d).map { Double(tensor.pointer[t * stride + $0]) } } }
        let masks = (0..<T).map { query in
            var mask = [Float](repeating: 1, count: T)
            dropout?.drop(&mask, count: T, query: query)
            return mask.map(Double.init)
        }
        let naive = NaiveAttention(
            head(inputs[0]), head(inputs[1]), head(inputs[2]), head(inputs[3]), isCausal: isCausal, masks)
        if dropout == nil { try compareInference(naive, q, k, v, T, d, isCausal: isCausal, stride: stride) }
        for (index, (expected, bound)) in [naive.output, naive.dQuery, naive.dKey, naive.dValue].enumerated() {
            let name = ["output", "dQuery", "dKey", "dValue"][index]
            let got = head(outputs[index]).joined().map { Float($0) }
            expectWithin(
                got, Bounded(values: Array(expected.joined()), bounds: Array(bound.joined())),
                "\(name), T \(T), d \(d)")
            let rest = outputs[index].array.indices.filter { $0 % stride >= d }
            #expect(
                rest.allSatisfy { outputs[index].pointer[$0] == before[index][$0] }, "\(name) wrote beside its head")
        }
    }

    /// The output of ``Attention``, which inference uses.
    private func compareInference(
        _ naive: NaiveAttention, _ q: Matrix, _ k: Matrix, _ v: Matrix, _ T: Int, _ d: Int, isCausal: Bool, stride: Int
    ) throws {
        let output = try Tensor(shape: [T, stride])
        let scratch = try FloatBuffer(count: Attention.scratchCount(length: T))
        defer { withExtendedLifetime(scratch) {} }
        scratch.values.update(repeating: .nan)
        Attention.forward(
            output.matrix, query: q, key: k, value: v, length: T, headWidth: d, isCausal: isCausal,
            scratch: scratch.pointer)
        let (values, bounds) = naive.output
        expectWithin(
            (0..<T * d).map { output.pointer[$0 / d * stride + $0 % d] },
            Bounded(values: Array(values.joined()), bounds: Array(bounds.joined())),
            "output of inference, T \(T), d \(d)")
        #expect((0..<T * stride).allSatisfy { $0 % stride < d || output.pointer[$0] == 0 }, "wrote beside its head")
    }

    @Test("products in bf16 are those of rounded numbers", arguments: [OperandType(.bfloat16), .rounded])
    func roundedOperands(_ type: OperandType) throws {
        let (T, d) = (70, 8)
        var generator = SeededGenerator(seed: 77)
        let inputs = try (0..<4).map { _ in try Tensor(random: [T, d], &generator) }
        defer { withExtendedLifetime(inputs) {} }
        func results(_ type: OperandType) throws -> [[Float]] {
            let attention = TrainedAttention(headWidth: d, isCausal: true, type)
            try attention.reserve(length: T)
            let scratch = try FloatBuffer(count: attention.scratchCount(length: T))
            defer { withExtendedLifetime(scratch) {} }
            let outputs = try (0..<4).map { _ in try Tensor(shape: [T, d]) }
            let (q, k, v) = (inputs[0].matrix, inputs[1].matrix, inputs[2].matrix)
            attention.forward(outputs[0].matrix, query: q, key: k, value: v, length: T, scratch: scratch.pointer)
            attention.backward(
                dQuery: outputs[1].matrix, dKey: outputs[2].matrix, dValue: outputs[3].matrix,
                dOutput: inputs[3].matrix, query: q, key: k, value: v, length: T, scratch: scratch.pointer)
            return outputs.map(\.array)
        }
        let exact = try results(.float32)
        for (index, (rounded, exact)) in zip(try results(type), exact).enumerated() {
            // An operand is off by 2⁻⁹ at most; the largest sums have some ten terms of the size of the largest number.
            let largest = exact.map(abs).max() ?? 0
            expectClose(rounded, exact, tolerance: { _ in 0.04 * largest }, "result \(index)")
            #expect(rounded != exact, "result \(index) isn't rounded")
        }
    }

    @Test("softmax of extreme logits is finite and sums to 1")
    func extremeLogits() {
        let cases: [[Float]] = [
            [0], [1e30, 0], [-1e30, 0, 1e30], [88, 89, 90, 1000], [-1000, -1001, -1002],
            Array(repeating: 3e38, count: 9), Array(repeating: -3e38, count: 17), [-.infinity, 0, 1, 2, 3, 4, 5, 6, 7],
        ]
        for logits in cases {
            var p = logits
            Softmax.forward(&p, count: p.count)
            let highest = Double(logits.max() ?? 0)
            let powers = logits.map { Foundation.exp(Double($0) - highest) }
            let total = powers.reduce(0, +)
            expectClose(p, powers.map { Float($0 / total) }, tolerance: { _ in 3e-7 }, "softmax of \(logits)")
            #expect(abs(p.reduce(0, +) - 1) < 1e-6)
        }
    }

    @Test("later positions get no weight")
    func causality() {
        var scores: [Float] = [1, 2, 50, .nan]
        Softmax.causal(&scores, visible: 2, count: 4)
        #expect(scores[2] == 0 && scores[3] == 0)
        #expect(abs(scores[0] + scores[1] - 1) < 1e-6)
    }
}

/// One head of attention over one text, [T][d] everywhere; the mask [T][T] is what each weight is multiplied with. Each
/// result comes with the bound that the rounding of its sums leaves, carried on to first order: `e…` is the error of `…`.
private struct NaiveAttention {
    typealias Result = (values: [[Double]], bounds: [[Double]])
    var output: Result, dQuery: Result, dKey: Result, dValue: Result

    init(
        _ q: [[Double]], _ k: [[Double]], _ v: [[Double]], _ dOutput: [[Double]], isCausal: Bool, _ mask: [[Double]]
    ) {
        let (T, d) = (q.count, q[0].count)
        let zero = [[Double]](repeating: [Double](repeating: 0, count: d), count: T)
        (output, dQuery, dKey, dValue) = ((zero, zero), (zero, zero), (zero, zero), (zero, zero))
        let scale = 1 / Double(d).squareRoot()
        let (overWidth, overTexts) = (roundingShare(terms: d + 1), roundingShare(terms: T + 1))
        func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        func size(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + abs($1.0 * $1.1) } }
        for t in 0..<T {
            let seen = isCausal ? 0...t : 0...T - 1
            let powers = seen.map { Foundation.exp(dot(q[t], k[$0]) * scale) }
            let total = powers.reduce(0, +)
            let p = powers.map { $0 / total }
            // Relative: twice the worst score's error (numerator and sum), the sum's own, and those of exponential,
            // quotient and mask.
            let eScore = seen.map { overWidth * size(q[t], k[$0]) * scale }.max() ?? 0
            let eP = 2 * eScore + overTexts + 6 * 0x1p-24
            let dP = seen.map { mask[t][$0] * dot(dOutput[t], v[$0]) }
            let eDP = seen.map { (overWidth + 0x1p-24) * mask[t][$0] * size(dOutput[t], v[$0]) }
            let mean = dot(dP, p)
            let eMean = (eP + overTexts) * size(dP, p) + dot(eDP, p)
            for s in seen {
                // ∂pᵣ/∂sₛ = pᵣ(δᵣₛ − pₛ)
                let dS = p[s] * (dP[s] - mean)
                let eDS = p[s] * (eDP[s] + eMean) + (eP + 2 * 0x1p-24) * abs(dS)
                for i in 0..<d {
                    let weight = mask[t][s] * p[s]
                    add(weight * v[s][i], (eP + overTexts) * abs(weight * v[s][i]), to: &output, t, i)
                    add(
                        weight * dOutput[t][i], (eP + overTexts) * abs(weight * dOutput[t][i]), to: &dValue, s, i)
                    add(dS * k[s][i] * scale, (eDS + overTexts * abs(dS)) * abs(k[s][i]) * scale, to: &dQuery, t, i)
                    add(dS * q[t][i] * scale, (eDS + overTexts * abs(dS)) * abs(q[t][i]) * scale, to: &dKey, s, i)
                }
            }
        }
    }

    private func add(_ value: Double, _ error: Double, to result: inout Result, _ row: Int, _ column: Int) {
        result.values[row][column] += value
        result.bounds[row][column] += error
    }
}
