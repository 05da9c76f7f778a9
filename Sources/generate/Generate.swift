// generate: prompts in, continuations out.

import ArgumentParser
import FilterSupport
import GPT2Kit
import Records

@main
struct Generate: Filter {
    static let leastMemory = 64 << 20

    static let configuration = CommandConfiguration.filter(
        "generate", "Continue texts with a language model.",
        discussion: """
            Reads one prompt per line, or NDJSON records (--input ndjson). An empty prompt is the beginning of a text.
            Writes each prompt with its continuation, token by token, and a line feed behind; a continuation can have line \
            feeds of its own. With --json, and for records, it writes one line of NDJSON per continuation: the text or the \
            record's own keys, then line, continuation, its number of tokens, and why it is over: length, end-of-text \
            (the model has ended the text) or positions (the model takes no longer ones).
            The same seed gives the same texts for any --threads. What a prompt gets depends on its line, not on the other \
            prompts.
            Streams: holds the weights, and keys and values of one text.

            EXAMPLES
              echo 'See you' | generate --model pipelines/base --tokens 20 --seed 1
              generate --model build/models/gpt2 --temperature 0 --json < prompts.txt \\
                | jq -r .continuation
            """,
        exits: ExitCodes([
            .badData: "bad line, a prompt that is too long, or damaged weights",
            .unavailable: "oneDNN can't do what is needed",
            .configuration: "incomplete model",
        ]))

    @Option(help: ArgumentHelp("The model directory: GPT-2, or what pretrain has written.", valueName: "dir"))
    var model: String

    @Option(
        help: ArgumentHelp(
            "vocab.json and merges.txt, or tokenizer.json. (default: the model directory)", valueName: "dir"))
    var tokenizer: String?

    @Option(name: .customLong("input"), help: "What a line is.")
    var kind = TextInput.Kind.text

    @Flag(help: "Write NDJSON.")
    var json = false

    @Option(
        help: ArgumentHelp("The most tokens of a continuation. (default: 40)", valueName: "n"),
        transform: positiveInteger)
    var tokens = 40

    @Option(
        help: ArgumentHelp(
            """
            Draw from the probabilities of logits divided by this number: below 1 likely tokens get likelier. 0 takes the \
            likeliest token each time. (default: 0.8)
            """, valueName: "number"),
        transform: NumberArgument.nonNegative)
    var temperature = 0.8

    @Option(
        help: ArgumentHelp("Draw from the k likeliest tokens; 0 for all. (default: 40)", valueName: "k"),
        transform: nonNegativeInteger)
    var topK = 40

    @Option(
        help: ArgumentHelp("Continuations of each prompt. (default: 1)", valueName: "n"), transform: positiveInteger)
    var samples = 1

    @OptionGroup var input: InputArgument
    @OptionGroup var text: TextOption
    @OptionGroup var lines: LineOptions
    @OptionGroup var seed: SeedOption
    @OptionGroup var threads: ThreadsOption
    @OptionGroup var verbosity: QuietOption

    func run() throws {
        let reader = lines.reader(try input.open())
        let workers = Workers(count: threads.count)
        let base = Classifier.Base(model)
        guard case .directory = base else {
            throw UsageError("'\(model)' is no model directory", remedy: "random weights have learned no language")
        }
        _ = try GPT2Config(path: "\(model)/config.json")
        let generator = try TextGenerator(
            PretrainedModel(base: base, tokenizerDirectory: tokenizer, seed: seed.seed, workers: workers),
            workers: workers)
        generator.tokens = tokens
        generator.seed = seed.seed
        generator.sampler.temperature = temperature
        generator.sampler.topK = topK == 0 ? nil : topK
        var prompts = TextInput(
            reader, kind: kind, fields: RecordFields(text: text.textField),
            ownKeys: ["line", "continuation", "tokens", "end"])
        let sink = ByteSink.standardOutput()
        var repaired = 0
        while let prompt = try prompts.next() {
            do {
                if json || kind == .ndjson {
                    try generator.write(after: prompt.text, number: prompt.line - 1, samples: samples) {
                        try sink.write(json(prompt, $0))
                        try sink.flush()
                    }
                } else {
                    try write(prompt, generator, sink)
                }
            } catch let error as GenerationError {
                guard case .promptTooLong = error else { throw error }
                var diagnosis = error.diagnosis
                diagnosis.source = reader.source.name
                diagnosis.position = .line(prompt.line)
                throw BadPrompt(diagnosis: diagnosis)
            }
            repaired += prompt.isRepaired ? 1 : 0
        }
        try sink.close()
        verbosity.notes("generate").repaired(lines: repaired)
    }

    private func json(_ prompt: InputText, _ continuation: TextGenerator.Continuation) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.key("line")
        json.number(prompt.line)
        json.key("continuation")
        json.string(String(decoding: continuation.utf8, as: UTF8.self))
        json.key("tokens")
        json.number(continuation.tokens.count)
        json.key("end")
        json.string(continuation.end.rawValue)
        json.endObject()
        json.newline()
        return prompt.beginningOfObject + json.bytes.dropFirst()
    }

    /// The prompt and each of its continuations as they are made.
    private func write(_ prompt: InputText, _ generator: TextGenerator, _ sink: ByteSink) throws {
        var characters = WholeCharacters()
        try generator.write(after: prompt.text, number: prompt.line - 1, samples: samples) { bytes in
            if characters.isBeginning { try sink.write(prompt.text) }
            try sink.write(characters.append(bytes))
            try sink.flush()
        } finished: { _ in
            if characters.isBeginning { try sink.write(prompt.text) }
            try sink.write(characters.end() + [0x0A])
            try sink.flush()
        }
    }
}

/// A prompt that can't be continued.
struct BadPrompt: DiagnosableError {
    let diagnosis: Diagnosis
}

extension TextInput.Kind: ExpressibleByArgument {}
