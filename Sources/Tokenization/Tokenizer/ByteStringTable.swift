// Byte strings (tokens, or pieces of text) and their numbers: a hash table, open-addressed with linear probing, at most
// half full. Not here: what the strings mean.

import Records

/// Byte strings, numbered in the order in which they were added.
struct ByteStringTable: Sendable {
    private(set) var bytes: [UInt8] = []
    private(set) var ends: [Int] = []
    private var slots: [Int32] = Array(repeating: -1, count: 1024)

    var count: Int { ends.count }

    subscript(index: Int) -> ArraySlice<UInt8> {
        bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }

    /// The number of `token`, or nil.
    func find(_ token: ArraySlice<UInt8>) -> Int? {
        var slot = Self.hash(token) & (slots.count - 1)
        while slots[slot] >= 0 {
            let index = Int(slots[slot])
            if self[index].elementsEqual(token) { return index }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Adds `token` and returns true, or returns false where it is there already.
    mutating func insert(_ token: ArraySlice<UInt8>) -> Bool {
        if 2 * (count + 1) > slots.count { grow() }
        var slot = Self.hash(token) & (slots.count - 1)
        while slots[slot] >= 0 {
            if self[Int(slots[slot])].elementsEqual(token) { return false }
            slot = (slot + 1) & (slots.count - 1)
        }
        slots[slot] = Int32(count)
        bytes.append(contentsOf: token)
        ends.append(bytes.count)
        return true
    }

    private mutating func grow() {
        slots = Array(repeating: -1, count: slots.count * 2)
        for index in 0..<count {
            var slot = Self.hash(self[index]) & (slots.count - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = Int32(index)
        }
    }

    /// FNV-1a, its high bits folded in.
    private static func hash(_ token: ArraySlice<UInt8>) -> Int {
        let hash = token.reduce(FNV1a.basis) { FNV1a.extended($0, UInt64($1)) }
        return Int(truncatingIfNeeded: (hash ^ hash >> 29) & 0x7FFF_FFFF)
    }
}
