// Matrix products and fully connected layers against loops in double precision.

import Foundation
import GPT2Kit
import Records
import Testing

struct LinearTests {
    @Test(
        "matrix products are right with every transposition, scale, sum and stride", arguments: [false, true],
        [false, true])
    func matrixProducts(_ transposeA: Bool, _ transposeB: Bool) throws {
        var generator = SeededGenerator(seed: 5)
        for (m, n, k) in [(1, 1, 1), (3, 5, 7), (8, 40, 20), (65, 33, 64)] {
            let a = normals(m * k, &generator)
            let b = normals(k * n, &generator)
            let c = normals(m * n, &generator)
            // In rooms with wider rows than the matrix.
            let (A, B, C) = (
                try wide(a, width: transposeA ? m : k), try wide(b, width: transposeB ? k : n), try wide(c, width: n)
            )
            matmul(
                C.matrix, A.matrix, B.matrix, m: m, n: n, k: k, transposeA: transposeA, transposeB: transposeB,
                scale: 0.5, keep: 2)
            let expected = Bounded(
                product: a, b, m: m, n: n, k: k, transposeA: transposeA, transposeB: transposeB,
                added: [{ 2 * c[$0] }], scale: 0.5)
            let got = (0..<m * n).map { C.pointer[$0 / n * (n + 3) + $0 % n] }
            expectWithin(got, expected, "[\(m),\(k)]×[\(k),\(n)]")
            #expect((0..<m).allSatisfy { row in (n..<n + 3).allSatisfy { C.pointer[row * (n + 3) + $0] == 77 } })
        }
    }

    @Test(
        "small products are right in vectors of every width that the CPU has, with and without transposition, in wide rows",
        arguments: [4, 8, 16].filter { $0 <= lanesOfCPU }, [false, true])
    func smallProducts(_ lanes: Int, _ transposeB: Bool) throws {
        var generator = SeededGenerator(seed: 9)
        for (m, n, k) in [
            (1, 1, 1), (1, 2, 300), (3, 5, 7), (6, 16, 64), (7, 17, 65), (13, 64, 20), (24, 24, 64), (65, 131, 130),
        ] {
            let a = normals(m * k, &generator)
            let b = normals(k * n, &generator)
            let (A, B) = (try wide(a, width: k), try wide(b, width: transposeB ? k : n))
            let C = try Tensor([Float](repeating: 77, count: m * (n + 3)), shape: [m, n + 3])
            smallMatmul(
                C.matrix, A.matrix, B.matrix, m: m, n: n, k: k, transposeB: transposeB, scale: 0.5, lanes: lanes)
            let got = (0..<m * n).map { C.pointer[$0 / n * (n + 3) + $0 % n] }
            expectWithin(
                got, Bounded(product: a, b, m: m, n: n, k: k, transposeB: transposeB, scale: 0.5),
                "[\(m),\(k)]×[\(k),\(n)]")
            #expect((0..<m).allSatisfy { row in (n..<n + 3).allSatisfy { C.pointer[row * (n + 3) + $0] == 77 } })
            // A row alone has the same bits.
            let row = try Tensor(shape: [1, n])
            smallMatmul(
                row.matrix, A.matrix.at(row: m - 1), B.matrix, m: 1, n: n, k: k, transposeB: transposeB, scale: 0.5,
                lanes: lanes)
            #expect(bits(row.values) == bits(UnsafeBufferPointer(start: C.pointer + (m - 1) * (n + 3), count: n)))
        }
    }

    private func wide(_ values: [Float], width: Int) throws -> Tensor {
        let rows = values.count / width
        let tensor = try Tensor([Float](repeating: 77, count: rows * (width + 3)), shape: [rows, width + 3])
        for (i, value) in values.enumerated() { tensor.mutablePointer[i / width * (width + 3) + i % width] = value }
        return tensor
    }

