// What the trainable part reads of each text: its features, which are computed once, or, where nothing is frozen, its
// tokens.

import Tokenization

/// The rows of one set (training, validation or test), ready for the trainable part.
package final class FeatureSet: @unchecked Sendable {  // filled before anyone reads, then never changed
    /// The class of every row.
    package let labels: [Int]
    /// How many positions are computed of every row.
    package let layout: TextLayout
    private let texts: DistinctTexts
    private let textOfRow: [Int]
    /// The features of all distinct texts: hidden states before the first trainable block or, for the head alone,
    /// pooled states. nil where nothing is frozen.
    var store: FeatureStore?

    /// A feature set for each of `sets`, whose distinct texts are `texts`.
    package static func of(_ sets: [TokenizedTexts], _ texts: DistinctTexts) -> [FeatureSet] {
        zip(sets, texts.textOfRow).map { FeatureSet($0.rows.labels, texts, $1) }
    }

    private init(_ labels: [Int32], _ texts: DistinctTexts, _ textOfRow: [Int]) {
        self.labels = labels.map(Int.init)
        self.texts = texts
        self.textOfRow = textOfRow
        layout = TextLayout(lengths: textOfRow.lazy.map(texts.layout.length))
    }

    /// Some of the rows as a set of their own, with the same features.
    func selecting(_ rows: [Int]) -> FeatureSet {
        let part = FeatureSet(rows.map { Int32(labels[$0]) }, texts, rows.map { textOfRow[$0] })
        part.store = store
        return part
    }

    /// The number of rows.
    package var count: Int { labels.count }

    /// The numbers of the texts of `rows`.
    func texts(of rows: [Int]) -> [Int] { rows.map { textOfRow[$0] } }

    /// The tokens of `rows`, one text after another.
    package func batch(_ rows: [Int]) -> TokenBatch {
        TokenBatch(tokens: rows.flatMap { texts[textOfRow[$0]] }, layout: TextLayout(lengths: rows.map(layout.length)))
    }
}

/// The tokens of some texts, one text after another.
package struct TokenBatch: Sendable {
    /// The tokens of all texts.
    package let tokens: [Int32]
    /// Where the texts are in ``tokens``.
    package let layout: TextLayout
}
