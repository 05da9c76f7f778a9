// What finetune reads and writes, how the classifier reads a text, and what of it is trained.

import ArgumentParser
import FilterSupport
import GPT2Kit
import TrainingSupport

struct FileOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Start from a model directory, or from random weights: random:gpt2, random:gpt2-medium, -large, -xl, or \
            random:CONFIG.json.
            """, valueName: "dir|random:…"))
    var base: String

    @Option(
        help: ArgumentHelp(
            "vocab.json and merges.txt, or tokenizer.json. (default: the base directory)", valueName: "dir"))
    var tokenizer: String?

    @Option(help: ArgumentHelp("The validation shards.", valueName: "shard"))
    var validation: String

    @Option(help: ArgumentHelp("Test shards, for the accuracy at the end.", valueName: "shard"))
    var test: String?

    @Option(help: ArgumentHelp("The model directory to write.", valueName: "dir"))
    var out: String

    @Flag(
        help: """
            Replace the model that --out holds. Otherwise only --resume does, with the model of the run that it resumes.
            """)
    var force = false

    @Option(
        help: ArgumentHelp(
            "Keep the output of the frozen blocks in this directory, and reuse it in the next run.",
            valueName: "dir"))
    var features: String?
}

struct ModelOptions: ParsableArguments {
    @Option(
        help: """
            What the head reads: the state of the text's last token, of the last padded position, or of the first token, \
            or the mean of the states of all positions, pads included, or of the text's tokens alone (mean-text).
            """)
    var pool = Pooling.lastToken

    @Flag(help: "Every position attends to the whole text, not only to those before. Hugging Face's class can't.")
    var noCausalMask = false

    @Option(help: "The number type of the frozen blocks' products; auto is bf16 if the CPU has it, else f32.")
    var precision = PrecisionChoice.auto

    @Option(
        help: """
            The number type of the operands of products in trained blocks, except for the state of a single position; auto \
            is bf16 if the CPU has it, else f32. Weights, sums and everything else are f32.
            """)
    var trainingPrecision = PrecisionChoice.f32

    func apply(to settings: inout TrainingSettings) {
        settings.pooling = pool
        settings.causalMask = !noCausalMask
        settings.precision = precision.precision
        settings.trainingPrecision = trainingPrecision.precision
    }
}

struct TrainableOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            What to train: head, last-N (blocks, with the final LayerNorm), all, or lora (adapters in all blocks, and \
            the head). (default: last-1)
            """, valueName: "set"),
        transform: trainableSet)
    var trainable: TrainableSet?

    @Option(
        help: ArgumentHelp(
            "LoRA's rank r. Any of LoRA's options means --trainable lora. (default: 16)", valueName: "n"),
        transform: positiveInteger)
    var loraRank: Int?

    @Option(
        help: ArgumentHelp("LoRA's α: adapters are scaled by α/r. (default: 16)", valueName: "number"),
        transform: NumberArgument.positive)
    var loraAlpha: Double?

    @Option(
        help: ArgumentHelp(
            """
            Layers with an adapter: c_attn, c_proj (or attn.c_proj, mlp.c_proj), c_fc, head. A head without one is \
            trained in full. (default: c_attn,c_proj,c_fc)
            """, valueName: "names"),
        transform: layers)
    var loraTargets: Set<LoRA.Layer>?

    @Option(
        help: ArgumentHelp(
            "The probability of dropout in the trainable blocks, and in trainable embeddings. (default: 0)",
            valueName: "p"),
        transform: NumberArgument.share)
    var dropout = 0.0

    func validate() throws {
        if let trainable, hasLoRAOptions, trainable != .lora(LoRA()) {
            throw ValidationError("--lora-rank, --lora-alpha and --lora-targets exclude --trainable \(trainable)")
        }
    }

    func apply(to settings: inout TrainingSettings) {
        if hasLoRAOptions {
            var lora = LoRA()
            if let loraRank { lora.rank = loraRank }
            if let loraAlpha { lora.alpha = loraAlpha }
            if let loraTargets { lora.layers = loraTargets }
            settings.trainable = .lora(lora)
        } else if let trainable {
            settings.trainable = trainable
        }
        settings.dropout = dropout
    }

    private var hasLoRAOptions: Bool { loraRank != nil || loraAlpha != nil || loraTargets != nil }
}

extension Pooling: ExpressibleByArgument {}

@Sendable private func trainableSet(_ text: String) throws -> TrainableSet {
    guard let set = TrainableSet(text) else {
        throw ValidationError("'\(text)' is none of head, last-1 (or more blocks), all, lora")
    }
    return set
}

@Sendable private func layers(_ text: String) throws -> Set<LoRA.Layer> {
    try text.split(separator: ",", omittingEmptySubsequences: false).reduce(into: []) { layers, word in
        let found = LoRA.Layer.named(word)
        if found.isEmpty {
            throw ValidationError("'\(word)' is none of the layers c_attn, c_proj, attn.c_proj, mlp.c_proj, c_fc, head")
        }
        layers.formUnion(found)
    }
}
