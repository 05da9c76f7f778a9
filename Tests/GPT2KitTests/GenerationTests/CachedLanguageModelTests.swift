// The language model with a cache against PyTorch's (Tests/Fixtures/make_language_model.py), and against the one without.

import GPT2Kit
import Platform
import Records
import Safetensors
import TestSupport
import Testing

struct CachedLanguageModelTests {
    private let base: Reference

    init() throws { base = try Reference("tiny") }

    private func model(threads: Int = 2) throws -> CachedLanguageModel {
        try CachedLanguageModel(base.parameters, config: base.config, workers: Workers(count: threads))
    }

    @Test("logits match PyTorch's at every position, within 1e-5·max(1, |x|)")
    func logitsMatch() throws {
        let expected = try SafetensorsFile(path: fixture("tiny/language-model.safetensors"))
        let shape = try expected.description(of: "logits").shape
        let logits = try expected.floats("logits", shape: shape)
        let model = try model()
        for position in 0..<shape[0] {
            model.append([base.ids[position]])
            let row = Array(logits[position * shape[1]..<(position + 1) * shape[1]])
            expectClose(Array(model.logits), row, tolerance: { 1e-5 * max(1, abs(row[$0])) }, "position \(position)")
        }
        #expect(model.count == shape[0] && shape[0] > 4)
    }

    @Test("tokens in any parts give the same logits, within 1e-5", arguments: [1, 2, 3])
    func parts(threads: Int) throws {
        var generator = SeededGenerator(seed: 7)
        let V = base.config.vocabularySize
        let tokens = (0..<base.config.positions).map { _ in Int32(generator.nextInteger(below: V)) }
        let whole = try model(threads: threads)
        whole.append(tokens)
        let logits = Array(whole.logits)
        for _ in 0..<5 {
            let model = try model(threads: threads)
            while model.count < tokens.count {
                let count = min(1 + generator.nextInteger(below: 20), tokens.count - model.count)
                model.append(Array(tokens[model.count..<model.count + count]))
            }
            expectClose(Array(model.logits), logits, tolerance: { _ in 1e-5 }, "logits")
        }
        // What was taken back leaves nothing behind.
        whole.truncate(to: 3)
        whole.append(Array(tokens.dropFirst(3)))
        expectClose(Array(whole.logits), logits, tolerance: { _ in 1e-5 }, "logits after truncation")
    }

    @Test("logits have the same bits on any number of threads")
    func sameBits() throws {
        let runs = try [1, 2, 3].map { threads in
            let model = try model(threads: threads)
            model.append(Array(base.ids.prefix(7)))
            model.append([3])
            return bits(Array(model.logits))
        }
        #expect(runs[1] == runs[0] && runs[2] == runs[0])
    }

    @Test("losses by the logits are those of the model without a cache, within 1e-5")
    func losses() throws {
        let tokens = Array(base.ids.prefix(base.lengths[0]))
        let reference = try LanguageModel(
            base.parameters, gradients: nil, config: base.config, workers: Workers(count: 2))
        let expected = try reference.loss(tokens: tokens, TextLayout(lengths: [tokens.count]))
        let model = try model()
        var sum = 0.0
        for (token, next) in zip(tokens, tokens.dropFirst()) {
            model.append([token])
            sum -= log(Softmax.probabilities(model.logits)[Int(next)])
        }
        #expect(abs(sum - expected) < 1e-5 * Double(tokens.count), "\(sum), \(expected)")
    }
}
