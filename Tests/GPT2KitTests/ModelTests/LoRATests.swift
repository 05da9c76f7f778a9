// LoRA against PyTorch, where the adapters stay beside the layers (Tests/Fixtures/make_training_options.py), elementwise.
// Tolerances: 1e-4·max(1,|x|) for losses and gradients, 2e-5·max(1,|x|) for values after AdamW's steps.

import GPT2Kit
import Records
import Testing

struct LoRATests {
    /// An adapter scenario of the reference.
    struct Scenario {
        let key: String
        let pooling: Pooling
        let layers: Set<LoRA.Layer>
    }

    @Test(
        "losses, gradients and AdamW's steps are PyTorch's",
        arguments: [
            Scenario(key: "blocks", pooling: .lastToken, layers: LoRA.Layer.ofBlocks),
            Scenario(key: "head", pooling: .mean, layers: [.attention, .head]),
        ], [1, 3])
    func parity(_ scenario: Scenario, _ threads: Int) throws {
        let reference = try Reference("tiny-3class")
        let expected = try Reference.training()
        let (config, workers) = (reference.config, Workers(count: threads))
        func floats(_ name: String) throws -> [Float] {
            let name = "lora.\(scenario.key).\(name)"
            return try expected.floats(name, shape: try expected.description(of: name).shape)
        }
        var lora = LoRA()
        (lora.rank, lora.alpha, lora.layers) = (4, 8, scenario.layers)
        let model = try TrainableModel(
            reference.parameters, .lora(lora), config: config, seed: 1, workers: workers)
        for (name, parameter, _) in model.trained {
            _ = parameter.mutableValues.update(fromContentsOf: try floats("start." + name))
        }
        model.refresh()
        #expect(model.trained.count == expected.names.count { $0.hasPrefix("lora.\(scenario.key).start.") })

        let layers = try ClassifierTail(
            model.parameters, gradients: model.gradients, adapters: model.adapters, trainable: .lora(lora),
            config: config, pooling: scenario.pooling, firstBlock: 0, workers: workers)
        let optimizer = try AdamW(
            model.trained.map { ($0.parameter, $0.gradient) }, settings: .init(learningRate: 1e-3), workers: workers)
        let frozen = try InferenceBlocks(model.parameters, config: config, count: 0, workers: workers)
        let (tokens, layout, labels) = reference.batch(Array(0..<reference.B), scenario.pooling)
        let hidden = try Tensor(shape: [layout.tokens, config.width])
        try frozen.run(hidden.region, tokens: tokens, layout)
        for (step, loss) in try floats("loss").enumerated() {
            try layers.forward(hidden.region, layout)
            let got = layers.loss(labels: labels) / Double(labels.count)
            expectClose([Float(got)], [loss], tolerance: { _ in 1e-4 }, "loss of step \(step)")
            layers.backward(labels: labels, layout)
            if step == 0 {
                for (name, _, gradient) in model.trained {
                    expectClose(gradient.values, try floats("grad." + name), tolerance: 1e-4, "gradient of \(name)")
                }
            }
            optimizer.update()
            model.refresh()
            layers.refresh()
        }
        for (name, parameter, _) in model.trained {
            expectClose(parameter.values, try floats("end." + name), tolerance: 2e-5, name)
        }
    }

    @Test("A is uniform in ±1/√inputs, B is zero, and the model is the base's", arguments: [1, 3])
    func startValues(_ threads: Int) throws {
        let base = try RandomClassifier(seed: 61, width: 64, heads: 4)
        var lora = LoRA()
        lora.layers = Set(LoRA.Layer.allCases)
        let workers = Workers(count: threads)
        let model = try TrainableModel(base.parameters, .lora(lora), config: base.config, seed: 5, workers: workers)
        let adapters = try #require(model.adapters)
        #expect(adapters.all.count == 2 * 4 + 1)
        for adapter in adapters.all {
            let bound = 1 / Float(adapter.inputs).squareRoot()
            let values = adapter.a.array
            #expect(values.allSatisfy { abs($0) <= bound } && values.contains { abs($0) > 0.9 * bound })
            let mean = values.reduce(0, +) / Float(values.count)
            #expect(abs(mean) < 4 * bound / Float(3 * values.count).squareRoot(), "\(adapter.name)")
            #expect(adapter.b.array.allSatisfy { $0 == 0 })
        }
        model.refresh()
        for ((name, ours), (_, theirs)) in zip(model.parameters.named, base.parameters.named) {
            #expect(bits(ours.array) == bits(theirs.array), "\(name)")
        }
        // Layers' adapters don't depend on which others there are.
        var fewer = lora
        fewer.layers = [.mlpProjection]
        let other = try TrainableModel(base.parameters, .lora(fewer), config: base.config, seed: 5, workers: workers)
        #expect(
            try #require(other.adapters?.blocks[1][.mlpProjection]).a.array
                == #require(adapters.blocks[1][.mlpProjection]).a.array)
    }

