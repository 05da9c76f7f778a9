// The merges of a tokenizer: a hash table, open-addressed with linear probing, at most half full.

/// What two neighbouring tokens merge into, and how early.
struct MergeTable: Sendable {
    struct Entry: Sendable {
        var pair: UInt64
        /// The line of the merge in merges.txt, from 0: the lowest is merged first.
        var rank: UInt32
        var token: UInt32
    }

    static let noPair = UInt64.max
    static let noRank = UInt32.max
    private(set) var entries: [Entry]
    private let shift: Int

    init(capacity: Int) {
        var bits = 4
        while 1 << bits < 2 * capacity { bits += 1 }
        shift = 64 - bits
        entries = Array(repeating: Entry(pair: Self.noPair, rank: Self.noRank, token: 0), count: 1 << bits)
    }

    @inline(__always)
    static func pair(_ left: UInt32, _ right: UInt32) -> UInt64 {
        UInt64(left) << 32 | UInt64(right)
    }

    @inline(__always)
    static func slot(_ pair: UInt64, shift: Int) -> Int {
        let mixed = pair ^ (pair >> 32) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: (mixed &* 0xD6E8_FEB8_6659_FD93) >> UInt64(shift))
    }

    /// False where the pair is there already.
    mutating func insert(_ left: UInt32, _ right: UInt32, rank: UInt32, token: UInt32) -> Bool {
        let pair = Self.pair(left, right)
        var slot = Self.slot(pair, shift: shift)
        while entries[slot].pair != Self.noPair {
            if entries[slot].pair == pair { return false }
            slot = (slot + 1) & (entries.count - 1)
        }
        entries[slot] = Entry(pair: pair, rank: rank, token: token)
        return true
    }

    /// Lends a view without bounds checks and reference counts, for the inner loop.
    @inline(__always)
    func withView<Result>(_ body: (View) -> Result) -> Result {
        entries.withUnsafeBufferPointer { body(View(entries: $0.baseAddress!, mask: $0.count - 1, shift: shift)) }
    }

    struct View {
        let entries: UnsafePointer<Entry>
        let mask: Int
        let shift: Int

        /// Rank and token of the merge of `left` and `right`; rank ``noRank`` where there is none.
        @inline(__always)
        func find(_ left: UInt32, _ right: UInt32) -> (rank: UInt32, token: UInt32) {
            let pair = MergeTable.pair(left, right)
            var slot = MergeTable.slot(pair, shift: shift)
            while true {
                let entry = entries[slot]
                if entry.pair == pair { return (entry.rank, entry.token) }
                if entry.pair == MergeTable.noPair { return (MergeTable.noRank, 0) }
                slot = (slot + 1) & mask
            }
        }
    }
}
