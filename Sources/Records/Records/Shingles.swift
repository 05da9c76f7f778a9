// What two texts have in common: the share of their shingles, runs of five characters, that both have (Broder 1997, "On the
// resemblance and containment of documents").

/// The distinct shingles of a text, as hashes in ascending order.
package struct Shingles: Equatable {
    /// Characters (Unicode scalars) of a shingle. A shorter text is one shingle.
    package static let length = 5

    /// 64 bits each: two different shingles of the same hash don't occur in practice.
    package private(set) var hashes: [UInt64] = []

    /// The shingles of a text that ``foldedText(_:)`` has folded.
    package init(of utf8: some Collection<UInt8>) {
        // Σ sᵢ·pⁱ over the last five characters, of which the oldest is taken away again.
        var window: [UInt64] = []
        window.reserveCapacity(utf8.count)
        if utf8.allSatisfy({ $0 < 0x80 }) {
            window.append(contentsOf: utf8.lazy.map { UInt64($0) + 1 })
        } else {
            window.append(
                contentsOf: String(decoding: utf8, as: UTF8.self).unicodeScalars.lazy.map { UInt64($0.value) + 1 })
        }
        var sum: UInt64 = 0
        hashes.reserveCapacity(max(1, window.count))
        for (i, scalar) in window.enumerated() {
            sum = sum &* Self.base &+ scalar
            if i >= Self.length { sum = sum &- window[i - Self.length] &* Self.oldest }
            if i >= Self.length - 1 { hashes.append(SplitMix64.mixed(sum)) }
        }
        if hashes.isEmpty { hashes.append(SplitMix64.mixed(sum)) }
        hashes.sort()
        var count = 1
        for hash in hashes.dropFirst() where hash != hashes[count - 1] {
            hashes[count] = hash
            count += 1
        }
        hashes.removeLast(hashes.count - count)
    }

    /// Shingles that both have, over shingles that either has: the Jaccard similarity, 0 … 1.
    package func similarity(to other: Shingles) -> Double {
        let (a, b) = (hashes, other.hashes)
        var (i, j, common) = (0, 0, 0)
        while i < a.count, j < b.count {
            if a[i] == b[j] {
                common += 1
                i += 1
                j += 1
            } else if a[i] < b[j] {
                i += 1
            } else {
                j += 1
            }
        }
        return Double(common) / Double(a.count + b.count - common)
    }

    private static let base: UInt64 = 0xD6E8_FEB8_6659_FD93
    private static let oldest = base &* base &* base &* base &* base
}