    /// More columns and inputs than the layer's tiles of 192; many rows, 4 KiB apart.
    @Test(
        "output, input gradient and parameter gradients are those of plain loops", arguments: [1, 2, 3],
        [(9, 200, 401), (70, 1024, 200), (70, 200, 1024)])
    func linearLayer(_ threads: Int, _ shape: (rows: Int, inputs: Int, outputs: Int)) throws {
        var generator = SeededGenerator(seed: 6)
        let (rows, inputs, outputs) = shape
        let workers = Workers(count: threads)
        let weight = try Tensor(random: [inputs, outputs], &generator)
        let bias = try Tensor(random: [outputs], &generator)
        let x = try Tensor(random: [rows, inputs], &generator)
        let dy = try Tensor(random: [rows, outputs], &generator)
        let (y, dx) = (try Tensor(shape: [rows, outputs]), try Tensor(random: [rows, inputs], &generator))
        let (dWeight, dBias) = (
            try Tensor(random: [inputs, outputs], &generator), try Tensor(random: [outputs], &generator)
        )
        let (dx0, dWeight0, dBias0) = (dx.array, dWeight.array, dBias.array)
        Linear(weight, bias).forward(y.matrix, x.matrix, rows: rows, tile: rows, workers: workers)
        Linear(weight, bias).backwardInput(dx.matrix, dy.matrix, rows: rows, keep: 1, workers: workers)
        LinearGradient(dWeight, dBias).add(input: x.matrix, dOutput: dy.matrix, rows: rows, workers: workers)

        let biases = bias.array
        let product = Bounded(
            product: x.array, weight.array, m: rows, n: outputs, k: inputs, added: [{ biases[$0 % outputs] }])
        expectWithin(y.array, product, "y")
        expectWithin(
            dx.array,
            Bounded(
                product: dy.array, weight.array, m: rows, n: inputs, k: outputs, transposeB: true, added: [{ dx0[$0] }]
            ), "dx")
        expectWithin(
            dWeight.array,
            Bounded(
                product: x.array, dy.array, m: inputs, n: outputs, k: rows, transposeA: true, added: [{ dWeight0[$0] }]
            ), "dW")
        let ones = [Float](repeating: 1, count: rows)
        expectWithin(
            dBias.array,
            Bounded(product: ones, dy.array, m: 1, n: outputs, k: rows, added: [{ dBias0[$0] }]), "db")

        // Some columns alone, with another thread count, are the same columns.
        let part = try Tensor(shape: [rows, 100])
        Linear(weight, bias).columns(92..<192).forward(
            part.matrix, x.matrix, rows: rows, tile: rows, workers: Workers(count: 1))
        let places = (0..<rows * 100).map { $0 / 100 * outputs + 92 + $0 % 100 }
        expectWithin(
            part.array,
            Bounded(values: places.map { product.values[$0] }, bounds: places.map { product.bounds[$0] }), "columns")
    }

    private static let shapes = [(16, 48), (20, 60), (64, 256), (100, 7), (3, 1), (768, 96)]

    @Test(
        "prepacked layers are right with every epilogue", arguments: shapes,
        [PrepackedLinear.Epilogue.store, .gelu, .add])
    func prepackedLayer(_ shape: (inputs: Int, outputs: Int), _ epilogue: PrepackedLinear.Epilogue) throws {
        var generator = SeededGenerator(seed: 7)
        let (rows, inputs, outputs) = (PrepackedLinear.tileRows, shape.inputs, shape.outputs)
        let weight = try Tensor(random: [inputs, outputs], &generator, deviation: 0.2)
        let bias = try Tensor(random: [outputs], &generator)
        let x = try Tensor(random: [rows, inputs], &generator)
        let y = try Tensor(random: [rows, outputs], &generator)
        let before = y.array
        let layer = try PrepackedLinear(weight, bias, epilogue)
        let scratch = try FloatBuffer(count: layer.scratchCount)
        layer.run(y.region, x.region, scratch: FloatView(scratch.pointer))
        let biases = bias.array
        let sums = Bounded(
            product: x.array, weight.array, m: rows, n: outputs, k: inputs,
            added: [{ biases[$0 % outputs] }] + (epilogue == .add ? [{ before[$0] }] : []))
        expectWithin(
            y.array, epilogue == .gelu ? sums.gelu : sums, "\(layer.implementation) \(shape) \(epilogue)")
    }

