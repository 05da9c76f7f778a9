// Writes a model directory as Hugging Face's GPT-2 classes expect it: config.json, model.safetensors, vocab.json, merges.txt,
// tokenizer.json, tokenizer_config.json and a model card. Not here: what a classifier or a language model adds to them.

import Evaluation
import Hashing
import Records
import Safetensors
import Tokenization

/// The number type of the weights in a file.
public enum StoredPrecision: String, Sendable, CaseIterable {
    /// 32 bits, as they were trained.
    case float32 = "f32"
    /// 16 bits, rounded: half the size.
    case bfloat16 = "bf16"

    fileprivate var elementType: ElementType { self == .float32 ? .float32 : .bfloat16 }
    /// PyTorch's name.
    fileprivate var dtype: String { self == .float32 ? "float32" : "bfloat16" }
}

/// What the directories of all models have in common.
struct ModelDirectory {
    let config: GPT2Config
    let tokenizer: Tokenizer
    /// The token behind texts that are shorter than others.
    let padToken: Int32
    /// The length in tokens at which tokenizers cut texts.
    let paddedLength: Int
    /// Hugging Face's class.
    let architecture: String
    /// All tensors, with Hugging Face's names.
    let tensors: [(name: String, tensor: Tensor)]
    var precision = StoredPrecision.float32
    /// What config.json has for this kind of model.
    var members: [JSONMember] = []
    /// Further files.
    var more: [(name: String, bytes: [UInt8])] = []
    /// The object `gpt2kit` of config.json: what comes before the weights' checksum, and what after it.
    var own: (before: [JSONMember], after: [JSONMember]) = ([], [])

    /// Writes the directory. All of its files appear, or none.
    ///
    /// - Throws: `StreamError` where it can't be written.
    func write(_ path: String, card: String) throws {
        let output = try AtomicDirectory(path: path)
        output.superseded = [
            Decision.fileName, TrainedTexts.fileName, PrepackedCopy.fileName, WeightFiles.indexName,
        ]
        var weights = SafetensorsWriter(metadata: ["format": "pt"])
        for (name, tensor) in tensors {
            weights.add(name, type: precision.elementType, shape: tensor.shape) { sink in
                try tensor.write(as: precision) { try sink($0) }
            }
        }
        let sink = try output.file("model.safetensors")
        let hash = SHA256()
        try weights.write {
            hash.update($0)
            try sink.write($0)
        }
        try output.file("config.json").write(configuration(weightsSHA256: hash.hexadecimal))
        try output.file("tokenizer_config.json").write(tokenizerConfiguration())
        let (vocabulary, merges) = tokenizer.files
        try output.file("vocab.json").write(vocabulary)
        try output.file("merges.txt").write(merges)
        try output.file("tokenizer.json").write(
            Tokenizer.json(vocabulary: vocabulary, merges: merges, endOfText: tokenizer.endOfText))
        try output.file("README.md").write(card)
        for (name, bytes) in more { try output.file(name).write(bytes) }
        try output.commit()
    }

    private func configuration(weightsSHA256: String) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.key("architectures")
        json.value(.array([.string(architecture)]))
        for (key, value) in [
            ("model_type", "gpt2"), ("activation_function", "gelu_new"), ("dtype", precision.dtype),
        ] {
            json.key(key)
            json.string(value)
        }
        for (key, value) in [
            ("vocab_size", config.vocabularySize), ("n_positions", config.positions), ("n_ctx", config.positions),
            ("n_embd", config.width), ("n_layer", config.blocks), ("n_head", config.heads),
            ("n_inner", config.innerWidth), ("bos_token_id", Int(tokenizer.endOfText)),
            ("eos_token_id", Int(tokenizer.endOfText)), ("pad_token_id", Int(padToken)),
        ] {
            json.key(key)
            json.number(value)
        }
        json.key("layer_norm_epsilon")
        json.number(config.epsilon)
        for member in members { json.member(member) }
        json.key("gpt2kit")
        json.beginObject()
        for member in own.before { json.member(member) }
        json.member(JSONMember(key: "weights_sha256", value: .string(weightsSHA256)))
        for member in own.after { json.member(member) }
        json.endObject()
        json.endObject()
        json.newline()
        return json.bytes
    }

    private func tokenizerConfiguration() -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.key("tokenizer_class")
        json.string("GPT2Tokenizer")
        json.key("model_max_length")
        json.number(paddedLength)
        json.key("add_prefix_space")
        json.bool(false)
        for key in ["bos_token", "eos_token", "unk_token"] {
            json.key(key)
            json.string(Tokenizer.endOfTextName)
        }
        json.key("pad_token")
        json.string(tokenizer.name(padToken) ?? Tokenizer.endOfTextName)
        json.endObject()
        json.newline()
        return json.bytes
    }
}

extension JSONWriter {
    fileprivate mutating func member(_ member: JSONMember) {
        key(member.key)
        value(member.value)
    }
}

extension Tensor {
    /// Gives the numbers to `sink`, little-endian, a part at a time.
    package func write(as precision: StoredPrecision, to sink: (UnsafeRawBufferPointer) throws -> Void) throws {
        guard precision == .bfloat16 else { return try sink(UnsafeRawBufferPointer(values)) }
        let size = 1 << 16
        let halves = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * size, alignment: 64)
        defer { halves.deallocate() }
        guard let start = halves.baseAddress else { return }
        for first in stride(from: 0, to: count, by: size) {
            let part = min(size, count - first)
            BFloat16.convert(start, pointer + first, count: part)
            try sink(UnsafeRawBufferPointer(start: start, count: 2 * part))
        }
    }
}
