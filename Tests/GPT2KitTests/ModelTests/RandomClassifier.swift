// A tiny classifier with random parameters, LayerNorms and biases included: nothing in it is 0 or 1.

import GPT2Kit
import Records

struct RandomClassifier {
    let config: GPT2Config
    let parameters: GPT2Parameters

    init(
        seed: UInt64, vocabulary: Int = 40, positions: Int = 160, width: Int = 16, blocks: Int = 2, heads: Int = 2,
        classes: Int = 3
    ) throws {
        config = try GPT2Config(
            vocabularySize: vocabulary, positions: positions, width: width, blocks: blocks, heads: heads)
        var generator = SeededGenerator(seed: seed)
        parameters = try GPT2Parameters(config, classes: classes) { name, shape in
            let tensor = try Tensor(random: shape, &generator, deviation: shape.count == 2 ? 0.3 : 0.2)
            if shape.count == 1, name.hasSuffix("weight") {
                for i in 0..<tensor.count { tensor.mutablePointer[i] += 1 }
            }
            return tensor
        }
    }

    /// Random tokens for texts of these lengths.
    func tokens(_ layout: TextLayout, seed: UInt64) -> [Int32] {
        var generator = SeededGenerator(seed: seed)
        return (0..<layout.tokens).map { _ in Int32(generator.nextInteger(below: config.vocabularySize)) }
    }

    /// Logits of texts, computed as training does from `firstBlock` on, with the loss's gradients where `labels` are.
    func run(
        tokens: [Int32], _ layout: TextLayout, pooling: Pooling, trainable: TrainableSet, labels: [Int]? = nil,
        workers: Workers = Workers(count: 2)
    ) throws -> (logits: [Float], gradients: GPT2Parameters) {
        let K = parameters.classes
        let firstBlock = trainable.firstBlock(of: config.blocks)
        let frozen = try InferenceBlocks(parameters, config: config, count: firstBlock, workers: workers)
        let hidden = try Tensor(shape: [layout.tokens, config.width])
        try frozen.run(hidden.region, tokens: tokens, layout)
        let gradients = try GPT2Parameters.gradients(config, classes: K, of: trainable)
        let layers = try ClassifierTail(
            parameters, gradients: labels == nil ? nil : gradients, trainable: trainable, config: config,
            pooling: pooling, firstBlock: firstBlock, workers: workers)
        try layers.forward(hidden.region, layout)
        let logits = Array(UnsafeBufferPointer(start: layers.logits.pointer, count: layout.rows * K))
        if let labels {
            let embedding = trainable == .all ? try EmbeddingGradient(gradients, config: config, workers: workers) : nil
            try embedding?.reserve(layout)
            layers.backward(labels: labels, dInput: embedding?.dInput, layout)
            embedding?.addGradients(tokens: tokens, layout)
        }
        return (logits, gradients)
    }
}
