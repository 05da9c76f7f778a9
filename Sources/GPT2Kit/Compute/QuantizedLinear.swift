// A fully connected layer in 8-bit integers (as Dettmers et al. 2022, https://arxiv.org/abs/2208.07339, §2.1, with a
// scale and zero point for every row of the input and a scale for every column of the weights):
//
//     xᵢₖ ≈ sᵢ·(qᵢₖ − zᵢ),   Wₖⱼ ≈ tⱼ·vₖⱼ,   yᵢⱼ = sᵢ·tⱼ·(Σₖ qᵢₖvₖⱼ − zᵢ·Σₖ vₖⱼ) + bⱼ
//
// Sums of integers are exact, so a row's result depends on that row alone.

import COneDNN

/// y = epilogue(x·W + b) on tiles of a fixed number of rows. Any number of threads may run it at a time.
package final class QuantizedLinear: @unchecked Sendable {  // after init nothing changes any more
    /// The largest |v|.
    private static let weightLimit: Float = 127
    /// The largest q: all 8 bits, or 7 where the CPU adds pairs of products in 16 bits (127·127·2 is the most that
    /// fits).
    package static let inputLimit: Float = onednn_int8_saturates() ? 127 : 255

    private let product: MatmulPrimitive
    private let bias: Tensor
    private let scales: Tensor  // t [outputs]
    private let columnSums: Tensor  // Σₖ vₖⱼ [outputs]
    private let epilogue: PrepackedLinear.Epilogue
    private let rows: Int, inputs: Int, outputs: Int
    /// Floats of scratch memory that each worker provides.
    package let scratchCount: Int

    /// - Parameters:
    ///   - weight: [inputs,outputs], read here and not kept.
    ///   - bias: [outputs].
    package init(_ weight: Tensor, _ bias: Tensor, _ epilogue: PrepackedLinear.Epilogue, rows: Int) throws {
        let (inputs, outputs) = (weight.shape[0], weight.shape[1])
        (self.rows, self.inputs, self.outputs, self.bias, self.epilogue) = (rows, inputs, outputs, bias, epilogue)
        scales = try Tensor(shape: [outputs])
        columnSums = try Tensor(shape: [outputs])
        let quantized = try FloatBuffer(count: (inputs * outputs + 3) / 4)
        let v = UnsafeMutableRawPointer(quantized.pointer).assumingMemoryBound(to: Int8.self)
        Self.quantize(v, weight, scales: scales.mutablePointer, sums: columnSums.mutablePointer)
        product = try MatmulPrimitive(
            rows: rows, inputs: inputs, outputs: outputs, source: ONEDNN_U8, destination: ONEDNN_S32
        ) { pack in try withExtendedLifetime(quantized) { try pack(v) } }
        scratchCount = Self.padded((rows * inputs + 3) / 4) + Self.padded(rows * outputs) + product.scratchCount
    }

    /// The name of oneDNN's kernel.
    package var implementation: String { product.implementation }

    /// Sets v [inputs,outputs], and the scale and the sum of every column.
    private static func quantize(
        _ v: UnsafeMutablePointer<Int8>, _ weight: Tensor, scales: UnsafeMutablePointer<Float>,
        sums: UnsafeMutablePointer<Float>
    ) {
        let (inputs, outputs) = (weight.shape[0], weight.shape[1])
        let whole = outputs / 8 * 8
        for row in 0..<inputs {
            let w = weight.pointer + row * outputs
            for column in stride(from: 0, to: whole, by: 8) {
                let lanes = w.lanes(column)
                var highest = scales.lanes(column)
                highest.replace(with: lanes, where: lanes .> highest)
                highest.replace(with: -lanes, where: -lanes .> highest)
                scales.store(highest, column)
            }
            for column in whole..<outputs { scales[column] = max(scales[column], abs(w[column])) }
        }
        var inverse = (0..<outputs).map { scales[$0] > 0 ? weightLimit / scales[$0] : 0 }
        for column in 0..<outputs { scales[column] /= weightLimit }
        inverse.withUnsafeMutableBufferPointer { inverse in
            guard let inverse = inverse.baseAddress else { return }
            for row in 0..<inputs {
                let (w, q) = (weight.pointer + row * outputs, v + row * outputs)
                for column in stride(from: 0, to: whole, by: 8) {
                    let (value, bits) = rounded(w.lanes(column) * inverse.lanes(column))
                    UnsafeMutableRawPointer(q + column).storeBytes(of: bits, as: SIMD8<Int8>.self)
                    sums.store(sums.lanes(column) + value, column)
                }
                for column in whole..<outputs {
                    let (value, bits) = rounded(Lanes(repeating: w[column] * inverse[column]))
                    q[column] = bits[0]
                    sums[column] += value[0]
                }
            }
        }
    }

    /// The nearest integers, ties to even, of numbers of at most ±127 and a rounding error.
    @inline(__always) private static func rounded(_ x: Lanes) -> (value: Lanes, bits: SIMD8<Int8>) {
        // Adding 1.5·2²³ leaves them in the low bits.
        let shifted = x + 12_582_912
        return (shifted - 12_582_912, SIMD8(truncatingIfNeeded: unsafeBitCast(shifted, to: SIMD8<Int32>.self)))
    }

    /// output [rows,outputs] from input [rows,inputs]; with ``PrepackedLinear/Epilogue/add`` it is added to output.
    package func run(_ output: FloatView, _ input: FloatView, scratch: FloatView) {
        let q = UnsafeMutableRawPointer(scratch.pointer).assumingMemoryBound(to: UInt8.self)
        let accumulators = scratch.pointer + Self.padded((rows * inputs + 3) / 4)
        withUnsafeTemporaryAllocation(of: (scale: Float, zero: Float).self, capacity: rows) { ranges in
            for row in 0..<rows {
                ranges.initializeElement(
                    at: row, to: Self.quantize(q + row * inputs, input.pointer + row * inputs, inputs))
            }
            product.run(accumulators, q, bias: nil, scratch: accumulators + Self.padded(rows * outputs))
            let sums = UnsafeMutableRawPointer(accumulators).assumingMemoryBound(to: Int32.self)
            for row in 0..<rows {
                finish(output.pointer + row * outputs, sums + row * outputs, ranges[row])
            }
        }
    }

    /// Sets q [count] of one row x, and returns its scale s and zero point z. The range always includes 0, which q
    /// represents exactly.
    private static func quantize(
        _ q: UnsafeMutablePointer<UInt8>, _ x: UnsafePointer<Float>, _ count: Int
    ) -> (scale: Float, zero: Float) {
        var (lows, highs) = (Lanes(), Lanes())
        let rest = Lanes.each(count) { i in
            let lanes = x.lanes(i)
            lows.replace(with: lanes, where: lanes .< lows)
            highs.replace(with: lanes, where: lanes .> highs)
        }
        var (low, high) = (lows.min(), highs.max())
        for i in rest {
            (low, high) = (min(low, x[i]), max(high, x[i]))
        }
        let scale = max((high - low) / inputLimit, 1e-30)
        let inverse = 1 / scale
        let zero = (-low * inverse).rounded(.toNearestOrEven)
        let limit = Lanes(repeating: inputLimit)
        /// Adding 2²³ leaves the nearest integer in the low bits.
        @inline(__always) func quantized(_ lanes: Lanes) -> SIMD8<UInt8> {
            var y = lanes * inverse + zero
            y.replace(with: 0, where: y .< 0)
            y.replace(with: limit, where: y .> limit)
            return SIMD8<UInt8>(truncatingIfNeeded: unsafeBitCast(y + 8_388_608, to: SIMD8<UInt32>.self))
        }
        Lanes.each(count) { i in
            UnsafeMutableRawPointer(q + i).storeBytes(of: quantized(x.lanes(i)), as: SIMD8<UInt8>.self)
        } rest: { i in
            q[i] = quantized(Lanes(repeating: x[i]))[0]
        }
        return (scale, zero)
    }

    /// Finishes one row: scales, bias and epilogue.
    @inline(__always)
    private func finish(
        _ y: UnsafeMutablePointer<Float>, _ sums: UnsafePointer<Int32>, _ range: (scale: Float, zero: Float)
    ) {
        let (t, v, b) = (scales.pointer, columnSums.pointer, bias.pointer)
        let raw = UnsafeRawPointer(sums)
        Lanes.each(outputs) { i in
            let sum = Lanes(raw.loadUnaligned(fromByteOffset: 4 * i, as: SIMD8<Int32>.self))
            let x = (sum - v.lanes(i) * range.zero) * (t.lanes(i) * range.scale) + b.lanes(i)
            switch epilogue {
            case .store: y.store(x, i)
            case .gelu: y.store(GELU.value(x), i)
            case .add: y.store(y.lanes(i) + x, i)
            }
        } rest: { i in
            let x = (Float(sums[i]) - v[i] * range.zero) * (t[i] * range.scale) + b[i]
            switch epilogue {
            case .store: y[i] = x
            case .gelu: y[i] = GELU.value(Lanes(repeating: x))[0]
            case .add: y[i] += x
            }
        }
    }

    private static func padded(_ count: Int) -> Int { (count + 15) / 16 * 16 }
}
