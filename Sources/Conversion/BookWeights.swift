// The weights of the model class that *Build a Large Language Model (From Scratch)* (Raschka 2024) builds in chapter 4, as
// `save_file(model.state_dict())` writes them. Linear layers are [outputs,inputs] there, and queries, keys and values have a
// layer each.

import GPT2Kit
import Safetensors

/// The tensors of such a model, under GPT-2's names.
struct BookWeights {
    let tensors: ForeignTensors
    let config: GPT2Config
    /// The rows of out_head.
    let outputs: Int

    /// Whether the file is of this kind.
    static func recognizes(_ weights: WeightFiles) -> Bool {
        weights.contains("tok_emb.weight") && weights.contains("trf_blocks.0.norm1.scale")
    }

    init(_ weights: WeightFiles, _ choices: ConversionChoices) throws {
        tensors = ForeignTensors(weights)
        let (vocabulary, width) = try tensors.matrixShape("tok_emb.weight")
        let blocks = weights.names.compactMap { name -> Int? in
            let parts = name.split(separator: ".")
            return parts.first == "trf_blocks" && parts.count > 1 ? Int(parts[1]) : nil
        }
        config = try GPT2Config(
            vocabularySize: vocabulary, positions: tensors.matrixShape("pos_emb.weight").rows, width: width,
            blocks: min(blocks.max() ?? 0, .max - 1) + 1, heads: choices.heads(width: width, file: tensors.source),
            innerWidth: tensors.matrixShape("trf_blocks.0.ff.layers.0.weight").rows)
        outputs = try tensors.matrixShape("out_head.weight").rows
    }

    /// Whether the head tells classes apart, not tokens.
    var isClassifier: Bool { outputs != config.vocabularySize }

    /// All parameters; those of the head are empty where it is a language model's.
    func parameters() throws -> GPT2Parameters {
        let parameters = try GPT2Parameters(config, classes: isClassifier ? outputs : 0) { name, shape in
            try parameter(name, shape)
        }
        try tensors.finish { $0.hasSuffix(".att.mask") || $0 == "out_head.weight" }
        return parameters
    }

    /// The head of a language model [V,C]; nil where it equals the token embedding.
    func outputEmbedding(_ tokenEmbedding: Tensor) throws -> Tensor? {
        let head = try tensors.tensor("out_head.weight", tokenEmbedding.shape)
        return head.values.elementsEqual(tokenEmbedding.values) ? nil : head
    }

    private func parameter(_ name: String, _ shape: [Int]) throws -> Tensor {
        switch name {
        case "wte.weight": return try tensors.tensor("tok_emb.weight", shape)
        case "wpe.weight": return try tensors.tensor("pos_emb.weight", shape)
        case "ln_f.weight": return try tensors.tensor("final_norm.scale", shape)
        case "ln_f.bias": return try tensors.tensor("final_norm.shift", shape)
        case "score.weight":
            return isClassifier ? try tensors.tensor("out_head.weight", shape) : try Tensor(shape: shape)
        case "score.bias": return try optional("out_head.bias", shape)
        default: return try blockParameter(name, shape)
        }
    }

    /// "h.3.attn.c_proj.weight" and its like.
    private func blockParameter(_ name: String, _ shape: [Int]) throws -> Tensor {
        let parts = name.split(separator: ".", maxSplits: 2)
        let block = "trf_blocks.\(parts[1])."
        func linear(_ layer: String) throws -> Tensor {
            try tensors.transposed(block + layer, rows: shape[1], columns: shape[0])
        }
        switch parts[2] {
        case "ln_1.weight": return try tensors.tensor(block + "norm1.scale", shape)
        case "ln_1.bias": return try tensors.tensor(block + "norm1.shift", shape)
        case "ln_2.weight": return try tensors.tensor(block + "norm2.scale", shape)
        case "ln_2.bias": return try tensors.tensor(block + "norm2.shift", shape)
        case "attn.c_proj.weight": return try linear("att.out_proj.weight")
        case "attn.c_proj.bias": return try tensors.tensor(block + "att.out_proj.bias", shape)
        case "mlp.c_fc.weight": return try linear("ff.layers.0.weight")
        case "mlp.c_fc.bias": return try tensors.tensor(block + "ff.layers.0.bias", shape)
        case "mlp.c_proj.weight": return try linear("ff.layers.2.weight")
        case "mlp.c_proj.bias": return try tensors.tensor(block + "ff.layers.2.bias", shape)
        case "attn.c_attn.weight":
            let (C, result) = (config.width, try Tensor(shape: shape))
            for (index, layer) in Self.attentionLayers.enumerated() {
                result.place(
                    transposing: try tensors.tensor(block + "att.\(layer).weight", [C, C]), atColumn: index * C)
            }
            return result
        case "attn.c_attn.bias":
            let (C, result) = (config.width, try Tensor(shape: shape))
            for (index, layer) in Self.attentionLayers.enumerated() {
                let bias = try optional(block + "att.\(layer).bias", [C])
                (result.mutablePointer + index * C).update(from: bias.pointer, count: C)
            }
            return result
        default: throw ConversionError.missingTensor(name, file: tensors.source)
        }
    }

    private static let attentionLayers = ["W_query", "W_key", "W_value"]

    /// A bias that a model may lack (`qkv_bias: False`): zeros then.
    private func optional(_ name: String, _ shape: [Int]) throws -> Tensor {
        tensors.contains(name) ? try tensors.tensor(name, shape) : try Tensor(shape: shape)
    }
}
