// A learning rate for every layer: the lower a layer, the more general what it has learned, and the less it should change
// (Howard & Ruder 2018, https://arxiv.org/abs/1801.06146; the exponents are those of BEiT, Bao et al. 2021).

/// The factor by which the learning rate falls from a layer to the one below.
public struct LayerDecay: Sendable, Equatable {
    /// The factor, above 0 and at most 1; 1 for one learning rate everywhere.
    public var factor: Double

    /// - Parameter factor: above 0 and at most 1.
    public init(_ factor: Double = 1) { self.factor = factor }

    /// What the learning rate of a parameter is multiplied by, in a model of L blocks: 1 for the head and the final
    /// LayerNorm, dᴸ⁻ᵇ for block b = 0 ..< L, dᴸ⁺¹ for the embeddings, where d is ``factor``.
    ///
    /// - Parameter name: of the parameter, or of an adapter beside it, as in the weights of a model directory.
    package func scale(of name: String, blocks L: Int) -> Double {
        let levels: Int
        let parts = name.split(separator: ".")
        if parts.first == "h", parts.count > 1, let block = Int(parts[1]) {
            levels = L - block
        } else if name.hasPrefix("wte.") || name.hasPrefix("wpe.") {
            levels = L + 1
        } else {
            levels = 0
        }
        return (0..<levels).reduce(1) { product, _ in product * factor }
    }
}
