// The gradients of GPT-2's two embedding tables. With x = wte[token] + wpe[position], a row of either table gets the
// gradient of x, summed over the tokens that share the row.

/// Adds the gradients of a batch to those of wte [V,C] and wpe [positions,C].
package final class EmbeddingGradient: @unchecked Sendable {  // one batch at a time; each tile writes its own part
    private let gradients: GPT2Parameters
    private let rows: RowSet?
    private let C: Int
    private let workers: Workers
    private var buffer: FloatBuffer

    /// An adder to the embeddings among `gradients`.
    ///
    /// - Parameter rows: gets the rows of wte that have a gradient; nil where nobody asks.
    /// - Throws: ``OutOfMemory``.
    package init(
        _ gradients: GPT2Parameters, rows: RowSet? = nil, config: GPT2Config, workers: Workers
    ) throws(OutOfMemory) {
        self.gradients = gradients
        self.rows = rows
        self.workers = workers
        C = config.width
        buffer = try FloatBuffer(count: 0)
    }

    /// Reserves memory for ∂loss/∂x of the tokens of a batch.
    package func reserve(_ layout: TextLayout) throws(OutOfMemory) {
        if buffer.count < layout.tokens * C { buffer = try FloatBuffer(count: layout.tokens * C) }
    }

    /// ∂loss/∂x [N,C], which the backward pass of the first block fills.
    package var dInput: FloatView { FloatView(buffer.pointer) }

    /// dwte[token] += dx and dwpe[position] += dx, in the order of the tokens, each tile on columns of its own.
    package func addGradients(tokens: UnsafePointer<Int32>, _ layout: TextLayout) {
        if let rows { for token in 0..<layout.tokens { rows.insert(Int(tokens[token])) } }
        nonisolated(unsafe) let tokens = tokens  // only read
        workers.forEachRange(C, by: 64) { columns in
            for row in 0..<layout.rows {
                for position in 0..<layout.length(row) {
                    let token = layout.offsets[row] + position
                    let dx = buffer.pointer + token * C + columns.lowerBound
                    let word = Int(tokens[token]) * C + columns.lowerBound
                    addVector(gradients.tokenEmbedding.mutablePointer + word, dx, columns.count)
                    addVector(
                        gradients.positionEmbedding.mutablePointer + position * C + columns.lowerBound, dx,
                        columns.count)
                }
            }
        }
    }
}
