// Where the states of texts are while a run reads them: in memory, or in files that are mapped part by part, because
// there may be more of them than memory holds. FeatureDirectory explains the files.

import Synchronization

/// The states of all distinct texts of a run: rows of C numbers, as many for each text as it has positions (or one,
/// where only the pooled position is kept).
package final class FeatureStore: Sendable {
    /// Row numbers: text t has rows.offsets[t] ..< rows.offsets[t+1].
    private let rows: TextLayout
    private let width: Int
    /// The parts: consecutive texts whose states lie together.
    private let pieces: [Range<Int>]
    private let load: @Sendable (_ piece: Int) throws -> Tensor
    private let mapped: Mutex<RecentPieces>

    /// - Parameters:
    ///   - limit: how many parts are held at a time, at least 1.
    ///   - load: gives the states [rows,C] of a part.
    init(
        rows: TextLayout, width: Int, pieces: [Range<Int>], limit: Int, load: @escaping @Sendable (Int) throws -> Tensor
    ) {
        self.rows = rows
        self.width = width
        self.pieces = pieces
        self.load = load
        mapped = Mutex(RecentPieces(limit: max(1, limit)))
    }

    /// A store of states that are in memory.
    convenience init(_ states: Tensor, rows: TextLayout, width: Int) {
        self.init(rows: rows, width: width, pieces: [0..<rows.rows], limit: 1) { _ in states }
    }

    /// Copies the states of `texts`, one after another, to `destination`.
    package func copy(_ texts: some Sequence<Int>, to destination: FloatView) throws {
        var target = destination.pointer
        for text in texts {
            let piece = pieces.partitioningIndex { $0.upperBound > text }
            let states = try mapped.withLock { try $0.piece(piece, load) }
            let first = rows.offsets[text] - rows.offsets[pieces[piece].lowerBound]
            let count = rows.length(text) * width
            withExtendedLifetime(states) { target.update(from: states.pointer + first * width, count: count) }
            target += count
        }
    }
}

/// The parts that were read last. The least recently read one is released first.
private struct RecentPieces: ~Copyable {
    private let limit: Int
    private var held: [Int: (states: Tensor, use: Int)] = [:]
    private var uses = 0

    init(limit: Int) { self.limit = limit }

    mutating func piece(_ index: Int, _ load: (Int) throws -> Tensor) rethrows -> Tensor {
        uses += 1
        if let known = held[index]?.states {
            held[index]?.use = uses
            return known
        }
        if held.count >= limit, let oldest = held.min(by: { $0.value.use < $1.value.use }) { held[oldest.key] = nil }
        let states = try load(index)
        held[index] = (states, uses)
        return states
    }
}

extension Array {
    /// The first index whose element satisfies `belongs`, where all elements behind it do too; `count` where none does.
    fileprivate func partitioningIndex(_ belongs: (Element) -> Bool) -> Int {
        var range = 0..<count
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            range = belongs(self[middle]) ? range.lowerBound..<middle : middle + 1..<range.upperBound
        }
        return range.lowerBound
    }
}

extension DistinctTexts {
    /// Parts of the texts whose states take at most `limit` bytes, or that are one text. No part has texts of two sets:
    /// the parts of the training set stay the same with another test set.
    func pieces(rows: TextLayout, width: Int, limit: Int) -> [Range<Int>] {
        newTexts.flatMap { set in
            TextLayout(lengths: set.map(rows.length))
                .chunks(tokens: limit / (width * MemoryLayout<Float>.size), rows: .max)
                .map { set.lowerBound + $0.lowerBound..<set.lowerBound + $0.upperBound }
        }
    }
}
