// Keeps a scorer's weights for the next start.

extension Scorer {
    /// Keeps the weights, as this machine multiplies them, in the file prepacked.safetensors beside them, unless they are there. The
    /// next start takes them from there.
    ///
    /// - Returns: whether they are kept. They can't be where they are 8-bit integers or don't come from files, or where oneDNN
    ///   doesn't tell their order.
    /// - Throws: `StreamError` where the file can't be written; ``ModelError/otherWeights(file:)``.
    public func prepack() throws -> Bool {
        guard let copy = classifier.prepackedCopy, let packed = blocks.packed else { return false }
        let isKept = packed.indices.allSatisfy { copy[$0]?.bytes.baseAddress == packed[$0].bytes.baseAddress }
        if isKept { return true }
        try classifier.weightsCheck?.wait()
        try copy.write(packed)
        return true
    }
}
