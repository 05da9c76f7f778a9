// How the texts of a batch lie in memory: one after another, without pads.

/// The texts of a batch: text i owns tokens offsets[i] ..< offsets[i+1].
package struct TextLayout: Sendable {
    package let offsets: [Int]

    package init(lengths: some Sequence<Int>) {
        var offsets = [0]
        for length in lengths { offsets.append(offsets[offsets.count - 1] + length) }
        self.offsets = offsets
    }

    package var rows: Int { offsets.count - 1 }  // B
    package var tokens: Int { offsets[offsets.count - 1] }  // N
    package func length(_ row: Int) -> Int { offsets[row + 1] - offsets[row] }
    package var longest: Int { (0..<rows).map(length).max() ?? 0 }

    /// The token of a text that `pooling` reads, where it reads one: its first or its last.
    package func pooledToken(_ row: Int, _ pooling: Pooling) -> Int {
        pooling == .first ? offsets[row] : offsets[row + 1] - 1
    }

    /// Ranges of texts that have at most `tokens` tokens and `rows` texts together; a longer text is one of its own.
    package func chunks(tokens limit: Int, rows: Int) -> [Range<Int>] {
        var chunks: [Range<Int>] = []
        var first = 0
        for row in 0..<self.rows
        where row > first && (offsets[row + 1] - offsets[first] > limit || row - first == rows) {
            chunks.append(first..<row)
            first = row
        }
        if first < self.rows { chunks.append(first..<self.rows) }
        return chunks
    }
}
