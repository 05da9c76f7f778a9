// The learned numbers of GPT-2 (Radford et al. 2019) with a classification head, under the names that Hugging Face's
// weight files give them. The same structure holds the gradients: a gradient has its parameter's name and shape.
//
// Letters in all of Model/ and Kernels/:
//     B rows (texts) of a batch   T positions of a text   N tokens of a batch, all texts one after another
//     C width (n_embd)   H heads   d = C/H   V vocabulary   L blocks   K classes
// A leading d is a gradient: dInput is ∂loss/∂input.

/// One transformer block. Weights of linear layers are [inputs,outputs].
package struct BlockParameters: Sendable {
    package var ln1Weight: Tensor  // [C]
    package var ln1Bias: Tensor  // [C]
    package var attentionWeight: Tensor  // c_attn [C,3C]: queries, keys, values
    package var attentionBias: Tensor  // [3C]
    package var attentionProjectionWeight: Tensor  // attn.c_proj [C,C]
    package var attentionProjectionBias: Tensor  // [C]
    package var ln2Weight: Tensor  // [C]
    package var ln2Bias: Tensor  // [C]
    package var mlpFCWeight: Tensor  // mlp.c_fc [C,4C]
    package var mlpFCBias: Tensor  // [4C]
    package var mlpProjectionWeight: Tensor  // mlp.c_proj [4C,C]
    package var mlpProjectionBias: Tensor  // [C]

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

    package var attention: Linear { Linear(attentionWeight, attentionBias) }
    package var attentionProjection: Linear { Linear(attentionProjectionWeight, attentionProjectionBias) }
    package var mlpFC: Linear { Linear(mlpFCWeight, mlpFCBias) }
    package var mlpProjection: Linear { Linear(mlpProjectionWeight, mlpProjectionBias) }
}

/// All parameters of a classifier.
public struct GPT2Parameters: Sendable {
    package var tokenEmbedding: Tensor  // wte [V,C]
    package var positionEmbedding: Tensor  // wpe [positions,C]
    package var blocks: [BlockParameters]  // h.0 … h.L-1
    package var finalNormWeight: Tensor  // ln_f [C]
    package var finalNormBias: Tensor  // [C]
    package var headWeight: Tensor  // score [K,C]
    package var headBias: Tensor  // [K]

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

    public var classes: Int { headWeight.shape[0] }
}

extension GPT2Parameters {
    /// Whether a parameter belongs to a trainable set.
    package static func isTrainable(_ name: String, _ set: TrainableSet, blocks: Int) -> Bool {
        if case .lora(let lora) = set { return name.hasPrefix("score.") && !lora.layers.contains(.head) }
        if name.hasPrefix("score.") { return true }
        if set == .head { return false }
        if name.hasPrefix("ln_f.") { return true }
        if name.hasPrefix("wte.") || name.hasPrefix("wpe.") { return set == .all }
        let index = name.split(separator: ".").dropFirst().first.flatMap { Int($0) } ?? 0
        return index >= set.firstBlock(of: blocks)
    }

    /// The same parameters, those of `set` copied so that training may change them, the others shared.
    package func copyingTrainable(_ set: TrainableSet, config: GPT2Config) throws(OutOfMemory) -> GPT2Parameters {
        var tensors = named.map(\.tensor).makeIterator()
        return try GPT2Parameters(config, classes: classes) { (name, shape) throws(OutOfMemory) in
            guard let tensor = tensors.next() else { return try Tensor(shape: shape) }
            return Self.isTrainable(name, set, blocks: config.blocks) ? try tensor.copied() : tensor
        }
    }

    /// Zeros for the gradients of `set`; frozen parameters share one empty tensor, which nothing touches.
    package static func gradients(
        _ config: GPT2Config, classes: Int, of set: TrainableSet
    ) throws(OutOfMemory) -> GPT2Parameters {
        let none = try Tensor(shape: [0, 0])
        return try GPT2Parameters(config, classes: classes) { (name, shape) throws(OutOfMemory) in
            isTrainable(name, set, blocks: config.blocks) ? try Tensor(shape: shape) : none
        }
    }
}
