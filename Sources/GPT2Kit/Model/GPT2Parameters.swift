// The learned numbers of GPT-2 (Radford et al. 2019) with a classification head, under the names that Hugging Face's
// weight files give them. The same structure holds the gradients: a gradient has its parameter's name and shape.
//
// Letters in all of Model/ and Compute/:
//     B rows (texts) of a batch   T positions of a text   N tokens of a batch, all texts one after another
//     C width (n_embd)   F width of the MLP (n_inner)   H heads   d = C/H
//     V vocabulary   L blocks   K classes
// A leading d is a gradient: dInput is ∂loss/∂input.

/// The parameters of one transformer block. Weights of linear layers are [inputs,outputs].
package struct BlockParameters: Sendable {
    /// ln_1.weight, [C].
    package var ln1Weight: Tensor
    /// ln_1.bias, [C].
    package var ln1Bias: Tensor
    /// attn.c_attn.weight, [C,3C]: columns of queries, keys and values.
    package var attentionWeight: Tensor
    /// attn.c_attn.bias, [3C].
    package var attentionBias: Tensor
    /// attn.c_proj.weight, [C,C].
    package var attentionProjectionWeight: Tensor
    /// attn.c_proj.bias, [C].
    package var attentionProjectionBias: Tensor
    /// ln_2.weight, [C].
    package var ln2Weight: Tensor
    /// ln_2.bias, [C].
    package var ln2Bias: Tensor
    /// mlp.c_fc.weight, [C,F].
    package var mlpFCWeight: Tensor
    /// mlp.c_fc.bias, [F].
    package var mlpFCBias: Tensor
    /// mlp.c_proj.weight, [F,C].
    package var mlpProjectionWeight: Tensor
    /// mlp.c_proj.bias, [C].
    package var mlpProjectionBias: Tensor

    /// The names of the twelve tensors behind "h.i.", in the order of weight files.
    static let fields: [(name: String, path: WritableKeyPath<BlockParameters, Tensor> & Sendable)] = [
        ("ln_1.weight", \.ln1Weight), ("ln_1.bias", \.ln1Bias),
        ("attn.c_attn.weight", \.attentionWeight), ("attn.c_attn.bias", \.attentionBias),
        ("attn.c_proj.weight", \.attentionProjectionWeight), ("attn.c_proj.bias", \.attentionProjectionBias),
        ("ln_2.weight", \.ln2Weight), ("ln_2.bias", \.ln2Bias),
        ("mlp.c_fc.weight", \.mlpFCWeight), ("mlp.c_fc.bias", \.mlpFCBias),
        ("mlp.c_proj.weight", \.mlpProjectionWeight), ("mlp.c_proj.bias", \.mlpProjectionBias),
    ]

    /// The shapes of ``fields``, in their order.
    static func shapes(_ config: GPT2Config) -> [[Int]] {
        let C = config.width
        let F = config.innerWidth
        return [[C], [C], [C, 3 * C], [3 * C], [C, C], [C], [C], [C], [C, F], [F], [F, C], [C]]
    }

    /// The twelve tensors in the order of ``fields``.
    init(_ tensors: [Tensor]) {
        precondition(tensors.count == 12)
        ln1Weight = tensors[0]
        ln1Bias = tensors[1]
        attentionWeight = tensors[2]
        attentionBias = tensors[3]
        attentionProjectionWeight = tensors[4]
        attentionProjectionBias = tensors[5]
        ln2Weight = tensors[6]
        ln2Bias = tensors[7]
        mlpFCWeight = tensors[8]
        mlpFCBias = tensors[9]
        mlpProjectionWeight = tensors[10]
        mlpProjectionBias = tensors[11]
    }

    /// The layer attn.c_attn.
    package var attention: Linear { Linear(attentionWeight, attentionBias) }
    /// The layer attn.c_proj.
    package var attentionProjection: Linear { Linear(attentionProjectionWeight, attentionProjectionBias) }
    /// The layer mlp.c_fc.
    package var mlpFC: Linear { Linear(mlpFCWeight, mlpFCBias) }
    /// The layer mlp.c_proj.
    package var mlpProjection: Linear { Linear(mlpProjectionWeight, mlpProjectionBias) }
}

