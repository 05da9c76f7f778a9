// The shape of a GPT-2 model, as config.json of a Hugging Face model directory gives it.

import Records

/// The sizes of a model. They are checked at creation: every `GPT2Config` describes a model that can exist.
public struct GPT2Config: Sendable, Equatable {
    /// V, `vocab_size`.
    public let vocabularySize: Int
    /// The longest text in tokens, `n_positions`.
    public let positions: Int
    /// C, `n_embd`.
    public let width: Int
    /// L, `n_layer`.
    public let blocks: Int
    /// H, `n_head`; divides the width.
    public let heads: Int
    /// The width of the MLP, `n_inner`; 4·C where that is null.
    public let innerWidth: Int
    /// ε of every LayerNorm, `layer_norm_epsilon`.
    public let epsilon: Float
    /// Whether a position attends only to itself and those before it, as in GPT-2; otherwise to the whole text. GPT-2's
    /// own configuration has no such field: a model trained without the mask says so in its `gpt2kit` object.
    public var isCausal = true

    /// No size of a real model exceeds this. Products of any two such sizes fit into 64 bits by far.
    private static let largest = 1 << 24

    /// A model of these sizes.
    ///
    /// - Throws: ``ModelError/impossibleConfiguration(_:file:)`` where no model can have them.
    public init(
        vocabularySize: Int, positions: Int, width: Int, blocks: Int, heads: Int, innerWidth: Int? = nil,
        epsilon: Float = 1e-5, file: String = "config.json"
    ) throws(ModelError) {
        let innerWidth = innerWidth ?? 4 * min(width, Self.largest)
        for (name, value) in [
            ("vocab_size", vocabularySize), ("n_positions", positions), ("n_embd", width), ("n_layer", blocks),
            ("n_head", heads), ("n_inner", innerWidth),
        ] where value < 1 || value > Self.largest {
            throw .impossibleConfiguration("\(name) is \(value)", file: file)
        }
        guard width % heads == 0 else {
            throw .impossibleConfiguration("n_embd \(width) is not a multiple of n_head \(heads)", file: file)
        }
        guard epsilon > 0, epsilon.isFinite else {
            throw .impossibleConfiguration("layer_norm_epsilon is \(epsilon)", file: file)
        }
        self.vocabularySize = vocabularySize
        self.positions = positions
        self.width = width
        self.blocks = blocks
        self.heads = heads
        self.innerWidth = innerWidth
        self.epsilon = epsilon
    }
}

extension GPT2Config {
    /// Reads the fields that Hugging Face's `GPT2Config` writes.
    ///
    /// - Throws: ``ModelError`` where a field is missing or asks for another architecture.
    public init(json: JSONValue, file: String) throws(ModelError) {
        func integer(_ key: String) throws(ModelError) -> Int {
            guard let value = json[key]?.int else { throw .missingField(key, file: file) }
            return value
        }
        func require(_ key: String, _ accepted: [JSONValue]) throws(ModelError) {
            guard let value = json[key], !accepted.contains(value) else { return }
            throw .unsupported("\(key) \(value.string ?? "other than usual")", file: file)
        }
        if json["model_type"]?.string == "linear" { throw .linear(file: file) }
        try require("model_type", [.string("gpt2")])
        try require("activation_function", [.string("gelu_new"), .string("gelu_pytorch_tanh")])
        try require("scale_attn_weights", [.bool(true)])
        try require("scale_attn_by_inverse_layer_idx", [.bool(false)])
        try require("add_cross_attention", [.bool(false)])
        let inner = json["n_inner"]
        let epsilon = json["layer_norm_epsilon"] ?? .number("1e-5")
        guard let epsilon = epsilon.double else {
            throw .wrongValue("layer_norm_epsilon", needed: "a number", file: file)
        }
        try self.init(
            vocabularySize: integer("vocab_size"), positions: integer("n_positions"), width: integer("n_embd"),
            blocks: integer("n_layer"), heads: integer("n_head"),
            innerWidth: inner == nil || inner == .null ? nil : integer("n_inner"),
            epsilon: Float(epsilon), file: file)
    }

    /// Reads a config.json.
    ///
    /// - Throws: ``ModelError``; `StreamError` or `JSONError` where the file can't be read.
    public init(path: String) throws {
        try self.init(json: try readJSON(path), file: path)
    }

    /// The sizes that OpenAI released: gpt2 (124M), gpt2-medium, gpt2-large, gpt2-xl; nil for any other name.
    public static func named(_ name: String) throws(ModelError) -> GPT2Config? {
        guard let (blocks, heads, width) = released[name] else { return nil }
        return try GPT2Config(vocabularySize: 50257, positions: 1024, width: width, blocks: blocks, heads: heads)
    }

    /// The heads of the model of this width that OpenAI released; nil where there is none.
    package static func releasedHeads(width: Int) -> Int? { released.values.first { $0.width == width }?.heads }

    private static let released: [String: (blocks: Int, heads: Int, width: Int)] = [
        "gpt2": (12, 12, 768), "gpt2-medium": (24, 16, 1024), "gpt2-large": (36, 20, 1280), "gpt2-xl": (48, 25, 1600),
    ]

    /// The number of parameters of the model without its head. A `Double`, because configurations exist whose
    /// parameters no `Int` counts.
    public var parameterCount: Double {
        (Double(vocabularySize) + Double(positions) + 2) * Double(width) + Double(blocks) * parametersPerBlock
    }

    /// The number of parameters of one block.
    public var parametersPerBlock: Double {
        let (C, F) = (Double(width), Double(innerWidth))
        return 4 * C * C + 2 * C * F + 9 * C + F
    }
}

/// Reads a JSON file of at most 64 MiB.
package func readJSON(_ path: String) throws -> JSONValue {
    try JSONValue(parsing: try ByteSource(path: path).readAll(maximum: 64 << 20), source: path)
}
