// The gradients of GPT-2's two embedding tables: x = wte[token] + wpe[position], so that both get the gradient of x,
// summed over the tokens that share a row.

package final class EmbeddingGradient {
    private let gradients: GPT2Parameters
    private let C: Int
    private let workers: Workers
    private var buffer: FloatBuffer

    package init(_ gradients: GPT2Parameters, config: GPT2Config, workers: Workers) throws(OutOfMemory) {
        self.gradients = gradients
        self.workers = workers
        C = config.width
        buffer = try FloatBuffer(count: 0)
    }

    /// Room for ∂loss/∂x of the tokens of a batch.
    package func reserve(_ packing: Packing) throws(OutOfMemory) {
        if buffer.count < packing.tokens * C { buffer = try FloatBuffer(count: packing.tokens * C) }
    }

    /// ∂loss/∂x [N,C], for the layers behind to fill.
    package var dInput: Region { Region(buffer.pointer) }

    /// dwte[token] += dx and dwpe[position] += dx, in the order of the tokens, each tile on columns of its own.
    package func accumulate(tokens: UnsafePointer<Int32>, _ packing: Packing) {
        workers.forEachRange(C, by: 64) { columns in
            for row in 0..<packing.rows {
                for position in 0..<packing.length(row) {
                    let token = packing.offsets[row] + position
                    let dx = buffer.pointer + token * C + columns.lowerBound
                    let word = Int(tokens[token]) * C + columns.lowerBound
                    add(gradients.tokenEmbedding.pointer + word, dx, columns.count)
                    add(gradients.positionEmbedding.pointer + position * C + columns.lowerBound, dx, columns.count)
                }
            }
        }
    }
}