    @Test(
        "the first rows of a prepacked layer have the same bits where no others are wanted",
        arguments: shapes, [Precision.float32, .bfloat16, .int8])
    func wantedRows(_ shape: (inputs: Int, outputs: Int), _ precision: Precision) throws {
        var generator = SeededGenerator(seed: 10)
        let (rows, inputs, outputs) = (PrepackedLinear.tileRows, shape.inputs, shape.outputs)
        let weight = try Tensor(random: [inputs, outputs], &generator)
        let bias = try Tensor(random: [outputs], &generator)
        let layer = try PrepackedLinear(weight, bias, .gelu, precision)
        let room = try FloatBuffer(count: layer.scratchCount)
        let x = try Tensor(random: [rows, inputs], &generator)
        let all = try Tensor(shape: [rows, outputs])
        layer.run(all.region, x.region, scratch: FloatView(room.pointer))
        for wanted in [1, 7, PrepackedLinear.fewRows, PrepackedLinear.fewRows + 1] {
            let few = try Tensor(shape: [rows, outputs])
            layer.run(few.region, x.region, scratch: FloatView(room.pointer), wanted: wanted)
            #expect(
                bits(UnsafeBufferPointer(start: few.pointer, count: wanted * outputs))
                    == bits(UnsafeBufferPointer(start: all.pointer, count: wanted * outputs)), "\(wanted) rows")
        }
    }

    @Test(
        "a layer that takes another's packed weights has its bits, and packs anew what is of another kind",
        arguments: [Precision.float32, .bfloat16])
    func packedWeights(_ precision: Precision) throws {
        var generator = SeededGenerator(seed: 11)
        let (rows, inputs, outputs) = (PrepackedLinear.tileRows, 64, 256)
        let weight = try Tensor(random: [inputs, outputs], &generator)
        let bias = try Tensor(random: [outputs], &generator)
        let x = try Tensor(random: [rows, inputs], &generator)
        func output(_ layer: PrepackedLinear) throws -> [UInt32] {
            let room = try FloatBuffer(count: layer.scratchCount)
            let y = try Tensor(shape: [rows, outputs])
            layer.run(y.region, x.region, scratch: FloatView(room.pointer))
            return bits(y.values)
        }
        let first = try PrepackedLinear(weight, bias, .store, precision)
        let copy = try #require(first.packed)
        let zeros = try Tensor(shape: [inputs, outputs])
        let second = try PrepackedLinear(zeros, bias, .store, precision, copy: copy)
        #expect(second.packed?.bytes.baseAddress == copy.bytes.baseAddress)
        #expect(try output(second) == output(first))
        let other: Precision = precision == .float32 ? .bfloat16 : .float32
        let third = try PrepackedLinear(zeros, bias, .store, other, copy: copy)
        #expect(third.packed?.bytes.baseAddress != copy.bytes.baseAddress)
        #expect(try output(third) == output(PrepackedLinear(zeros, bias, .store, other)))
        let narrow = try PrepackedLinear(
            Tensor(shape: [inputs, outputs / 2]), Tensor(shape: [outputs / 2]), .store, precision, copy: copy)
        #expect(narrow.packed?.bytes.baseAddress != copy.bytes.baseAddress)
        #expect(try PrepackedLinear(weight, bias, .store, .int8).packed == nil)
    }

    @Test("a row of a prepacked layer has the same bits at any place of a tile, beside any rows", arguments: shapes)
    func independentRows(_ shape: (inputs: Int, outputs: Int)) throws {
        var generator = SeededGenerator(seed: 8)
        let (rows, inputs, outputs) = (PrepackedLinear.tileRows, shape.inputs, shape.outputs)
        let weight = try Tensor(random: [inputs, outputs], &generator)
        let layer = try PrepackedLinear(weight, try Tensor(random: [outputs], &generator), .gelu)
        let room = try FloatBuffer(count: layer.scratchCount)
        let row = normals(inputs, &generator)
        var first: [UInt32]?
        for place in 0..<rows {
            let x = try Tensor(random: [rows, inputs], &generator, deviation: place % 2 == 0 ? 1 : 1e6)
            (x.mutablePointer + place * inputs).update(from: row, count: inputs)
            let y = try Tensor(shape: [rows, outputs])
            layer.run(y.region, x.region, scratch: FloatView(room.pointer))
            let got = bits(UnsafeBufferPointer(start: y.pointer + place * outputs, count: outputs))
            #expect(got == first ?? got, "row at place \(place) (\(layer.implementation))")
            first = got
        }
    }
}
