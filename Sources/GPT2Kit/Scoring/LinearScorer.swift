// Scores texts with a linear model.

import LinearModel

/// Scores texts with a `LinearClassifier`, on several cores.
public final class LinearScorer: TextScorer {
    /// The names of the classes, in the order of the probabilities.
    public let labels: [String]
    /// Nothing is cut.
    public let truncated = 0
    /// The weights were checked when they were read.
    public let weightsCheck: WeightsCheck? = nil
    private let classifier: LinearClassifier
    private let choice: LabelChoice
    private let workers: Workers
    private let scratch: [CountingScratch]

    /// Texts that a worker takes at a time.
    private static let tile = 32

    /// - Parameters:
    ///   - classifier: the model that scores.
    ///   - thresholds: probabilities from which on labels are chosen.
    ///   - workers: the threads that score.
    public init(_ classifier: LinearClassifier, thresholds: [Threshold] = [], workers: Workers) {
        self.classifier = classifier
        self.workers = workers
        scratch = (0..<workers.count).map { _ in CountingScratch() }
        labels = classifier.labels
        choice = LabelChoice(decision: nil, thresholds: thresholds)
    }

    /// The text's bytes: its n-grams are many times as long, and better counted on all cores.
    public func encode(_ text: ArraySlice<UInt8>) -> [Int32] { PackedBytes.packed(text) }

    /// The scores of texts, given as what ``encode(_:)`` has made of them.
    public func score(tokens texts: [[Int32]]) throws -> [Score] {
        probabilities(texts).map { choice.score($0) }
    }

    /// The probabilities of texts, given as what ``encode(_:)`` has made of them.
    func probabilities(_ texts: [[Int32]]) -> [[Double]] {
        var rows = [[Double]](repeating: [], count: texts.count)
        rows.withUnsafeMutableBufferPointer { rows in
            nonisolated(unsafe) let rows = rows  // each tile writes its own part
            nonisolated(unsafe) let scratch = scratch  // a worker has its own
            workers.forEach((texts.count + Self.tile - 1) / Self.tile) { [classifier] tile, worker in
                for text in tile * Self.tile..<min(texts.count, (tile + 1) * Self.tile) {
                    rows[text] = PackedBytes.withBytes(texts[text]) { classifier.probabilities($0, scratch[worker]) }
                }
            }
        }
        return rows
    }
}

/// Bytes, four in an integer, behind the number of those in the last one that aren't bytes.
enum PackedBytes {
    static func packed(_ bytes: ArraySlice<UInt8>) -> [Int32] {
        let count = (bytes.count + 3) / 4
        var result = [Int32](repeating: 0, count: 1 + count)
        result[0] = Int32(4 * count - bytes.count)
        result.withUnsafeMutableBytes { target in
            bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: target[4...]).copyMemory(from: $0) }
        }
        return result
    }

    static func withBytes<Value>(_ packed: [Int32], _ body: (ArraySlice<UInt8>) -> Value) -> Value {
        body(packed.withUnsafeBytes { Array($0[4..<$0.count - Int(packed[0])]) }[...])
    }
}
