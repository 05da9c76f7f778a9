// How a classifier reads a text, and what of it is trained: options of whatever fine-tunes one.

import ArgumentParser
import FilterSupport
import GPT2Kit

/// How the classifier reads a text.
public struct ReadingOptions: ParsableArguments {
    public init() {}

    @Option(
        help: """
            What the head reads: the state of the text's last token, of the last padded position, or of the first token, \
            or the mean of the states of all positions, pads included, or of the text's tokens alone (mean-text).
            """)
    var pool = Pooling.lastToken

    @Flag(help: "Every position attends to the whole text, not only to those before. Hugging Face's class can't.")
    var noCausalMask = false

    @Option(
        help: "The number type of the frozen blocks' products; auto is bf16 if the CPU is faster with it, else f32.")
    var precision = PrecisionChoice.auto

    @Option(
        help: """
            The number type of the operands of products in trained blocks, except for the state of a single position; auto \
            is bf16 if the CPU is faster with it, else f32. Weights, sums and everything else are f32.
            """)
    var trainingPrecision = PrecisionChoice.f32

    func apply(to settings: inout TrainingSettings) {
        settings.pooling = pool
        settings.causalMask = !noCausalMask
        settings.precision = precision.precision
        settings.trainingPrecision = trainingPrecision.precision
    }
}

/// What of the model is trained.
public struct TrainableOptions: ParsableArguments {
    public init() {}

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

    @Option(
        help: ArgumentHelp(
            """
            The probability of dropping each word of a training text, drawn again in every step. Needs --trainable all or lora. (default: 0)
            """, valueName: "p"),
        transform: NumberArgument.share)
    var wordDropout = 0.0

    /// Refuses options of LoRA beside another set.
    public func validate() throws {
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
        settings.wordDropout = wordDropout
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
