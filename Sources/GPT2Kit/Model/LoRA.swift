// Low-rank adaptation (Hu et al. 2021, https://arxiv.org/abs/2106.09685): the weight W [inputs,outputs] of a layer
// stays as it is. Training changes a product of two thin matrices beside it,
//
//     W' = W + α/r·A·B,   A [inputs,r] uniform in ±1/√inputs (Kaiming, √5), B [r,outputs] zero at the start.
//
// The model computes with W', which is computed again after every update. That takes r·inputs·outputs multiplications,
// as many as a forward pass over r tokens. So every block, the pooled one too, runs as it does without adapters, and
// the exported weight is W' itself. The gradients don't need that of W'. With the layer's input x and the gradient dy
// of its output:
//
//     dA = α/r·xᵀ(dy·Bᵀ),   dB = α/r·(x·A)ᵀdy

import Records

/// Which layers get adapters, and how large they are.
public struct LoRA: Sendable, Equatable {
    /// The layers of a model, named as in Hugging Face's weight files.
    public enum Layer: String, Sendable, CaseIterable {
        /// Queries, keys and values.
        case attention = "attn.c_attn"
        /// The projection of the attention heads onto the residual stream.
        case attentionProjection = "attn.c_proj"
        /// The first layer of the MLP.
        case mlpFC = "mlp.c_fc"
        /// The second layer of the MLP, onto the residual stream.
        case mlpProjection = "mlp.c_proj"
        /// The classification head.
        case head = "score"

        /// All layers of the blocks.
        public static let ofBlocks: Set<Layer> = [.attention, .attentionProjection, .mlpFC, .mlpProjection]

        /// The layers that a word means: those whose names it is, or ends. "c_proj" means two layers, "head" the head,
        /// an unknown word none.
        public static func named(_ word: some StringProtocol) -> Set<Layer> {
            Set(allCases.filter { $0.rawValue == word || $0.rawValue.hasSuffix("." + word) })
                .union(word == "head" ? [.head] : [])
        }

        /// The layer's size in a block.
        fileprivate func shape(_ config: GPT2Config) -> (inputs: Double, outputs: Double)? {
            let (C, F) = (Double(config.width), Double(config.innerWidth))
            return switch self {
            case .attention: (C, 3 * C)
            case .attentionProjection: (C, C)
            case .mlpFC: (C, F)
            case .mlpProjection: (F, C)
            case .head: nil
            }
        }

        /// The layer's weight in a block.
        fileprivate var weight: WritableKeyPath<BlockParameters, Tensor>? {
            switch self {
            case .attention: \.attentionWeight
            case .attentionProjection: \.attentionProjectionWeight
            case .mlpFC: \.mlpFCWeight
            case .mlpProjection: \.mlpProjectionWeight
            case .head: nil
            }
        }
    }

    /// r.
    public var rank = 16
    /// α.
    public var alpha = 16.0
    /// The layers with an adapter. A head without one is trained as a whole.
    public var layers = Layer.ofBlocks

    public init() {}

    /// Numbers in the adapters of the blocks.
    package func parameterCount(_ config: GPT2Config) -> Double {
        let shapes = layers.compactMap { $0.shape(config) }
        return Double(config.blocks) * Double(rank) * shapes.reduce(0) { $0 + $1.inputs + $1.outputs }
    }
}

extension TrainableSet {
    /// Numbers in the weights that adapters are merged into.
    package func mergedCount(_ config: GPT2Config) -> Double {
        guard case .lora(let lora) = self else { return 0 }
        return Double(config.blocks)
            * lora.layers.compactMap { $0.shape(config) }.reduce(0) { $0 + $1.inputs * $1.outputs }
    }
}

/// All adapters of a model.
package struct Adapters {
    /// The adapters of every block, by layer.
    package let blocks: [[LoRA.Layer: Adapter]]
    /// The head's adapter, if it has one.
    package let head: Adapter?

    /// Puts adapters beside `parameters`, whose adapted weights become copies that ``merge(_:)`` writes.
    ///
    /// - Throws: ``OutOfMemory``.
    package init(
        _ lora: LoRA, beside parameters: inout GPT2Parameters, seed: UInt64, workers: Workers
    ) throws(OutOfMemory) {
        // Every layer takes a random stream, with an adapter or not: no adapter depends on which others exist.
        var streams = SeededGenerator(seed: seed ^ 0x4C6F_5241)
        var blocks: [[LoRA.Layer: Adapter]] = []
        for index in parameters.blocks.indices {
            var adapters: [LoRA.Layer: Adapter] = [:]
            for layer in LoRA.Layer.allCases {
                guard let weight = layer.weight else { continue }
                let stream = streams.next()
                guard lora.layers.contains(layer) else { continue }
                let adapter = try Adapter(
                    "h.\(index).\(layer.rawValue)", parameters.blocks[index][keyPath: weight], lora, seed: stream)
                parameters.blocks[index][keyPath: weight] = adapter.merged
                adapters[layer] = adapter
            }
            blocks.append(adapters)
        }
        self.blocks = blocks
        guard lora.layers.contains(.head) else {
            head = nil
            return
        }
        let head = try Adapter(
            LoRA.Layer.head.rawValue, parameters.headWeight, lora, isTransposed: true, seed: streams.next())
        parameters.headWeight = head.merged
        self.head = head
    }

    /// All adapters, block by block, the head's last.
    package var all: [Adapter] {
        blocks.flatMap { block in LoRA.Layer.allCases.compactMap { block[$0] } } + [head].compactMap { $0 }
    }

    /// Where the backward pass of block `block` adds its gradients.
    package func gradients(block: Int) -> BlockGradients {
        let adapters = blocks[block]
        return BlockGradients(
            attention: adapters[.attention], attentionProjection: adapters[.attentionProjection],
            mlpFC: adapters[.mlpFC],
            mlpProjection: adapters[.mlpProjection])
    }

    /// Sets the weights that the model computes with, W', from A and B as they are now.
    package func merge(_ workers: Workers) {
        for adapter in all { adapter.merge(workers) }
    }
}
