// Byte strings (tokens, or pieces of text) and their numbers: a hash table, open-addressed with linear probing, at most
// half full. Not here: what the strings mean.

import Platform
import Records

/// Byte strings, numbered in the order in which they were added.
struct ByteStringTable: Sendable {
    private(set) var bytes: [UInt8] = []
    private(set) var ends: [Int] = []
    /// Where a string's number is, with the hash of the string, which tells most others apart.
    private var slots: [Slot]

    private struct Slot {
        var number: Int32 = -1
        var hash: UInt32 = 0
    }

    /// A table with room for `capacity` strings; more is made where it is needed.
    init(capacity: Int = 512) {
        var size = 1024
        while size < 2 * capacity { size *= 2 }
        slots = Array(repeating: Slot(), count: size)
        ends.reserveCapacity(capacity)
        bytes.reserveCapacity(8 * capacity)
    }

    var count: Int { ends.count }

    subscript(index: Int) -> ArraySlice<UInt8> {
        bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }

    /// The number of `token`, or nil.
    func find(_ token: ArraySlice<UInt8>) -> Int? {
        let place = slots[place(of: token, hash: Self.hash(token))]
        return place.number < 0 ? nil : Int(place.number)
    }

    /// The slot that has `token`, or the free one that would get it.
    private func place(of token: ArraySlice<UInt8>, hash: UInt32) -> Int {
        token.withUnsafeBytes { token in
            bytes.withUnsafeBytes { bytes in
                var slot = Int(hash) & (slots.count - 1)
                while slots[slot].number >= 0 {
                    let index = Int(slots[slot].number)
                    let start = index == 0 ? 0 : ends[index - 1]
                    if slots[slot].hash == hash, ends[index] - start == token.count,
                        token.isEmpty || memcmp(bytes.baseAddress! + start, token.baseAddress!, token.count) == 0
                    {
                        break
                    }
                    slot = (slot + 1) & (slots.count - 1)
                }
                return slot
            }
        }
    }

    /// Adds `token` and returns true, or returns false where it is there already.
    mutating func insert(_ token: ArraySlice<UInt8>) -> Bool {
        if 2 * (count + 1) > slots.count { grow() }
        let hash = Self.hash(token)
        let slot = place(of: token, hash: hash)
        guard slots[slot].number < 0 else { return false }
        slots[slot] = Slot(number: Int32(count), hash: hash)
        bytes.append(contentsOf: token)
        ends.append(bytes.count)
        return true
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: Slot(), count: slots.count * 2)
        for entry in old where entry.number >= 0 {
            var slot = Int(entry.hash) & (slots.count - 1)
            while slots[slot].number >= 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = entry
        }
    }

    /// FNV-1a, its high bits folded in.
    private static func hash(_ token: ArraySlice<UInt8>) -> UInt32 {
        let hash = token.reduce(FNV1a.basis) { FNV1a.extended($0, UInt64($1)) }
        return UInt32(truncatingIfNeeded: hash ^ hash >> 29)
    }
}
