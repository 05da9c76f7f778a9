// Writes a language model for llama.cpp. Its names of keys and tensors: ggml's gguf-py/gguf/constants.py.

import GPT2Kit
import Records
import Tokenization

extension ConvertedModel {
    /// Fails where there is a file at `path`, which a GGUF file would replace.
    ///
    /// - Throws: ``ConversionError/fileExists(path:)``.
    public static func requireNone(gguf path: String) throws(ConversionError) {
        if Path.isRegularFile(path) { throw .fileExists(path: path) }
    }

    /// Writes a GGUF file. Matrices are [outputs,inputs] there, and what isn't a matrix product is F32.
    ///
    /// - Parameters:
    ///   - path: the file, which appears whole or not at all.
    ///   - precision: the number type of the matrices.
    /// - Throws: ``ConversionError/unsupported(_:remedy:file:)`` for a classifier, which llama.cpp's GPT-2 can't be;
    ///   `StreamError`; `OutOfMemory`.
    public func write(gguf path: String, precision: StoredPrecision) throws {
        guard case .language(let model, let output) = self else {
            throw ConversionError.unsupported(
                "GGUF has no GPT-2 with a classification head",
                remedy: "convert the language model that it was made from",
                file: origin)
        }
        var file = GGUFWriter()
        Self.describe(model, precision, &file)
        Self.addTokens(of: model, &file)
        let parameters = model.parameters
        file.add("token_embd.weight", parameters.tokenEmbedding, precision)
        file.add("position_embd.weight", parameters.positionEmbedding, .float32)
        for (index, block) in parameters.blocks.enumerated() {
            func matrix(_ name: String, _ weight: Tensor, _ bias: Tensor) throws {
                let transposed = try Tensor(shape: weight.shape.reversed())
                transposed.place(transposing: weight, atColumn: 0)
                file.add("blk.\(index).\(name).weight", transposed, precision)
                file.add("blk.\(index).\(name).bias", bias, .float32)
            }
            file.add("blk.\(index).attn_norm.weight", block.ln1Weight, .float32)
            file.add("blk.\(index).attn_norm.bias", block.ln1Bias, .float32)
            try matrix("attn_qkv", block.attentionWeight, block.attentionBias)
            try matrix("attn_output", block.attentionProjectionWeight, block.attentionProjectionBias)
            file.add("blk.\(index).ffn_norm.weight", block.ln2Weight, .float32)
            file.add("blk.\(index).ffn_norm.bias", block.ln2Bias, .float32)
            try matrix("ffn_up", block.mlpFCWeight, block.mlpFCBias)
            try matrix("ffn_down", block.mlpProjectionWeight, block.mlpProjectionBias)
        }
        file.add("output_norm.weight", parameters.finalNormWeight, .float32)
        file.add("output_norm.bias", parameters.finalNormBias, .float32)
        if let output { file.add("output.weight", output, precision) }
        let target = try AtomicFile(path: path)
        try file.write(to: target.sink)
        try target.commit()
    }

    private var origin: String {
        switch self {
        case .classifier(let model, _): model.origin
        case .language(let model, _): model.origin
        }
    }

    private static func describe(_ model: PretrainedModel, _ precision: StoredPrecision, _ file: inout GGUFWriter) {
        let config = model.config
        file.set("general.architecture", .string("gpt2"))
        file.set("general.name", .string(model.origin.printable))
        file.set("general.alignment", .uint32(32))
        file.set("general.file_type", .uint32(precision == .float32 ? 0 : 32))
        file.set("general.quantization_version", .uint32(2))
        for (key, value) in [
            ("block_count", config.blocks), ("context_length", config.positions), ("embedding_length", config.width),
            ("feed_forward_length", config.innerWidth), ("attention.head_count", config.heads),
        ] {
            file.set("gpt2.\(key)", .uint32(value))
        }
        file.set("gpt2.attention.layer_norm_epsilon", .float32(config.epsilon))
    }

    private static func addTokens(of model: PretrainedModel, _ file: inout GGUFWriter) {
        let (normal, control, unused): (Int32, Int32, Int32) = (1, 3, 5)
        let tokenizer = model.tokenizer
        var (tokens, types): ([String], [Int32]) = ([], [])
        for id in 0..<Int32(model.config.vocabularySize) {
            let isKnown = id < tokenizer.vocabularySize
            tokens.append(isKnown ? tokenizer.vocabularyText(id) : "[PAD\(id)]")
            types.append(!isKnown ? unused : id == tokenizer.endOfText ? control : normal)
        }
        let merges = String(decoding: tokenizer.files.merges, as: UTF8.self)
        file.set("tokenizer.ggml.model", .string("gpt2"))
        file.set("tokenizer.ggml.pre", .string("gpt-2"))
        file.set("tokenizer.ggml.tokens", .strings(tokens))
        file.set("tokenizer.ggml.token_type", .int32s(types))
        file.set(
            "tokenizer.ggml.merges",
            .strings(merges.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("#version") }.map(String.init)))
        for key in ["bos", "eos", "unknown"] {
            file.set("tokenizer.ggml.\(key)_token_id", .uint32(Int(tokenizer.endOfText)))
        }
        file.set("tokenizer.ggml.add_bos_token", .bool(false))
    }
}
