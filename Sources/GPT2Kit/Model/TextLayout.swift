// How the texts of a batch lie in memory: one after another, without pads.

/// The texts of a batch: text i owns tokens offsets[i] ..< offsets[i+1].
package struct TextLayout: Sendable {
    /// Where the texts begin, and N behind the last: B + 1 numbers.
    package let offsets: [Int]

    /// Texts of these lengths, in tokens.
    package init(lengths: some Sequence<Int>) {
        var offsets = [0]
        for length in lengths { offsets.append(offsets[offsets.count - 1] + length) }
        self.offsets = offsets
    }

    /// B, the number of texts.
    package var rows: Int { offsets.count - 1 }
    /// N, the number of tokens of all texts.
    package var tokens: Int { offsets[offsets.count - 1] }
    /// The number of tokens of a text.
    package func length(_ row: Int) -> Int { offsets[row + 1] - offsets[row] }
    /// The number of tokens of the longest text; 0 where there are no texts.
    package var longest: Int { (0..<rows).map(length).max() ?? 0 }

    /// The index of the token that `pooling` reads of a text, its first or its last. Not for means, which read all.
    package func pooledToken(_ row: Int, _ pooling: Pooling) -> Int {
        switch pooling {
        case .first: offsets[row]
        case .lastToken, .lastPosition: offsets[row + 1] - 1
        case .mean, .meanText: preconditionFailure("a mean reads all positions")
        }
    }

    /// Consecutive texts in chunks of at most `tokens` tokens and `rows` texts. A longer text is a chunk of its own.
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
