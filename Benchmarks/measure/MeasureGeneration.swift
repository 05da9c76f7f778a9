// A language model that writes: the prompt in one pass, then token by token.

import ArgumentParser
import FilterSupport
import GPT2Kit
import Records

struct MeasureGeneration: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generation",
        abstract: "Print the tokens per second of writing with random weights, as NDJSON.")

    @Option(help: "n_layer") var blocks = 12
    @Option(help: "n_embd") var width = 768
    @Option(help: "n_head") var heads = 12
    @Option(help: "vocab_size") var vocabulary = 50257
    @Option(help: "n_positions") var positions = 1024
    @Option(help: "Tokens of the prompt.") var prompt = 64
    @Option(help: "Tokens that are written.") var tokens = 64

    @OptionGroup var threads: ThreadsOption

    func run() throws {
        let workers = Workers(count: threads.count)
        let config = try GPT2Config(
            vocabularySize: vocabulary, positions: positions, width: width, blocks: blocks, heads: heads)
        let parameters = try GPT2Parameters(random: config, classes: 0, seed: 1, workers: workers)
        let model = try CachedLanguageModel(parameters, config: config, workers: workers)
        var generator = SeededGenerator(seed: 2)
        let start = (0..<prompt).map { _ in Int32(generator.nextInteger(below: vocabulary)) }
        model.append(start)  // once, so that everything is in memory
        model.truncate(to: 0)
        var begin = seconds()
        model.append(start)
        let reading = seconds() - begin
        begin = seconds()
        for _ in 0..<tokens { model.append([Int32(Softmax.indexOfLargest(model.logits))]) }
        let writing = seconds() - begin
        let rate = Double(tokens) / writing
        // A step reads every weight once, but for the position embedding.
        let bytes = 4 * (config.parameterCount - Double(positions * width))
        try printObject([
            "prompt_tokens_per_second": .number("\((Double(prompt) / reading).rounded())"),
            "tokens_per_second": .number("\((10 * rate).rounded() / 10)"),
            "gigabytes_per_second": .number("\((rate * bytes / 1e8).rounded() / 10)"),
        ])
    }
}
