// The parts of a cross-validation.

import Records

/// How a set is cut into parts.
package enum Folds {
    /// The part of every row, 0 ..< count. Rows with the same text are in one part; the rows of a class are spread evenly.
    ///
    /// - Parameter texts: the number of its text for every row.
    package static func assign(labels: [Int], texts: [Int], count: Int, seed: UInt64) -> [Int] {
        var rowsOfText: [Int: [Int]] = [:]
        for (row, text) in texts.enumerated() { rowsOfText[text, default: []].append(row) }
        var groups = rowsOfText.sorted { $0.key < $1.key }.map(\.value)
        var generator = SeededGenerator(seed: seed)
        generator.shuffle(&groups)
        // By the class of the first row; those of one class one after another, dealt out in turn.
        let order = groups.indices.sorted { (labels[groups[$0][0]], $0) < (labels[groups[$1][0]], $1) }
        var folds = [Int](repeating: 0, count: labels.count)
        for (place, group) in order.enumerated() {
            for row in groups[group] { folds[row] = place % count }
        }
        return folds
    }
}
