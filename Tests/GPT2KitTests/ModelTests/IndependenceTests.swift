// A text's result has the same bits whatever texts it is computed with, in whatever order, on however many threads.

import GPT2Kit
import Records
import Testing

struct IndependenceTests {
    /// Lengths at the edges of tiles (8, 64), chunks (512), and more texts than a chunk of 64.
    private static let lengths = [1, 2, 7, 64, 65, 130, 150, 9] + (0..<90).map { 1 + $0 % 11 }

    private let model: RandomClassifier
    private let texts: [[Int32]]
    private let alone: [(hidden: [UInt32], logits: [UInt32])]

    init() throws {
        model = try RandomClassifier(seed: 41, width: 20, blocks: 2)
        let layout = TextLayout(lengths: Self.lengths)
        let tokens = model.tokens(layout, seed: 42)
        texts = (0..<layout.rows).map { Array(tokens[layout.offsets[$0]..<layout.offsets[$0 + 1]]) }
        let computer = try Computer(model, .lastToken, Workers(count: 1))
        alone = try texts.map { try computer.results([$0])[0] }
    }

    /// Hidden states after the frozen blocks, and logits through the others, of some texts together.
    private struct Computer {
        let model: RandomClassifier
        let frozen: InferenceBlocks
        let inference: InferenceTail

        init(_ model: RandomClassifier, _ pooling: Pooling, _ workers: Workers) throws {
            self.model = model
            let firstBlock = pooling.readsAllPositions ? 2 : 1
            frozen = try InferenceBlocks(model.parameters, config: model.config, count: firstBlock, workers: workers)
            inference = try InferenceTail(
                model.parameters, config: model.config, pooling: pooling, firstBlock: firstBlock, workers: workers)
        }

        func results(_ texts: [[Int32]]) throws -> [(hidden: [UInt32], logits: [UInt32])] {
            let (layout, C, K) = (TextLayout(lengths: texts.map(\.count)), model.config.width, model.parameters.classes)
            let hidden = try Tensor(shape: [layout.tokens, C])
            let logits = try Tensor(shape: [layout.rows, K])
            try frozen.run(hidden.region, tokens: texts.flatMap { $0 }, layout)
            try inference.logits(logits.region, hidden: hidden.region, layout)
            let (h, l) = (bits(hidden.array), bits(logits.array))
            return (0..<layout.rows).map { row in
                (Array(h[layout.offsets[row] * C..<layout.offsets[row + 1] * C]), Array(l[row * K..<(row + 1) * K]))
            }
        }
    }

    @Test("hidden states and logits don't depend on the texts computed together", arguments: [1, 2, 3])
    func textsTogether(_ threads: Int) throws {
        let computer = try Computer(model, .lastToken, Workers(count: threads))
        var generator = SeededGenerator(seed: UInt64(threads))
        for order in [Array(texts.indices), Array(texts.indices.reversed()), generator.permutation(texts.count)] {
            let results = try computer.results(order.map { texts[$0] })
            for (place, text) in order.enumerated() {
                #expect(results[place].hidden == alone[text].hidden, "hidden states of text \(text) at place \(place)")
                #expect(results[place].logits == alone[text].logits, "logits of text \(text) at place \(place)")
            }
        }
    }

    @Test("the head alone on pooled states gives the same logits")
    func pooledStates() throws {
        let (config, workers) = (model.config, Workers(count: 2))
        let layout = TextLayout(lengths: texts.map(\.count))
        let frozen = try InferenceBlocks(model.parameters, config: config, count: 1, workers: workers)
        let hidden = try Tensor(shape: [layout.tokens, config.width])
        try frozen.run(hidden.region, tokens: texts.flatMap { $0 }, layout)
        let inference = try InferenceTail(
            model.parameters, config: config, pooling: .lastToken, firstBlock: 1, workers: workers)
        let pooled = try Tensor(shape: [layout.rows, config.width])
        let logits = try Tensor(shape: [layout.rows, 3])
        try inference.pooled(pooled.region, hidden: hidden.region, layout)
        try inference.logits(logits.region, pooled: pooled.region, rows: layout.rows)
        #expect(bits(logits.array) == alone.flatMap(\.logits))
    }

    @Test("the mean of the logits over all positions doesn't depend on the texts beside it", arguments: [1, 2, 3])
    func meanOfLogits(_ threads: Int) throws {
        let one = try Computer(model, .mean, Workers(count: 1))
        let results = try Computer(model, .mean, Workers(count: threads)).results(texts.reversed())
        for (result, text) in zip(results, texts.reversed()) {
            #expect(result.logits == (try one.results([text])[0].logits), "a text of \(text.count) tokens")
        }
    }

    @Test("gradients of a batch are the same on any number of threads", arguments: Pooling.allCases, [2, 3])
    func batchGradients(_ pooling: Pooling, _ threads: Int) throws {
        let layout = TextLayout(lengths: Self.lengths.prefix(12))
        let tokens = Array(texts.prefix(12).joined())
        let labels = (0..<12).map { $0 % 3 }
        let (one, more) = try (
            model.run(
                tokens: tokens, layout, pooling: pooling, trainable: .all, labels: labels, workers: Workers(count: 1)),
            model.run(
                tokens: tokens, layout, pooling: pooling, trainable: .all, labels: labels,
                workers: Workers(count: threads))
        )
        for ((name, a), (_, b)) in zip(one.gradients.named, more.gradients.named) {
            #expect(bits(a.array) == bits(b.array), "\(name)")
        }
    }
}
