// The input of the first block: GPT-2's two embedding tables, x = wte[token] + wpe[position].

/// The embedding tables.
struct Embeddings: Sendable {
    /// wte [V,C].
    private let token: Tensor
    /// wpe [positions,C].
    private let position: Tensor

    init(_ parameters: GPT2Parameters) {
        token = parameters.tokenEmbedding
        position = parameters.positionEmbedding
    }

    /// x [T,C] of `count` tokens of one text, the first of which is at position `first`.
    func forward(_ x: UnsafeMutablePointer<Float>, tokens: UnsafePointer<Int32>, count T: Int, from first: Int = 0) {
        let C = position.shape[1]
        for t in 0..<T {
            let row = x + t * C
            row.update(from: token.pointer + Int(tokens[t]) * C, count: C)
            addVector(row, position.pointer + (first + t) * C, C)
        }
    }
}