/// All parameters of a classifier, or all gradients.
public struct GPT2Parameters: Sendable {
    /// wte.weight, [V,C].
    package var tokenEmbedding: Tensor
    /// wpe.weight, [positions,C].
    package var positionEmbedding: Tensor
    /// The blocks h.0 … h.L−1.
    package var blocks: [BlockParameters]
    /// ln_f.weight, [C].
    package var finalNormWeight: Tensor
    /// ln_f.bias, [C].
    package var finalNormBias: Tensor
    /// score.weight, [K,C].
    package var headWeight: Tensor
    /// score.bias, [K].
    package var headBias: Tensor

    /// Builds all tensors by asking `make` for each name and shape, in the order of the names.
    package init<Failure: Error>(
        _ config: GPT2Config, classes K: Int, make: (_ name: String, _ shape: [Int]) throws(Failure) -> Tensor
    ) throws(Failure) {
        let C = config.width
        tokenEmbedding = try make("wte.weight", [config.vocabularySize, C])
        positionEmbedding = try make("wpe.weight", [config.positions, C])
        blocks = []
        for block in 0..<config.blocks {
            var tensors: [Tensor] = []
            for (field, shape) in zip(BlockParameters.fields, BlockParameters.shapes(config)) {
                tensors.append(try make("h.\(block).\(field.name)", shape))
            }
            blocks.append(BlockParameters(tensors))
        }
        finalNormWeight = try make("ln_f.weight", [C])
        finalNormBias = try make("ln_f.bias", [C])
        headWeight = try make("score.weight", [K, C])
        headBias = try make("score.bias", [K])
    }

    /// Every parameter with its name, in a fixed order.
    package var named: [(name: String, tensor: Tensor)] {
        var result = [("wte.weight", tokenEmbedding), ("wpe.weight", positionEmbedding)]
        for (index, block) in blocks.enumerated() {
            for field in BlockParameters.fields {
                result.append(("h.\(index).\(field.name)", block[keyPath: field.path]))
            }
        }
        result += [
            ("ln_f.weight", finalNormWeight), ("ln_f.bias", finalNormBias),
            ("score.weight", headWeight), ("score.bias", headBias),
        ]
        return result
    }

    /// K, the number of classes.
    public var classes: Int { headWeight.shape[0] }
}

extension GPT2Parameters {
    /// Whether `set` trains the parameter `name` of a model with `blocks` blocks.
    package static func isTrainable(_ name: String, _ set: TrainableSet, blocks: Int) -> Bool {
        if case .lora(let lora) = set { return name.hasPrefix("score.") && !lora.layers.contains(.head) }
        if name.hasPrefix("score.") { return true }
        if set == .head { return false }
        if name.hasPrefix("ln_f.") { return true }
        if name.hasPrefix("wte.") || name.hasPrefix("wpe.") { return set == .all }
        let index = name.split(separator: ".").dropFirst().first.flatMap { Int($0) } ?? 0
        return index >= set.firstBlock(of: blocks)
    }

    /// The same parameters: those of `set` are copies that training may change, the others are shared.
    package func copyingTrainable(_ set: TrainableSet, config: GPT2Config) throws(OutOfMemory) -> GPT2Parameters {
        var tensors = named.map(\.tensor).makeIterator()
        return try GPT2Parameters(config, classes: classes) { (name, shape) throws(OutOfMemory) in
            guard let tensor = tensors.next() else { return try Tensor(shape: shape) }
            return Self.isTrainable(name, set, blocks: config.blocks) ? try tensor.copied() : tensor
        }
    }

    /// Zeros for the gradients of `set`. Parameters that aren't trained share one empty tensor, which nothing reads or
    /// writes.
    package static func gradients(
        _ config: GPT2Config, classes: Int, of set: TrainableSet
    ) throws(OutOfMemory) -> GPT2Parameters {
        let none = try Tensor(shape: [0, 0])
        return try GPT2Parameters(config, classes: classes) { (name, shape) throws(OutOfMemory) in
            isTrainable(name, set, blocks: config.blocks) ? try Tensor(shape: shape) : none
        }
    }
}
