// Parameters from weight files: mapped where they can be used as they lie in the file, converted where they are F16 or
// BF16. Names may have the `transformer.` prefix. Buffers (attn.bias, attn.masked_bias) and a tied lm_head are never
// asked for.

import Platform
import Safetensors

extension GPT2Parameters {
    /// Keeps the mapping of weight files alive as long as a tensor points into it.
    private final class Owner: MappedOwner {
        let weights: WeightFiles
        init(_ weights: WeightFiles) { self.weights = weights }
    }

    /// The parameters in weight files.
    ///
    /// - Parameters:
    ///   - areChecked: whether it is known that they are finite: then they aren't read here.
    ///   - head: makes a parameter of the head (`score.weight` [K,C], `score.bias` [K]) that the weights lack.
    /// - Throws: ``ModelError`` for a missing, misshapen or non-finite tensor; `SafetensorsError` for a tensor of another type, or one of
    ///   16 bits that isn't finite; ``OutOfMemory``.
    package init(
        _ weights: WeightFiles, config: GPT2Config, classes: Int, areChecked: Bool = false, workers: Workers,
        head: (_ name: String, _ shape: [Int]) throws -> Tensor
    ) throws {
        let owner = Owner(weights)
        if let name = weights.names.first(where: { GPT2TensorName.block(of: $0) ?? 0 >= config.blocks }) {
            throw ModelError.surplusBlock(name, blocks: config.blocks, file: weights.directory)
        }
        try self.init(config, classes: classes) { name, shape in
            guard let stored = weights.storedName(name) else {
                if name.hasPrefix("score.") { return try head(name, shape) }
                throw ModelError.missingTensor(name, file: weights.directory)
            }
            let found = try weights.description(of: stored).shape
            guard found == shape else {
                throw ModelError.wrongShape(stored, expected: shape, got: found, file: weights.directory)
            }
            let tensor: Tensor
            if let mapped = try weights.float32(stored, shape: shape)?.baseAddress {
                tensor = Tensor(shape: shape, reading: mapped, owner: owner)
            } else {
                tensor = try Tensor(shape: shape)
                try weights.copyFloats(stored, shape: shape, into: tensor.mutableValues)
            }
            guard areChecked || tensor.isFinite(workers) else {
                throw ModelError.notFinite(stored, file: weights.directory)
            }
            return tensor
        }
    }

    /// More than any head has.
    package static let mostClasses = 1 << 20

    /// The number of classes of the head in weight files; nil where they have no head.
    package static func classes(_ weights: WeightFiles) throws -> Int? {
        guard weights.contains("score.weight") else { return nil }
        let shape = try weights.description(of: "score.weight").shape
        guard shape.count == 2, shape[0] <= mostClasses else {
            throw ModelError.wrongHead(shape: shape, file: weights.directory)
        }
        return shape[0]
    }
}

extension WeightFiles {
    fileprivate func storedName(_ name: String) -> String? {
        [name, "transformer." + name].first(where: contains)
    }
}

extension Tensor {
    /// Whether no number is infinite or NaN.
    package func isFinite(_ workers: Workers) -> Bool {
        let size = 1 << 16
        let chunks = (count + size - 1) / size
        return withUnsafeTemporaryAllocation(of: Bool.self, capacity: max(chunks, 1)) { results in
            nonisolated(unsafe) let results = results
            workers.forEachRange(count, by: size) { range in
                Platform.populate(
                    UnsafeMutableRawPointer(mutating: pointer + range.lowerBound), count: 4 * range.count,
                    forWriting: false)
                // x·0 is 0 for every finite x and NaN for all others.
                var sums = Lanes()
                let rest = Lanes.each(range) { i in
                    sums += pointer.lanes(i) * 0
                }
                var sum = sums.total()
                for i in rest {
                    sum += pointer[i] * 0
                }
                results[range.lowerBound / size] = sum == 0
            }
            return results.prefix(chunks).allSatisfy { $0 }
        }
    }
}
