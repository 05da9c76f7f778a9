// The language model against PyTorch's (Tests/Fixtures/make_language_model.py), elementwise.

import GPT2Kit
import Records
import Safetensors
import TestSupport
import Testing

struct LanguageModelTests {
    /// |got − expected| ≤ 1e-4·max(1, |expected|) for losses and gradients, 2e-5 for parameters after steps.
    private let expected: SafetensorsFile
    private let base: Reference
    private let ids: [Int32]
    private let lengths: [Int]
    private let T: Int

    init() throws {
        base = try Reference("tiny")
        expected = try SafetensorsFile(path: fixture("tiny/language-model.safetensors"))
        let shape = try expected.description(of: "input_ids").shape
        T = shape[1]
        ids = try expected.integers("input_ids", as: Int32.self, shape: shape)
        lengths = try expected.integers("lengths", as: Int32.self, shape: [shape[0]]).map { Int($0) }
    }

    private func batch(_ rows: some Sequence<Int>) -> (tokens: [Int32], layout: TextLayout) {
        (rows.flatMap { ids[$0 * T..<$0 * T + lengths[$0]] }, TextLayout(lengths: rows.map { lengths[$0] }))
    }

    private func isCompared(_ name: String) -> Bool { !name.hasPrefix("score.") }

    private func gradients() throws -> GPT2Parameters {
        try GPT2Parameters.gradients(base.config, classes: base.K, of: .all)
    }

    @Test("loss and gradients match PyTorch's on any number of threads", arguments: [1, 2, 3])
    func gradientsMatch(threads: Int) throws {
        let gradients = try gradients()
        let model = try LanguageModel(
            base.parameters, gradients: gradients, config: base.config, workers: Workers(count: threads))
        let (tokens, layout) = batch(lengths.indices)
        let count = LanguageModel.predictions(layout)
        #expect(try expected.integers("count", as: Int32.self, shape: [1]) == [Int32(count)])
        let sum = try model.addGradients(tokens: tokens, layout, denominator: Double(count))
        let loss = try expected.floats("loss", shape: [1])
        expectClose([Float(sum / Double(count))], loss, tolerance: { _ in 1e-5 }, "loss")
        #expect(try model.loss(tokens: tokens, layout) == sum)
        var compared = 0
        for (name, gradient) in gradients.named where isCompared(name) {
            expectClose(
                gradient.values, try expected.floats("grad.\(name)", shape: gradient.shape), tolerance: 1e-4, name)
            compared += 1
        }
        #expect(compared == expected.names.count { $0.hasPrefix("grad.") })
    }

    @Test("gradients of a batch have the same bits on any number of threads, over many blocks of positions")
    func sameBits() throws {
        var generator = SeededGenerator(seed: 31)
        let lengths = (0..<40).map { _ in 2 + generator.nextInteger(below: 60) }
        let layout = TextLayout(lengths: lengths)
        let tokens = (0..<layout.tokens).map { _ in Int32(generator.nextInteger(below: 257)) }
        func run(_ threads: Int) throws -> [[UInt32]] {
            let gradients = try gradients()
            let model = try LanguageModel(
                base.parameters, gradients: gradients, config: base.config, workers: Workers(count: threads))
            let sum = try model.addGradients(tokens: tokens, layout, denominator: 100)
            return gradients.named.map { bits($0.tensor.array) } + [bits([Float(sum)])]
        }
        let first = try run(1)
        #expect(layout.tokens > 1024)
        for threads in [2, 3] { #expect(try run(threads) == first, "\(threads) threads") }
    }

    @Test("losses and parameters of AdamW's steps match, with weight decay on matrices alone")
    func stepsMatch() throws {
        let gradients = try gradients()
        let parameters = try base.parameters.copyingTrainable(.all, config: base.config)
        let workers = Workers(count: 2)
        let model = try LanguageModel(parameters, gradients: gradients, config: base.config, workers: workers)
        let trained = zip(parameters.named, gradients.named).filter { isCompared($0.0.name) }
        var settings = AdamW.Settings(learningRate: 1e-3, weightDecay: 0.1)
        settings.beta2 = 0.998
        settings.decaysMatricesOnly = true
        let optimizer = try AdamW(trained.map { ($0.0.tensor, $0.1.tensor) }, settings: settings, workers: workers)
        let shape = try expected.description(of: "steps.batches").shape
        let batches = try expected.integers("steps.batches", as: Int32.self, shape: shape).map { Int($0) }
        let losses = try expected.floats("steps.loss", shape: [shape[0]])
        for step in 0..<shape[0] {
            let (tokens, layout) = batch(batches[step * shape[1]..<(step + 1) * shape[1]])
            let count = Double(LanguageModel.predictions(layout))
            let sum = try model.addGradients(tokens: tokens, layout, denominator: count)
            expectClose([Float(sum / count)], [losses[step]], tolerance: { _ in 1e-4 }, "loss of step \(step)")
            optimizer.update()
            model.refresh()
        }
        for (parameter, _) in trained {
            let gradient = try expected.floats("grad.\(parameter.name)", shape: parameter.tensor.shape)
            expectClose(
                parameter.tensor.array, try expected.floats("steps.\(parameter.name)", shape: parameter.tensor.shape),
                tolerance: { abs(gradient[$0]) < 1e-7 ? 2e-4 : 2e-5 }, parameter.name)
        }
    }
}
