// Dropout in one block: which numbers of a batch are dropped where.

/// Dropout in one block, on the texts of one batch.
package struct BlockDropout: Sendable {
    private let dropout: Dropout
    private let block: Int
    private let layout: TextLayout
    private let pooling: Pooling?

    /// - Parameter pooling: the position of every text that the states belong to; nil for states of all positions.
    package init(_ dropout: Dropout, block: Int, _ layout: TextLayout, pooling: Pooling? = nil) {
        self.dropout = dropout
        self.block = block
        self.layout = layout
        self.pooling = pooling
    }

    /// Drops some numbers of states [N,C], or of pooled states [B,C].
    package func drop(_ states: FloatView, _ place: Dropout.Place, width C: Int, _ workers: Workers) {
        workers.forEach(layout.rows) { text in
            let first = layout.offsets[text]
            if let pooling {
                dropout.drop(
                    states.pointer + text * C, count: C, from: (layout.pooledToken(text, pooling) - first) * C,
                    text: text, block: block, place)
            } else {
                dropout.drop(
                    states.pointer + first * C, count: layout.length(text) * C, from: 0, text: text, block: block,
                    place)
            }
        }
    }

    /// Dropout among the attention weights of one head over one text.
    package func head(_ head: Int, text: Int) -> HeadDropout {
        HeadDropout(dropout: dropout, block: block, text: text, head: head, T: layout.length(text))
    }
}
