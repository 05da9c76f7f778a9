// The shape of a GPT-2 model, as config.json of a Hugging Face model directory gives it.

/// Sizes of a model. Everything is checked on the way in: a `GPT2Config` is a model that can exist.
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

    /// Numbers that no parameter count of a real model exceeds; products of any two fit into 64 bits by far.
    private static let largest = 1 << 24

    public init(
        vocabularySize: Int, positions: Int, width: Int, blocks: Int, heads: Int, innerWidth: Int? = nil,
        epsilon: Float = 1e-5
    ) throws(ModelError) {
        let innerWidth = innerWidth ?? 4 * min(width, Self.largest)
        for (name, value) in [
            ("vocab_size", vocabularySize), ("n_positions", positions), ("n_embd", width), ("n_layer", blocks),
            ("n_head", heads), ("n_inner", innerWidth),
        ] where value < 1 || value > Self.largest {
            throw .impossibleConfiguration("\(name) is \(value)")
        }
        guard width % heads == 0 else {
            throw .impossibleConfiguration("n_embd \(width) is not a multiple of n_head \(heads)")
        }
        guard epsilon > 0, epsilon.isFinite else {
            throw .impossibleConfiguration("layer_norm_epsilon is \(epsilon)")
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
