// Layers with packed weights against sums in double precision.

import GPT2Kit
import Records
import Testing

struct PackedLinearTests {
    /// Rows at and around half a tile, a tile and a run of tiles; columns at and around a band.
    @Test(
        "output and gradients are those of plain sums", arguments: [1, 24, 25, 48, 49, 72, 385, 500],
        [(5, 7, false), (130, 257, false), (256, 64, false), (33, 300, true)])
    func plainSums(_ rows: Int, _ shape: (inputs: Int, outputs: Int, isTransposed: Bool)) throws {
        let layer = try Layer(rows, shape)
        let results = try layer.results(.float32, Workers(count: 2))
        let expected = layer.expected()
        for (index, name) in ["output", "dInput", "dWeight", "dBias"].enumerated() where !results[index].isEmpty {
            expectWithin(results[index], expected[index], "\(name), \(rows) rows, \(shape)")
        }
    }

    @Test(
        "results have the same bits on any number of threads", arguments: [OperandType.float32, OperandType(.bfloat16)])
    func sameBits(_ type: OperandType) throws {
        let layer = try Layer(500, (130, 300, false))
        let one = try layer.results(type, Workers(count: 1)).map(bits)
        for threads in [2, 3] { #expect(try layer.results(type, Workers(count: threads)).map(bits) == one) }
    }

    @Test("bf16 rounds the operands, and nothing else", arguments: [OperandType(.bfloat16), .rounded], [false, true])
    func roundedOperands(_ type: OperandType, _ isTransposed: Bool) throws {
        var layer = try Layer(100, (64, 70, isTransposed))
        let results = try layer.results(type, Workers(count: 2))
        try layer.roundOperands()
        let expected = layer.expected()
        for (index, name) in ["output", "dInput", "dWeight"].enumerated() {
            expectWithin(results[index], expected[index], name)
        }
    }

    @Test(
        "a row has the same bits whatever rows come with it", arguments: [OperandType.float32, OperandType(.bfloat16)])
    func independentRows(_ type: OperandType) throws {
        let many = try Layer(131, (40, 50, false))
        let all = try many.results(type, Workers(count: 1))[0]
        let one = try many.first(1).results(type, Workers(count: 1))[0]
        let part = try many.first(60).results(type, Workers(count: 2))[0]
        #expect(bits(Array(all.prefix(50))) == bits(one))
        #expect(bits(Array(all.prefix(60 * 50))) == bits(part))
    }

    @Test("a layer that shares another's weights follows their changes once the other has read them")
    func sharedWeights() throws {
        var generator = SeededGenerator(seed: 4)
        let (weight, bias) = (try Tensor(random: [6, 9], &generator), try Tensor(random: [9], &generator))
        let x = try Tensor(random: [50, 6], &generator)
        let (scratch, workers) = (ProductScratch(), Workers(count: 1))
        let owner = try PackedLinear(weight, bias, .gradients, .float32, scratch: scratch, workers: workers)
        let other = try PackedLinear(
            weight, bias, .forward, .float32, scratch: ProductScratch(), sharing: owner, workers: workers)
        try owner.reserve(rows: 50)
        try other.reserve(rows: 50)
        for _ in 0..<2 {
            for i in 0..<weight.count { weight.mutablePointer[i] *= -2 }
            owner.refresh()
            let (mine, others) = (try Tensor(shape: [50, 9]), try Tensor(shape: [50, 9]))
            owner.forward(mine.region, x.region, rows: 50)
            other.forward(others.region, x.region, rows: 50)
            let fresh = try PackedLinear(
                weight, bias, .forward, .float32, scratch: ProductScratch(), workers: workers)
            fresh.refresh()
            try fresh.reserve(rows: 50)
            let expected = try Tensor(shape: [50, 9])
            fresh.forward(expected.region, x.region, rows: 50)
            #expect(bits(mine.array) == bits(expected.array) && bits(others.array) == bits(expected.array))
        }
    }

    /// A layer, its input and the gradient of its output.
    private struct Layer {
        let rows: Int, shape: (inputs: Int, outputs: Int, isTransposed: Bool)
        var x: Tensor, weight: Tensor, dy: Tensor
        let bias: Tensor?

        init(_ rows: Int, _ shape: (inputs: Int, outputs: Int, isTransposed: Bool)) throws {
            (self.rows, self.shape) = (rows, shape)
            var generator = SeededGenerator(seed: UInt64(rows + shape.inputs))
            let (inputs, outputs) = (shape.inputs, shape.outputs)
            x = try Tensor(random: [rows, inputs], &generator)
            weight = try Tensor(random: shape.isTransposed ? [outputs, inputs] : [inputs, outputs], &generator)
            dy = try Tensor(random: [rows, outputs], &generator)
            bias = shape.isTransposed ? nil : try Tensor(random: [outputs], &generator)
        }

        /// The same with the first rows alone.
        func first(_ rows: Int) throws -> Layer {
            var layer = self
            layer = try Layer(rows, shape)
            (layer.weight, layer.x, layer.dy) = (weight, x, dy)
            if let bias = bias, let own = layer.bias {
                own.mutablePointer.update(from: bias.pointer, count: bias.count)
            }
            return layer
        }

        mutating func roundOperands() throws {
            for path in [\Layer.x, \Layer.weight, \Layer.dy] as [WritableKeyPath<Layer, Tensor>] {
                let tensor = try self[keyPath: path].copied()
                BFloat16.round(tensor.mutablePointer, tensor.pointer, count: tensor.count)
                self[keyPath: path] = tensor
            }
        }

        /// Output, dInput, dWeight and dBias; gradients are added to ones.
        func results(_ type: OperandType, _ workers: Workers) throws -> [[Float]] {
            let (inputs, outputs, isTransposed) = shape
            let layer = try PackedLinear(
                weight, bias, isTransposed: isTransposed, .gradients, type, scratch: ProductScratch(), workers: workers)
            layer.refresh()
            try layer.reserve(rows: rows)
            let (y, dx) = (try Tensor(shape: [rows, outputs]), try Tensor(shape: [rows, inputs]))
            let (dWeight, dBias) = (try Tensor(shape: weight.shape), try Tensor(shape: [outputs]))
            dWeight.mutableValues.update(repeating: 1)
            dBias.mutableValues.update(repeating: 1)
            layer.forward(y.region, x.region, rows: rows)
            layer.backward(
                dx.region, dy.region, rows: rows,
                gradient: LinearGradient(
                    dWeight: Matrix(dWeight.mutablePointer, stride: weight.shape[1]),
                    dBias: bias == nil ? nil : dBias.mutablePointer, inputs: inputs, outputs: outputs))
            return [y.array, dx.array, dWeight.array, bias == nil ? [] : dBias.array]
        }

        /// The same in double precision, with bounds for sums of that many terms in single precision.
        func expected() -> [Bounded] {
            let (inputs, outputs, isTransposed) = shape
            func w(_ i: Int, _ o: Int) -> Double {
                Double(weight.pointer[isTransposed ? o * inputs + i : i * outputs + o])
            }
            let x = { (row: Int, i: Int) in Double(self.x.pointer[row * inputs + i]) }
            let dy = { (row: Int, o: Int) in Double(self.dy.pointer[row * outputs + o]) }
            func sum(_ start: Double, _ count: Int, _ term: (Int) -> Double) -> (Double, Double) {
                var (sum, size) = (start, abs(start))
                for k in 0..<count {
                    sum += term(k)
                    size += abs(term(k))
                }
                return (sum, size * Double(count + 2) * 0x1p-24)
            }
            func all(_ m: Int, _ n: Int, _ entry: (Int, Int) -> (Double, Double)) -> Bounded {
                let entries = (0..<m * n).map { entry($0 / n, $0 % n) }
                return Bounded(values: entries.map(\.0), bounds: entries.map(\.1))
            }
            let dWeight = { (i: Int, o: Int) in sum(1, rows) { x($0, i) * dy($0, o) } }
            return [
                all(rows, outputs) { row, o in
                    sum(bias.map { Double($0.pointer[o]) } ?? 0, inputs) { x(row, $0) * w($0, o) }
                },
                all(rows, inputs) { row, i in sum(0, outputs) { dy(row, $0) * w(i, $0) } },
                isTransposed ? all(outputs, inputs) { dWeight($1, $0) } : all(inputs, outputs) { dWeight($0, $1) },
                all(1, outputs) { _, o in sum(1, rows) { dy($0, o) } },
            ]
        }
    }
}
