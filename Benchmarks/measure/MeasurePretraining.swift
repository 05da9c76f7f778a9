// Steps of a language model: forward, backward and AdamW.

import ArgumentParser
import FilterSupport
import GPT2Kit
import Records

struct MeasurePretraining: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pretraining", abstract: "Print the tokens per second of training a language model, as NDJSON.")

    @Option(help: "n_layer") var blocks = 6
    @Option(help: "n_embd") var width = 256
    @Option(help: "n_head") var heads = 4
    @Option(help: "vocab_size") var vocabulary = 8192
    @Option(help: "Tokens of a text.") var length = 128
    @Option(help: "Texts of a step.") var batch = 64
    @Option(help: "Texts that go through the model at a time.") var texts = 64
    @Option(help: "Steps that are timed.") var steps = 5
    @Option(help: "The numbers of the products.") var precision = Precision.float32

    @OptionGroup var threads: ThreadsOption

    func run() throws {
        let workers = Workers(count: threads.count)
        let config = try GPT2Config(
            vocabularySize: vocabulary, positions: length, width: width, blocks: blocks, heads: heads)
        let start = try GPT2Parameters(random: config, classes: 0, seed: 1, workers: workers)
        let model = try TrainableModel(start, .all, config: config, seed: 1, workers: workers)
        let language = try LanguageModel(
            model.parameters, gradients: model.gradients, config: config, precision: precision, workers: workers)
        var settings = AdamW.Settings(learningRate: 1e-3)
        settings.decaysMatricesOnly = true
        let optimizer = try AdamW(
            model.trained.map { ($0.parameter, $0.gradient) }, settings: settings, workers: workers)
        var generator = SeededGenerator(seed: 2)
        let layout = TextLayout(lengths: repeatElement(length, count: texts))
        var total = 0.0
        for step in 0...steps {
            let tokens = (0..<batch / texts).map { _ in
                (0..<layout.tokens).map { _ in Int32(generator.nextInteger(below: vocabulary)) }
            }
            let begin = seconds()
            for tokens in tokens {
                _ = try language.addGradients(
                    tokens: tokens, layout, denominator: Double(LanguageModel.predictions(layout) * batch / texts))
            }
            optimizer.update()
            language.refresh()
            if step > 0 { total += seconds() - begin }
        }
        let (C, F) = (Double(width), Double(config.innerWidth))
        // Products of a token, forward and backward: twice as many floating-point operations each.
        let products =
            Double(blocks) * (4 * C * C + 2 * C * F + Double(length) * C) + Double(vocabulary) * C
        let rate = Double(steps * batch * length) / total
        try printObject([
            "tokens_per_second": .number("\(rate.rounded())"),
            "gflops": .number("\((6 * products * rate / 1e8).rounded() / 10)"),
        ])
    }
}
