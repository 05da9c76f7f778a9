// The last block as it is computed, absorbed, against the plain block read at the pooled position of every text.

import GPT2Kit
import Records
import Testing

struct PooledBlockTests {
    private static let texts = [
        [1], [7], [1, 2, 3], [70, 1, 64, 65, 130, 9, 8, 2, 33], Array(repeating: 5, count: 17),
    ]

    @Test(
        "output and every gradient are the plain block's", arguments: [(16, 2), (20, 2), (24, 3), (32, 4), (5, 1)],
        texts)
    func plainBlock(_ shape: (width: Int, heads: Int), _ lengths: [Int]) throws {
        try compare(shape, lengths, pooling: .lastToken, isCausal: true, dropout: 0)
    }

    @Test(
        "output and gradients are the plain block's with dropout and without causal mask", arguments: texts,
        [(Pooling.lastToken, true, 0.3), (.lastToken, false, 0), (.first, false, 0), (.first, false, 0.3)])
    func maskAndDropout(_ lengths: [Int], _ variant: (pooling: Pooling, isCausal: Bool, dropout: Double)) throws {
        try compare(
            (20, 2), lengths, pooling: variant.pooling, isCausal: variant.isCausal, dropout: variant.dropout)
    }

    private func compare(
        _ shape: (width: Int, heads: Int), _ lengths: [Int], pooling: Pooling, isCausal: Bool, dropout: Double
    ) throws {
        let model = try RandomClassifier(seed: 31, width: shape.width, blocks: 1, heads: shape.heads)
        var config = model.config
        config.isCausal = isCausal
        let (parameters, C) = (model.parameters.blocks[0], shape.width)
        let layout = TextLayout(lengths: lengths)
        let (N, B) = (layout.tokens, layout.rows)
        var generator = SeededGenerator(seed: 32)
        let input = try Tensor(random: [N, C], &generator)
        let dPooled = try Tensor(random: [B, C], &generator)
        let workers = Workers(count: 2)
        func zeros() throws -> BlockParameters {
            try #require(GPT2Parameters.gradients(config, classes: 2, of: .all).blocks.first)
        }

        let (gradients, plainGradients) = (try zeros(), try zeros())
        let pooled = PooledBlock(
            parameters, gradients: BlockGradients(gradients), config: config, pooling: pooling, workers: workers)
        let plain = try TransformerBlock(
            parameters, gradients: BlockGradients(plainGradients), config: config, workers: workers)
        let (output, dInput) = (try Tensor(shape: [B, C]), try Tensor(random: [N, C], &generator))
        let (plainOutput, plainDInput) = (try Tensor(shape: [N, C]), try Tensor(shape: [N, C]))
        let masks = Dropout(probability: dropout, seed: 8, step: 9, rows: Array(100..<100 + B))
        let pooledDropout = dropout > 0 ? BlockDropout(masks, block: 0, layout, pooling: pooling) : nil
        let plainDropout = dropout > 0 ? BlockDropout(masks, block: 0, layout) : nil
        try pooled.forward(output.region, input.region, layout, dropout: pooledDropout)
        pooled.backward(dInput.region, dPooled.region, layout)
        try plain.forward(plainOutput.region, input.region, layout, dropout: plainDropout)
        let dOutput = try Tensor(shape: [N, C])
        var expected: [Float] = []
        for row in 0..<B {
            let token = layout.pooledToken(row, pooling)
            expected += plainOutput.array[token * C..<(token + 1) * C]
            (dOutput.mutablePointer + token * C).update(from: dPooled.pointer + row * C, count: C)
        }
        plain.backward(plainDInput.region, dOutput.region, layout)

        let what = "width \(shape.width), lengths \(lengths), \(pooling.rawValue), causal \(isCausal), p \(dropout)"
        // Two ways to the same numbers, each rounding its own sums of some hundred terms.
        expectClose(output.array, expected, tolerance: { _ in 5e-5 }, "output, \(what)")
        expectClose(dInput.array, plainDInput.array, tolerance: { _ in 5e-5 }, "dInput, \(what)")
        let names = try GPT2Parameters(config, classes: 2) { _, shape in try Tensor(shape: shape) }.named.map(\.name)
        let (ours, plains) = (tensors(gradients), tensors(plainGradients))
        for (index, (our, their)) in zip(ours, plains).enumerated() {
            expectClose(our.array, their.array, tolerance: { _ in 1e-4 }, "\(names[index + 2]), \(what)")
        }

        // Nobody wants dInput: the gradients are the same, and added to what is there.
        try pooled.forward(output.region, input.region, layout, dropout: pooledDropout)
        pooled.backward(nil, dPooled.region, layout)
        for (our, their) in zip(ours, plains) {
            expectClose(our.array, their.array.map { 2 * $0 }, tolerance: { _ in 2e-4 }, "twice, \(what)")
        }
    }

    private func tensors(_ block: BlockParameters) -> [Tensor] {
        [
            block.ln1Weight, block.ln1Bias, block.attentionWeight, block.attentionBias, block.attentionProjectionWeight,
            block.attentionProjectionBias, block.ln2Weight, block.ln2Bias, block.mlpFCWeight, block.mlpFCBias,
            block.mlpProjectionWeight, block.mlpProjectionBias,
        ]
    }

    @Test("one instance serves batches of any size in any order")
    func reusedInstance() throws {
        let model = try RandomClassifier(seed: 33, width: 20, blocks: 1)
        let block = PooledBlock(
            model.parameters.blocks[0], gradients: nil, config: model.config, pooling: .lastToken,
            workers: Workers(count: 2))
        var generator = SeededGenerator(seed: 34)
        for lengths in [[3, 4], [130, 2, 2, 2, 2, 2, 2, 2, 2, 90], [1], [150]] {
            let layout = TextLayout(lengths: lengths)
            let input = try Tensor(random: [layout.tokens, 20], &generator)
            let (output, fresh) = (try Tensor(shape: [layout.rows, 20]), try Tensor(shape: [layout.rows, 20]))
            try block.forward(output.region, input.region, layout)
            try PooledBlock(
                model.parameters.blocks[0], gradients: nil, config: model.config, pooling: .lastToken,
                workers: Workers(count: 1)
            ).forward(fresh.region, input.region, layout)
            #expect(bits(output.array) == bits(fresh.array), "\(lengths)")
        }
    }
}
