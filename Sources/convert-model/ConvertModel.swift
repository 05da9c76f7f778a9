// convert-model: models of other programs in, model directories or GGUF files out.

import ArgumentParser
import Conversion
import FilterSupport
import GPT2Kit
import Records

@main
struct ConvertModel: Filter {
    static let leastMemory = 64 << 20

    static let configuration = CommandConfiguration.filter(
        "convert-model", "Take over a GPT-2 that another program has written, or hand one to another.",
        discussion: """
            Reads a model and writes a model directory, which finetune, pretrain, score, generate and Hugging Face's classes \
            read. The model can be:
              a directory with hparams.json: GPT-2 as OpenAI published it
                (model.ckpt.*, encoder.json, vocab.bpe)
              a safetensors file of the book's own model class
                (trf_blocks.0.att.W_query.weight …), with its tokenizer
              a directory with adapter_config.json: a LoRA adapter of PEFT,
                which is added to its base
              a model directory, of this project or of transformers
            A pickle (.pth, .bin) is refused, with the line that converts it to safetensors.
            With --to gguf it writes a language model for llama.cpp.
            Reads nothing from stdin. Memory: the weights.

            EXAMPLES
              convert-model gpt2/124M --out models/gpt2
              convert-model model.safetensors --tokenizer models/gpt2 \\
                --labels ham,spam --length 120 --out classifier
              convert-model adapter --base models/gpt2 --out merged
              convert-model models/gpt2 --to gguf --weights bf16 --out gpt2.gguf
            """,
        exits: ExitCodes(
            [
                .badData: "damaged files, a pickle, or no GPT-2",
                .cannotCreate: "--out can't be written, or holds what would be replaced (--force)",
                .temporaryFailure: "another run is writing the same --out",
                .configuration: "files that don't belong together, or a model that can't be written so",
            ], cleansUp: true))

    enum Format: String, CaseIterable, ExpressibleByArgument {
        case huggingface, gguf
    }

    @Argument(help: ArgumentHelp("The model: a file or a directory.", valueName: "model"))
    var model: String

    @Option(help: ArgumentHelp("The model directory to write, or the GGUF file.", valueName: "path"))
    var out: String

    @Option(help: "What is written.")
    var to = Format.huggingface

    @Option(help: "The number type of the weights in the file; bf16 is half as large.")
    var weights = StoredPrecision.float32

    @Option(
        help: ArgumentHelp(
            "The model that an adapter was trained on. (default: the path that the adapter names)", valueName: "dir"))
    var base: String?

    @Option(
        help: ArgumentHelp(
            "vocab.json and merges.txt, or tokenizer.json. (default: the model's own)", valueName: "dir"))
    var tokenizer: String?

    @Option(
        help: ArgumentHelp(
            "The model's heads. (default: as OpenAI's model of that width has)", valueName: "n"),
        transform: positiveInteger)
    var heads: Int?

    @Option(
        help: ArgumentHelp(
            "The names of a classifier's labels, in the order of its outputs, where the files don't have them.",
            valueName: "a,b"))
    var labels: String?

    @Option(
        help: """
            The token whose state the head reads. (default: that of the model; for one of the book last-position)
            """)
    var pool: Pooling?

    @Option(
        help: ArgumentHelp(
            "The length in tokens that texts are padded or cut to. (default: that of the model)", valueName: "n"),
        transform: positiveInteger)
    var length: Int?

    @Flag(help: "Replace the model that --out holds, or the GGUF file.")
    var force = false

    @OptionGroup var threads: ThreadsOption
    @OptionGroup var verbosity: QuietOption

    func validate() throws {
        _ = try labels.map(LabelList.parse)
    }

    func run() throws {
        // Before the lock, which makes directories and files.
        try requireNothingToReplace()
        switch to {
        case .huggingface: try AtomicDirectory.requireWritable(out)
        case .gguf: try AtomicFile(path: out).cancel()
        }
        let lock = try OutputLock(path: out)
        switch to {
        case .huggingface: AtomicDirectory.removeLeftovers(of: out)
        case .gguf: AtomicFile.removeLeftovers(of: out)
        }
        // A run that held the lock may have written it since.
        try requireNothingToReplace()
        try withExtendedLifetime(lock) { try convert() }
    }

    private func requireNothingToReplace() throws {
        guard !force else { return }
        switch to {
        case .huggingface: try Classifier.requireNone(in: out)
        case .gguf: try ConvertedModel.requireNone(gguf: out)
        }
    }

    private func convert() throws {
        let converted = try read()
        switch to {
        case .huggingface: try converted.write(directory: out, precision: weights)
        case .gguf: try converted.write(gguf: out, precision: weights)
        }
        verbosity.notes("convert-model").onTerminal("\(converted.summary): written to \(out)")
    }

    private func read() throws -> ConvertedModel {
        var choices = ConversionChoices()
        (choices.base, choices.tokenizer, choices.heads) = (base, tokenizer, heads)
        choices.labels = try labels.map(LabelList.parse)
        (choices.pooling, choices.length) = (pool, length)
        do {
            return try ConvertedModel(model, choices, workers: Workers(count: threads.count))
        } catch let error as ConversionError {
            guard case .unusedChoices(let unused, let kind, let file) = error else { throw error }
            let options = unused.map(\.option).joined(separator: ", ")
            throw UsageError(
                "\(file) is \(kind), which has no use for \(options)", remedy: error.diagnosis.remedy)
        }
    }
}

extension ConversionChoices.Choice {
    /// The option that says it.
    fileprivate var option: String { self == .pooling ? "--pool" : "--\(rawValue)" }
}

extension StoredPrecision: ExpressibleByArgument {}
extension Pooling: ExpressibleByArgument {}

extension ConvertedModel {
    fileprivate var summary: String {
        switch self {
        case .classifier(let model, _):
            "a classifier of \(model.config.blocks) blocks of width \(model.config.width), "
                + "labels \(model.labels.map(\.printable).joined(separator: ", "))"
        case .language(let model, let output):
            "a language model of \(model.config.blocks) blocks of width \(model.config.width)"
                + (output == nil ? "" : ", whose head isn't the token embedding")
        }
    }
}
