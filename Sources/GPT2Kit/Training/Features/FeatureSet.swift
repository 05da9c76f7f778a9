// What the trainable part of the model reads of each text: the output of the frozen blocks, computed once, or, where
// nothing is frozen, the tokens themselves.

import Tokenization

/// The rows of one set (training, validation or test), ready for the trainable part.
package final class FeatureSet: @unchecked Sendable {  // filled before anyone reads, then never changed
    package let labels: [Int]
    /// The positions that are computed of every row.
    package let layout: TextLayout
    private let texts: DistinctTexts
    private let textOfRow: [Int]
    /// Hidden states of all distinct texts before the first trainable block, or, for the head alone, their pooled
    /// states; nil where everything is trained.
    var store: FeatureStore?

    /// One for each of `sets`, whose distinct texts are `texts`.
    package static func of(_ sets: [TokenizedTexts], _ texts: DistinctTexts) -> [FeatureSet] {
        zip(sets, texts.textOfRow).map { FeatureSet($0.rows.labels, texts, $1) }
    }

    private init(_ labels: [Int32], _ texts: DistinctTexts, _ textOfRow: [Int]) {
        self.labels = labels.map(Int.init)
        self.texts = texts
        self.textOfRow = textOfRow
        layout = TextLayout(lengths: textOfRow.lazy.map(texts.layout.length))
    }

    package var count: Int { labels.count }

    /// The texts of `rows`, by their numbers.
    func texts(of rows: [Int]) -> [Int] { rows.map { textOfRow[$0] } }

    /// The tokens of `rows`, packed.
    package func batch(_ rows: [Int]) -> (tokens: [Int32], layout: TextLayout) {
        (rows.flatMap { texts[textOfRow[$0]] }, TextLayout(lengths: rows.map(layout.length)))
    }
}
