// The model's mathematics against PyTorch's, elementwise. Tolerances: 1e-4·max(1,|x|) for values and gradients, 2e-5 for
// parameters after optimizer steps, 2e-4 where the reference gradient is below 1e-7 (the key bias: softmax is blind to
// it, and AdamW turns rounding noise into steps).

import Testing

import GPT2Kit

struct ParityTests {
    @Test("frozen blocks give the hidden states of every block", arguments: Reference.names, [1, 2])
    func hiddenStates(_ name: String, _ threads: Int) throws {
        let reference = try Reference(name)
        let (tokens, layout, _) = reference.batch(Array(0..<reference.B), .lastPosition)
        for count in 0...reference.config.blocks {
            let blocks = try InferenceBlocks(
                reference.parameters, config: reference.config, count: count, workers: Workers(count: threads))
            let output = try Tensor(shape: [layout.tokens, reference.config.width])
            try blocks.run(FloatView(output.mutablePointer), tokens: tokens, layout)
            let expected = try reference.expected.floats(
                "hidden.\(count)", shape: [reference.B, reference.T, reference.config.width])
            expectClose(output.values, expected, tolerance: 1e-4, "hidden.\(count)")
        }
    }

    @Test(
        "logits of every pooling match, from every first trainable block", arguments: Reference.names,
        Reference.poolings)
    func logits(_ name: String, _ pooling: Pooling) throws {
        let reference = try Reference(name)
        let expected = try reference.expected.floats(
            "logits.\(pooling.rawValue)", shape: [reference.B, reference.K])
        for firstBlock in 0...reference.config.blocks {
            let run = try Run(reference, pooling, .all, firstBlock: firstBlock, gradients: false)
            try run.forward(Array(0..<reference.B))
            expectClose(
                UnsafeBufferPointer(start: run.layers.logits.pointer, count: expected.count), expected,
                tolerance: 1e-4, "logits.\(pooling.rawValue) from block \(firstBlock)")
        }
    }

    @Test("gradients of every trainable set match", arguments: Reference.names, Recipe.all)
    func gradients(_ name: String, _ recipe: Recipe) throws {
        let (pooling, set) = (recipe.pooling, recipe.set)
        let reference = try Reference(name)
        let trainable = try #require(TrainableSet(set))
        let run = try Run(reference, pooling, trainable)
        try run.forward(Array(0..<reference.B))
        run.backward(Array(0..<reference.B))
        let key = "grad.\(pooling.rawValue).\(set)."
        var compared = 0
        for (parameter, gradient) in try #require(run.gradients).named
        where GPT2Parameters.isTrainable(parameter, trainable, blocks: reference.config.blocks) {
            let name = key + parameter.replacing("score.", with: "head.")
            let expected = try reference.expected.floats(name, shape: gradient.shape)
            expectClose(gradient.values, expected, tolerance: 1e-4, name)
            compared += 1
        }
        let referenceCount = reference.expected.names.count { $0.hasPrefix(key) }
        #expect(compared == referenceCount)
    }

