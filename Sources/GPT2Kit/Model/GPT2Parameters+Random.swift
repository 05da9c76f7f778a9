// GPT-2's own initialisation (Radford et al. 2019, §2.3, and Hugging Face's `_init_weights`): weights and embeddings
// from N(0, 0.02²), the projections onto the residual stream scaled by 1/√(2L), biases 0, LayerNorms 1 and 0.

import Records

extension GPT2Parameters {
    /// Random parameters, with a head from ``randomHead(_:_:width:seed:)``. Each tensor has a random stream of its own,
    /// derived from seed and position: any number of cores draws the same numbers.
    package init(random config: GPT2Config, classes: Int, seed: UInt64, workers: Workers) throws {
        var streams = SeededGenerator(seed: seed)
        var plan: [(tensor: Tensor, deviation: Float, seed: UInt64)] = []
        let residual = 0.02 / Float(2 * config.blocks).squareRoot()
        try self.init(config, classes: classes) { name, shape in
            let tensor = try Tensor(shape: shape)
            let stream = streams.next()
            if name.hasPrefix("score.") {
                let head = try Self.randomHead(name, shape, width: config.width, seed: seed)
                _ = tensor.mutableValues.update(fromContentsOf: head.values)
            } else if shape.count == 2 {
                plan.append((tensor, name.hasSuffix("c_proj.weight") ? residual : 0.02, stream))
            } else if name.hasSuffix("weight") {
                tensor.mutableValues.update(repeating: 1)
            }
            return tensor
        }
        // Tiles of 64 Ki numbers.
        let tile = 1 << 16
        let tiles = plan.flatMap { item in
            stride(from: 0, to: item.tensor.count, by: tile).map { (item, $0) }
        }
        workers.forEach(tiles.count) { index in
            let ((tensor, deviation, seed), first) = tiles[index]
            var generator = SeededGenerator(seed: seed &+ UInt64(first))
            for i in first..<min(first + tile, tensor.count) {
                tensor.mutablePointer[i] = deviation * Float(generator.nextNormal())
            }
        }
    }

    /// A tensor of a head, initialised as in torch.nn.Linear: weight [K,C] and bias [K] are uniform in ±1/√C.
    package static func randomHead(
        _ name: String, _ shape: [Int], width C: Int, seed: UInt64
    ) throws(OutOfMemory) -> Tensor {
        let tensor = try Tensor(shape: shape)
        var generator = SeededGenerator(seed: seed ^ (name.hasSuffix("bias") ? 0x6269_6173 : 0x6865_6164))
        let bound = 1 / Double(C).squareRoot()
        for i in 0..<tensor.count { tensor.mutablePointer[i] = Float((2 * generator.nextUniform() - 1) * bound) }
        return tensor
    }
}
