// Which rows make up each step.

import Records

/// The batches of one epoch after another: same seed, same batches, on any machine.
package struct BatchSampler {
    private let rows: Int
    private let batch: Int
    private var generator: SeededGenerator?

    /// Batches of `batch` of the rows 0 ..< `rows`, of all where they are fewer.
    package init(rows: Int, batch: Int, shuffle: TrainingSettings.Shuffle, seed: UInt64) {
        self.rows = rows
        self.batch = min(batch, rows)
        generator = shuffle == .seeded ? SeededGenerator(seed: seed) : nil
    }

    /// The number of batches in an epoch.
    package var stepsPerEpoch: Int { Self.stepsPerEpoch(rows: rows, batch: batch) }

    /// The number of batches of `batch` of `rows` rows, at least 1, in an epoch.
    static func stepsPerEpoch(rows: Int, batch: Int) -> Int { rows / min(batch, rows) }

    /// The next epoch's batches. Rows that don't fill a batch are dropped.
    package mutating func epoch() -> [[Int]] {
        let order = generator?.permutation(rows) ?? Array(0..<rows)
        return (0..<stepsPerEpoch).map { Array(order[$0 * batch..<($0 + 1) * batch]) }
    }
}

/// The batches of all epochs, one after another.
struct BatchIterator {
    private var sampler: BatchSampler
    private var epoch: ArraySlice<[Int]> = []

    init(_ sampler: BatchSampler) { self.sampler = sampler }

    var stepsPerEpoch: Int { sampler.stepsPerEpoch }

    mutating func next() -> [Int] {
        if epoch.isEmpty { epoch = sampler.epoch()[...] }
        return epoch.removeFirst()
    }

    /// Skips the next `count` batches.
    mutating func skip(_ count: Int) {
        for _ in 0..<count / stepsPerEpoch { _ = sampler.epoch() }
        let rest = count % stepsPerEpoch
        if rest > 0 { epoch = sampler.epoch().dropFirst(rest) }
    }
}