    @Test("merged weights are W + α/r·A·B, for the head transposed")
    func mergedWeights() throws {
        var generator = SeededGenerator(seed: 62)
        for (isTransposed, rank) in [(false, 1), (false, 5), (true, 1), (true, 5)] {
            let (inputs, outputs) = (130, 70)
            let shape = isTransposed ? [outputs, inputs] : [inputs, outputs]
            let base = try Tensor(random: shape, &generator)
            var lora = LoRA()
            (lora.rank, lora.alpha) = (rank, 3)
            let adapter = try Adapter("layer", base, lora, isTransposed: isTransposed, seed: 1)
            _ = adapter.b.mutableValues.update(fromContentsOf: normals(rank * outputs, &generator))
            adapter.merge(Workers(count: 3))
            let (a, b, weights) = (adapter.a.array, adapter.b.array, base.array)
            let expected =
                isTransposed
                ? Bounded(
                    product: b, a, m: outputs, n: inputs, k: rank, transposeA: true, transposeB: true,
                    added: [{ weights[$0] }], scale: 3 / Double(rank))
                : Bounded(
                    product: a, b, m: inputs, n: outputs, k: rank, added: [{ weights[$0] }], scale: 3 / Double(rank))
            expectWithin(adapter.merged.array, expected, "\(shape), rank \(rank)")
        }
    }

    /// With G the gradient of W', the adapters' are α/r·G·Bᵀ and α/r·Aᵀ·G: compared with the full gradients of the same
    /// block, absorbed (`last-token`) and plain (`mean`).
    @Test("adapter gradients follow from those of the merged weights", arguments: Pooling.allCases, [0, 0.3])
    func chainRule(_ pooling: Pooling, _ dropout: Double) throws {
        let base = try RandomClassifier(seed: 63, width: 20, blocks: 2)
        let (config, workers) = (base.config, Workers(count: 2))
        var lora = LoRA()
        (lora.rank, lora.alpha, lora.layers) = (3, 6, Set(LoRA.Layer.allCases))
        let model = try TrainableModel(base.parameters, .lora(lora), config: config, seed: 1, workers: workers)
        let adapters = try #require(model.adapters)
        var generator = SeededGenerator(seed: 64)
        for adapter in adapters.all {
            _ = adapter.b.mutableValues.update(fromContentsOf: normals(adapter.b.count, &generator, deviation: 0.1))
        }
        model.refresh()
        let layout = TextLayout(lengths: [5, 1, 70, 3])
        let hidden = try Tensor(random: [layout.tokens, 20], &generator)
        let labels = [0, 1, 2, 1]
        let full = try GPT2Parameters.gradients(config, classes: 3, of: .lastBlocks(2))
        for (gradients, adapters, set) in [
            (model.gradients, adapters, TrainableSet.lora(lora)), (full, nil, .lastBlocks(2)),
        ] {
            let layers = try ClassifierTail(
                model.parameters, gradients: gradients, adapters: adapters, trainable: set, config: config,
                pooling: pooling, firstBlock: 0, workers: workers)
            try layers.forward(
                hidden.region, layout,
                dropout: dropout > 0 ? Dropout(probability: dropout, seed: 1, step: 1, rows: [3, 4, 5, 6]) : nil)
            layers.backward(labels: labels, layout)
        }
        let named = Dictionary(uniqueKeysWithValues: full.named.map { ($0.name, $0.tensor) })
        for adapter in adapters.all {
            let (n, m, r) = (adapter.inputs, adapter.outputs, lora.rank)
            let scale = lora.alpha / Double(r)
            let g = try #require(named[adapter.name + ".weight"]).array
            let isHead = adapter.name == "score"
            let dA = naiveProduct(g, adapter.b.array, m: n, n: r, k: m, transposeA: isHead, transposeB: true)
            let dB = naiveProduct(adapter.a.array, g, m: r, n: m, k: n, transposeA: true, transposeB: isHead)
            for (name, got, expected) in [("A", adapter.dA, dA), ("B", adapter.dB, dB)] {
                expectClose(
                    got.array, expected.map { Float(scale * $0) }, tolerance: { _ in 2e-5 }, "d\(name), \(adapter.name)"
                )
            }
        }
    }
}
