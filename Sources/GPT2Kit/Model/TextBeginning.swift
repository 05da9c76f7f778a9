// The keys and values of a text in every block. With the causal mask they hold for every text that begins alike.

/// What a text leaves for others that share its first tokens.
package final class TextBeginning: @unchecked Sendable {  // filled by one worker, then only read
    private let buffer: FloatBuffer
    private let count: Int
    private let width: Int

    /// Room for a text of `count` tokens, 8·C bytes each for every one of `blocks` blocks.
    package init(count: Int, blocks: Int, width: Int) throws(OutOfMemory) {
        self.count = count
        self.width = width
        buffer = try FloatBuffer(count: max(1, 2 * blocks * count * width))
    }

    /// Keys (0) or values (1) of a block, [count,C].
    private func part(_ kind: Int, block: Int) -> UnsafeMutablePointer<Float> {
        buffer.pointer + (2 * block + kind) * count * width
    }

    /// Keeps the keys and values of a block, from the packed `c_attn` output [count,3C].
    func keep(_ qkv: Matrix, block: Int) {
        for row in 0..<count {
            for kind in 0..<2 {
                (part(kind, block: block) + row * width).update(
                    from: qkv.pointer + row * qkv.stride + (kind + 1) * width, count: width)
            }
        }
    }

    /// Keys and values [past+count,C] of a text: those of the first `past` tokens here, then its own, in memory for both.
    func joined(
        _ past: Int, with qkv: Matrix, count: Int, block: Int, _ memory: UnsafeMutablePointer<Float>
    ) -> (keys: Matrix, values: Matrix) {
        let size = (past + count) * width
        for kind in 0..<2 {
            let target = memory + kind * size
            target.update(from: part(kind, block: block), count: past * width)
            for row in 0..<count {
                (target + (past + row) * width).update(
                    from: qkv.pointer + row * qkv.stride + (kind + 1) * width, count: width)
            }
        }
        return (Matrix(memory, stride: width), Matrix(memory + size, stride: width))
    }
}
