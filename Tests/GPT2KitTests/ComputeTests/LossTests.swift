// Cross entropy, argmax, probabilities and AdamW against plain loops in double precision.

import Foundation
import GPT2Kit
import Records
import Testing

struct LossTests {
    @Test("cross entropy sums over rows and counts the hits")
    func crossEntropyOfRows() {
        let logits: [Float] = [1, 2, 0.5, -3, -3, -4, 0, 0, 0]
        let labels = [1, 2, 0]
        let result = CrossEntropyLoss.sumAndCorrect(logits, labels: labels, classes: 3)
        var expected = 0.0
        for (row, label) in labels.enumerated() {
            let y = logits[row * 3..<row * 3 + 3].map { Foundation.exp(Double($0)) }
            expected -= Foundation.log(y[label] / y.reduce(0, +))
        }
        #expect(abs(result.sum - expected) < 1e-12)
        #expect(result.correct == 2)
    }

    @Test("cross entropy of extreme logits is finite, and of NaN it isn't")
    func extremeLogits() {
        #expect(CrossEntropyLoss.sumAndCorrect([1e30, -1e30], labels: [0], classes: 2).sum == 0)
        #expect(CrossEntropyLoss.sumAndCorrect([1000, 0], labels: [1], classes: 2).sum == 1000)
        #expect(
            abs(CrossEntropyLoss.sumAndCorrect([-1e4, -1e4], labels: [1], classes: 2).sum - 0.6931471805599453) < 1e-12)
        #expect(!CrossEntropyLoss.sumAndCorrect([.nan, 0], labels: [1], classes: 2).sum.isFinite)
        #expect(!CrossEntropyLoss.sumAndCorrect([0, .nan], labels: [0], classes: 2).sum.isFinite)
    }

    @Test("argmax takes the first of tied values")
    func tiedArgmax() {
        func best(_ values: [Float]) -> Int { values.withUnsafeBufferPointer { Softmax.indexOfLargest($0) } }
        #expect(best([1, 3, 3, 2]) == 1)
        #expect(best([0, 0, 0]) == 0)
        #expect(best([-0.0, 0.0]) == 0)
        #expect(best([-.infinity, -.infinity, -5]) == 2)
        #expect(best([7]) == 0)
    }

    @Test("probabilities sum to 1 in double precision")
    func probabilitySum() {
        let p = ([Float]([100, 99, -50])).withUnsafeBufferPointer { Softmax.probabilities($0) }
        #expect(abs(p.reduce(0, +) - 1) < 1e-15)
        #expect(abs(p[1] / p[0] - Foundation.exp(-1)) < 1e-15)
    }

    @Test("AdamW equals its plain loop on any number of threads", arguments: [1, 3])
    func adamW(_ threads: Int) throws {
        var generator = SeededGenerator(seed: 9)
        // One tensor of more than a tile of 2¹⁵ numbers, one with a remainder modulo 8.
        let tensors = try [40_003, 5].map { try Tensor(random: [$0], &generator) }
        let gradients = try [40_003, 5].map { try Tensor(shape: [$0]) }
        var p = tensors.map { $0.array.map(Double.init) }
        var m = p.map { $0.map { _ in 0.0 } }
        var v = m
        let (rate, decay, beta1, beta2, epsilon) = (1e-2, 0.1, 0.9, 0.999, 1e-8)
        let optimizer = try AdamW(
            Array(zip(tensors, gradients)), settings: .init(learningRate: rate, weightDecay: decay),
            workers: Workers(count: threads))
        for step in 1...4 {
            for (t, gradient) in gradients.enumerated() {
                let g = normals(gradient.count, &generator, deviation: t == 0 ? 1e-3 : 10)
                _ = gradient.mutableValues.update(fromContentsOf: g)
                for i in g.indices {
                    p[t][i] *= 1 - rate * decay
                    m[t][i] = beta1 * m[t][i] + (1 - beta1) * Double(g[i])
                    v[t][i] = beta2 * v[t][i] + (1 - beta2) * Double(g[i]) * Double(g[i])
                    let mean = m[t][i] / (1 - pow(beta1, Double(step)))
                    let square = v[t][i] / (1 - pow(beta2, Double(step)))
                    p[t][i] -= rate * mean / (square.squareRoot() + epsilon)
                }
            }
            optimizer.update()
            #expect(gradients.allSatisfy { $0.array.allSatisfy { $0 == 0 } })
            #expect(optimizer.updates == step)
        }
        for (tensor, expected) in zip(tensors, p) {
            expectClose(tensor.array, floats(expected), tolerance: { _ in 1e-6 }, "parameters after 4 steps")
        }
    }

    @Test("rows that have had no gradient get the bits of the whole update", arguments: [0.1, 0], [3, 8, 21])
    func rowsWithoutGradients(_ decay: Double, _ width: Int) throws {
        var generator = SeededGenerator(seed: 10)
        let start = try Tensor(random: [50, width], &generator)
        start.mutablePointer[width] = -0.0
        let whole = try TableUpdate(start, decay: decay, rows: nil)
        var sparse = try TableUpdate(start, decay: decay, rows: RowSet(ofTable: 50))
        for (step, row) in [7, 0, 7, 49].enumerated() {
            if step == 2 { sparse = try sparse.resumed(after: 2) }
            sparse.rows?.insert(row)
            let gradient = normals(width, &generator)
            for update in [whole, sparse] { update.update(row, gradient) }
            #expect(bits(sparse.table.array) == bits(whole.table.array), "step \(step)")
        }
        #expect((0..<50).filter { sparse.rows?.contains($0) == true } == [0, 7, 49])
    }

    /// AdamW of a table [rows,width], the second of its parameters.
    private struct TableUpdate {
        let table: Tensor, gradient: Tensor
        let decay: Double
        let rows: RowSet?
        let optimizer: AdamW

        init(_ start: Tensor, decay: Double, rows: RowSet?) throws {
            (table, gradient) = (try start.copied(), try Tensor(shape: start.shape))
            (self.decay, self.rows) = (decay, rows)
            let other = (parameter: try Tensor(shape: [1]), gradient: try Tensor(shape: [1]))
            optimizer = try AdamW(
                [other, (table, gradient)], sparse: rows.map { (1, $0) },
                settings: .init(learningRate: 1e-2, weightDecay: decay), workers: Workers(count: 2))
        }

        func update(_ row: Int, _ values: [Float]) {
            (gradient.mutablePointer + row * values.count).update(from: values, count: values.count)
            optimizer.update()
        }

        /// The same from a checkpoint, which has the moments but not the rows.
        func resumed(after updates: Int) throws -> TableUpdate {
            let resumed = try TableUpdate(table, decay: decay, rows: RowSet(ofTable: table.shape[0]))
            for (new, old) in zip(resumed.optimizer.moments, optimizer.moments) {
                _ = new.mean.mutableValues.update(fromContentsOf: old.mean.array)
                _ = new.square.mutableValues.update(fromContentsOf: old.square.array)
            }
            resumed.optimizer.resume(after: updates)
            return resumed
        }
    }
}
