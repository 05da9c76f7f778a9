// The texts of a run, each once. Features are a function of a text's tokens, so a text that occurs twice, in one set or
// in two, is computed once.

import Tokenization

/// The distinct texts of some sets, in the order in which they first occur.
package struct DistinctTexts: Sendable {
    /// The tokens of all texts at the positions that are computed, one text after another.
    package let tokens: [Int32]
    /// Where the texts are in ``tokens``.
    package let layout: TextLayout
    /// The number of its text, for every row of every set.
    package let textOfRow: [[Int]]
    /// For every set, the texts that no set before it has.
    package let newTexts: [Range<Int>]

    /// The distinct texts of `sets`, cut and padded as `pooling` reads them.
    ///
    /// - Complexity: O(tokens of all sets)
    package init(_ sets: [TokenizedTexts], _ pooling: Pooling, isCausal: Bool) {
        // All rows first, because the keys below are slices of this one array.
        var all: [Int32] = []
        var lengths: [[Int]] = []
        for set in sets {
            let (rows, description) = (set.rows, set.description)
            lengths.append(
                (0..<rows.count).map { row in
                    pooling.append(
                        rows[row], to: &all, paddedLength: description.paddedLength, padToken: description.padToken,
                        isCausal: isCausal)
                })
        }
        var numbers: [ArraySlice<Int32>: Int] = [:]
        var tokens: [Int32] = []
        var distinct: [Int] = []
        var textOfRow: [[Int]] = []
        var newTexts: [Range<Int>] = []
        var start = 0
        for lengths in lengths {
            let first = distinct.count
            textOfRow.append(
                lengths.map { length in
                    let text = all[start..<start + length]
                    start += length
                    if let known = numbers[text] { return known }
                    numbers[text] = distinct.count
                    tokens.append(contentsOf: text)
                    distinct.append(length)
                    return distinct.count - 1
                })
            newTexts.append(first..<distinct.count)
        }
        self.tokens = tokens
        layout = TextLayout(lengths: distinct)
        self.textOfRow = textOfRow
        self.newTexts = newTexts
    }

    /// The number of distinct texts.
    package var count: Int { layout.rows }

    /// The tokens of text `index`.
    package subscript(index: Int) -> ArraySlice<Int32> { tokens[layout.offsets[index]..<layout.offsets[index + 1]] }
}
