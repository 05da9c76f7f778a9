// Which rows of a corpus make up each step.

import Records

/// The rows of all steps: a new order in every epoch, which follows from the seed and the epoch's number alone.
///
/// Memory: 8 bytes for each row.
package struct CorpusOrder {
    /// Rows of a step.
    package let batch: Int
    /// Those of an epoch; rows that are too few for another one are left out.
    package let stepsPerEpoch: Int
    private let rows: Int
    private let seed: UInt64
    private var epoch = -1
    private var order: [Int] = []

    /// Steps of `batch` of the rows 0 ..< `rows`, of all where they are fewer.
    package init(rows: Int, batch: Int, seed: UInt64) {
        self.rows = rows
        self.batch = min(batch, rows)
        self.seed = seed
        stepsPerEpoch = BatchSampler.stepsPerEpoch(rows: rows, batch: batch)
    }

    /// The rows of step 0, 1, ….
    package mutating func rows(of step: Int) -> ArraySlice<Int> {
        let (epoch, place) = step.quotientAndRemainder(dividingBy: stepsPerEpoch)
        if epoch != self.epoch {
            var generator = SeededGenerator(seed: seed ^ UInt64(epoch) &* 0x9E37_79B9_7F4A_7C15)
            order = generator.permutation(rows)
            self.epoch = epoch
        }
        return order[place * batch..<(place + 1) * batch]
    }
}
