// Layers in fewer bits: against sums in double precision of the operands as they are rounded, or within the bounds that
// the rounding leaves.

import GPT2Kit
import Records
import Testing

struct PrecisionTests {
    @Test("rounding to bf16 is to nearest, ties to even, with signs and infinities")
    func bfloat16Rounding() {
        let input: [Float] = [
            1, -1, 0, -0.0, 1.003_906_25, 1.007_812_5, 1.011_718_75, 3.389_531_4e38, .infinity, -.infinity, 1e-40,
            0.1, -0.3, 1.003_906_4,
        ]
        let expected: [UInt16] = [
            0x3F80, 0xBF80, 0, 0x8000, 0x3F80, 0x3F81, 0x3F82, 0x7F7F, 0x7F80, 0xFF80, 0x0001, 0x3DCD, 0xBE9A, 0x3F81,
        ]
        var input2 = input
        var halves = [UInt16](repeating: 0, count: input.count)
        var rounded = [Float](repeating: 0, count: input.count)
        input2.withUnsafeMutableBufferPointer { x in
            halves.withUnsafeMutableBytes { BFloat16.convert($0.baseAddress!, x.baseAddress!, count: input.count) }
            rounded.withUnsafeMutableBufferPointer {
                BFloat16.round($0.baseAddress!, x.baseAddress!, count: input.count)
            }
        }
        #expect(halves == expected)
        #expect(rounded.map(\.bitPattern) == expected.map { UInt32($0) << 16 })
    }

    private static let shapes = [(16, 48), (20, 60), (100, 7), (3, 1), (768, 96)]

    @Test(
        "bf16 layers give the products of rounded operands", arguments: shapes,
        [PrepackedLinear.Epilogue.store, .gelu, .add])
    func bfloat16Layer(_ shape: (inputs: Int, outputs: Int), _ epilogue: PrepackedLinear.Epilogue) throws {
        let layer = try Layer(shape, epilogue, .bfloat16)
        expectWithin(
            try layer.run(), layer.finished(layer.x.array.map(bf16), layer.weight.array.map(bf16)), "bf16")
    }

    private func bf16(_ x: Float) -> Float {
        let below = Float(bitPattern: x.bitPattern & 0xFFFF_0000)
        let above = Float(bitPattern: below.bitPattern &+ 0x1_0000)
        let (down, up) = (Double(x - below).magnitude, Double(above - x).magnitude)
        return down < up || (down == up && below.bitPattern & 0x1_0000 == 0) ? below : above
    }

    /// Half a step of either operand times the other, for every product; GELU's slope is below 1.13.
    @Test(
        "int8 layers stay within the rounding of their operands", arguments: shapes,
        [PrepackedLinear.Epilogue.store, .gelu, .add])
    func int8Layer(_ shape: (inputs: Int, outputs: Int), _ epilogue: PrepackedLinear.Epilogue) throws {
        let layer = try Layer(shape, epilogue, .int8)
        var expected = layer.finished(layer.x.array, layer.weight.array)
        for (i, bound) in layer.int8Bounds().enumerated() { expected.bounds[i] += 1.13 * bound }
        expectWithin(try layer.run(), expected, "\(shape) \(epilogue)")
    }

    /// The largest sums there are: an adder of 16 bits would cut them.
    @Test("int8 sums of extreme values are exact", arguments: [1, -1] as [Float], [1, -1] as [Float])
    func int8Extremes(_ x: Float, _ w: Float) throws {
        let layer = try Layer((3072, 96), .store, .int8)
        layer.x.mutableValues.update(repeating: x)
        layer.weight.mutableValues.update(repeating: w)
        layer.bias.mutableValues.update(repeating: 0)
        let sums = try layer.run()
        #expect(sums.allSatisfy { abs($0 - 3072 * x * w) < 0.1 })
    }

    @Test("an int8 row, also one of zeros, has the same bits beside any rows")
    func independentRows() throws {
        let layer = try Layer((100, 60), .gelu, .int8)
        (layer.x.mutablePointer + 100).update(repeating: 0, count: 100)
        let first = try layer.run()
        for row in 2..<PrepackedLinear.tileRows {
            for i in 0..<100 { layer.x.mutablePointer[row * 100 + i] *= 1e6 }
        }
        let second = try layer.run()
        #expect(bits(Array(second.prefix(120))) == bits(Array(first.prefix(120))))
        #expect(first.allSatisfy { $0.isFinite })
    }

    /// A layer with its operands.
    private struct Layer {
        let weight: Tensor, bias: Tensor, x: Tensor, y: Tensor
        let inputs: Int, outputs: Int
        let rows = PrepackedLinear.tileRows
        let epilogue: PrepackedLinear.Epilogue
        let precision: Precision

        init(_ shape: (Int, Int), _ epilogue: PrepackedLinear.Epilogue, _ precision: Precision) throws {
            var generator = SeededGenerator(seed: 17)
            (inputs, outputs) = shape
            (self.epilogue, self.precision) = (epilogue, precision)
            weight = try Tensor(random: [inputs, outputs], &generator, deviation: 0.2)
            bias = try Tensor(random: [outputs], &generator)
            x = try Tensor(random: [rows, inputs], &generator)
            y = try Tensor(random: [rows, outputs], &generator)
        }

        func run() throws -> [Float] {
            let layer = try PrepackedLinear(weight, bias, epilogue, precision)
            let scratch = try FloatBuffer(count: layer.scratchCount)
            let output = try y.copied()
            layer.run(output.region, x.region, scratch: FloatView(scratch.pointer))
            return output.array
        }

        /// What the layer gives for these operands.
        func finished(_ x: [Float], _ w: [Float]) -> Bounded {
            let (biases, before) = (bias.array, y.array)
            let sums = Bounded(
                product: x, w, m: rows, n: outputs, k: inputs,
                added: [{ biases[$0 % outputs] }] + (epilogue == .add ? [{ before[$0] }] : []))
            return epilogue == .gelu ? sums.gelu : sums
        }

        func int8Bounds() -> [Double] {
            let steps = (0..<rows).map { row in
                let values = (0..<inputs).map { x.pointer[row * inputs + $0] } + [0]
                // A whole step: half for the number, half for the zero point.
                return Double((values.max()! - values.min()!) / QuantizedLinear.inputLimit)
            }
            let weightSteps = (0..<outputs).map { column in
                (0..<inputs).map { Double(abs(weight.pointer[$0 * outputs + column])) }.max()! / 127 / 2
            }
            return (0..<rows * outputs).map { i in
                let (row, column) = i.quotientAndRemainder(dividingBy: outputs)
                return (0..<inputs).reduce(0) { sum, k in
                    let a = Double(abs(x.pointer[row * inputs + k]))
                    let b = Double(abs(weight.pointer[k * outputs + column]))
                    return sum + steps[row] * b + weightSteps[column] * a + steps[row] * weightSteps[column]
                }
            }
        }
    }
}