    @Test("losses and parameters of AdamW's steps match", arguments: Reference.names, Recipe.all)
    func steps(_ name: String, _ recipe: Recipe) throws {
        let (pooling, set) = (recipe.pooling, recipe.set)
        let reference = try Reference(name)
        let key = "steps.\(pooling.rawValue).\(set)."
        guard reference.expected.contains(key + "loss") else {
            // The reference holds steps of `first` and `mean` for last-1 only.
            #expect(set != "last-1" && (pooling == .first || pooling == .mean))
            return
        }
        let trainable = try #require(TrainableSet(set))
        let run = try Run(reference, pooling, trainable)
        let names = run.parameters.named.map(\.name)
        let pairs = zip(run.parameters.named, try #require(run.gradients).named)
            .filter { GPT2Parameters.isTrainable($0.0.name, trainable, blocks: reference.config.blocks) }
        let optimizer = try AdamW(
            pairs.map { ($0.0.tensor, $0.1.tensor) }, settings: AdamW.Settings(learningRate: 1e-3),
            workers: Workers(count: 2))
        let shape = try reference.expected.description(of: key + "batches").shape
        let batches: [Int32] = try reference.expected.integers(key + "batches", as: Int32.self, shape: shape)
        let losses = try reference.expected.floats(key + "loss", shape: [shape[0]])
        for step in 0..<shape[0] {
            let rows = batches[step * shape[1]..<(step + 1) * shape[1]].map(Int.init)
            try run.forward(rows)
            let loss = run.layers.loss(labels: rows.map { reference.labels[$0] }) / Double(rows.count)
            expectClose([Float(loss)], [losses[step]], tolerance: { _ in 1e-4 }, "loss of step \(step)")
            run.backward(rows)
            optimizer.update()
            run.layers.refresh()
        }
        for (parameter, _) in pairs {
            let suffix = parameter.name.replacing("score.", with: "head.")
            let expected = try reference.expected.floats(key + suffix, shape: parameter.tensor.shape)
            let gradient = try reference.expected.floats(
                "grad.\(pooling.rawValue).\(set)." + suffix, shape: parameter.tensor.shape)
            expectClose(
                Array(parameter.tensor.values), expected, tolerance: { abs(gradient[$0]) < 1e-7 ? 2e-4 : 2e-5 },
                key + suffix)
        }
        #expect(names.count == 2 + 12 * reference.config.blocks + 4)
    }
}

/// A pooling and a trainable set, as the reference's tensors are named after them.
struct Recipe: CustomTestStringConvertible {
    let pooling: Pooling
    let set: String
    var testDescription: String { "\(pooling.rawValue).\(set)" }

    static let all = Reference.poolings.flatMap { pooling in
        ["head", "last-1", "last-2", "all"].map { Recipe(pooling: pooling, set: $0) }
    }
}

/// One classifier on the reference's batch: embeddings, frozen blocks, trainable layers.
struct Run {
    let reference: Reference
    let pooling: Pooling
    let trainable: TrainableSet
    let parameters: GPT2Parameters
    let gradients: GPT2Parameters?
    let frozen: InferenceBlocks
    let layers: ClassifierTail
    let embedding: EmbeddingGradient?

    init(
        _ reference: Reference, _ pooling: Pooling, _ trainable: TrainableSet, firstBlock: Int? = nil,
        gradients wanted: Bool = true, threads: Int = 2
    ) throws {
        self.reference = reference
        self.pooling = pooling
        self.trainable = trainable
        let config = reference.config
        let workers = Workers(count: threads)
        let first = firstBlock ?? trainable.firstBlock(of: config.blocks)
        parameters = try reference.parameters.copyingTrainable(trainable, config: config)
        gradients = wanted ? try GPT2Parameters.gradients(config, classes: reference.K, of: trainable) : nil
        frozen = try InferenceBlocks(parameters, config: config, count: first, workers: workers)
        layers = try ClassifierTail(
            parameters, gradients: gradients, trainable: trainable, config: config, pooling: pooling,
            firstBlock: first, workers: workers)
        embedding = try gradients.map { try EmbeddingGradient($0, config: config, workers: workers) }
    }

    private func input(_ rows: [Int]) throws -> (Tensor, TextLayout, [Int32]) {
        let (tokens, layout, _) = reference.batch(rows, pooling)
        let hidden = try Tensor(shape: [layout.tokens, reference.config.width])
        try frozen.run(FloatView(hidden.mutablePointer), tokens: tokens, layout)
        return (hidden, layout, tokens)
    }

    func forward(_ rows: [Int]) throws {
        let (hidden, layout, _) = try input(rows)
        try layers.forward(FloatView(hidden.mutablePointer), layout)
    }

    func backward(_ rows: [Int]) {
        let (tokens, layout, labels) = reference.batch(rows, pooling)
        guard trainable == .all, let embedding else { return layers.backward(labels: labels, layout) }
        try? embedding.reserve(layout)
        layers.backward(labels: labels, dInput: embedding.dInput, layout)
        embedding.addGradients(tokens: tokens, layout)
    }
}
