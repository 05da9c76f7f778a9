// Random parameters: GPT-2's distributions, and the same bits from the same seed.

import GPT2Kit
import Testing

struct InitialisationTests {
    private let config: GPT2Config
    private let parameters: GPT2Parameters

    init() throws {
        config = try GPT2Config(vocabularySize: 1200, positions: 100, width: 64, blocks: 3, heads: 4)
        parameters = try GPT2Parameters(random: config, classes: 3, seed: 123, workers: Workers(count: 2))
    }

    @Test("weights are N(0, 0.02²), residual projections 0.02/√2L, LayerNorms 1 and 0, biases 0")
    func distributions() {
        for (name, tensor) in parameters.named where !name.hasPrefix("score.") {
            let values = tensor.array.map(Double.init)
            if tensor.shape.count == 1 {
                #expect(values.allSatisfy { $0 == (name.hasSuffix("weight") ? 1 : 0) }, "\(name)")
                continue
            }
            let n = Double(values.count)
            let mean = values.reduce(0, +) / n
            let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n).squareRoot()
            let expected = name.hasSuffix("c_proj.weight") ? 0.02 / 6.0.squareRoot() : 0.02
            // Four standard errors.
            #expect(abs(mean) < 4 * expected / n.squareRoot(), "mean of \(name): \(mean)")
            #expect(abs(deviation - expected) < 4 * expected / (2 * n).squareRoot(), "\(name): \(deviation)")
            #expect(values.count { abs($0) > expected } > values.count / 4, "\(name) isn't normal")
        }
    }

    @Test("tensors, and the tiles that they are drawn in, differ from each other")
    func distinctStreams() {
        var starts: Set<[UInt32]> = []
        var count = 0
        for (_, tensor) in parameters.named where tensor.shape.count == 2 {
            for first in stride(from: 0, to: tensor.count - 8, by: 1 << 16) {
                starts.insert(bits(tensor.array[first..<first + 4]))
                count += 1
            }
        }
        #expect(starts.count == count)
    }

    @Test("the head is uniform in ±1/√C")
    func headDistribution() {
        let values = parameters.headWeight.array + parameters.headBias.array
        #expect(values.allSatisfy { abs($0) <= 0.125 })
        #expect(values.contains { $0 > 0.1 } && values.contains { $0 < -0.1 })
        let mean = values.reduce(0, +) / Float(values.count)
        #expect(abs(mean) < 4 * 0.125 / Float(3 * values.count).squareRoot())
    }

    @Test(
        "the same seed gives the same bits on any number of threads, and another seed other bits", arguments: [1, 2, 3])
    func seeds(_ threads: Int) throws {
        let workers = Workers(count: threads)
        let again = try GPT2Parameters(random: config, classes: 3, seed: 123, workers: workers)
        let other = try GPT2Parameters(random: config, classes: 3, seed: 124, workers: workers)
        for ((name, a), ((_, b), (_, c))) in zip(parameters.named, zip(again.named, other.named)) {
            #expect(bits(a.array) == bits(b.array), "\(name)")
            let isRandom = a.shape.count == 2 || name == "score.bias"
            #expect((bits(a.array) != bits(c.array)) == isRandom, "\(name)")
        }
    }
}
