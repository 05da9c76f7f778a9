// Parts that later records don't change: each is drawn from a hash of the text.

/// Chooses a part for every record when it comes.
struct StableParts {
    private let bounds: [UInt64]
    private let seed: UInt64
    /// The parts of the groups so far.
    private var parts: [Int] = []
    /// Records that are near copies of groups in several parts.
    private(set) var separated = 0

    init(_ fractions: Fractions, seed: UInt64) {
        let whole = 1 << 53
        let sizes = fractions.sizes(of: whole)
        bounds = [UInt64(sizes[0]), UInt64(sizes[0] + sizes[1])]
        self.seed = SplitMix64.mixed(seed)
    }

    /// The part of a record: that of its group where it has one, that of the first group which it is a near copy of, or by
    /// chance.
    mutating func part(of text: [UInt8], group: Int, copies: [Int]) -> Int {
        if group < parts.count { return parts[group] }
        let place = SplitMix64.mixed(NearCopies.hash(text) ^ seed) >> 11
        let part = copies.first.map { parts[$0] } ?? (place < bounds[0] ? 0 : place < bounds[1] ? 1 : 2)
        if copies.contains(where: { parts[$0] != part }) { separated += 1 }
        parts.append(part)
        return part
    }
}
