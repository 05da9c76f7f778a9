// The tokens of words met before. Text repeats its words; a table that fits the second-level cache finds nearly all.
// Bounded: a word that falls on another's place takes it.

import Records

struct WordCache: Sendable {
    /// A piece of 1 to 16 bytes as two integers.
    struct Key {
        var low: UInt64
        var high: UInt64
        var length: UInt32

        /// Nil for a longer piece.
        @inline(__always)
        init?(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) {
            let count = range.count
            guard count <= 16 else { return nil }
            length = UInt32(count)
            let start = UnsafeRawPointer(text.baseAddress!) + range.lowerBound
            if range.lowerBound + 16 <= text.count {
                // Both words are read whole, and what lies behind the piece is masked away.
                low = start.loadUnaligned(as: UInt64.self).littleEndian
                high = start.loadUnaligned(fromByteOffset: 8, as: UInt64.self).littleEndian
                if count < 8 {
                    low &= (1 << UInt64(8 &* count)) &- 1
                    high = 0
                } else if count < 16 {
                    high &= (1 << UInt64(8 &* (count &- 8))) &- 1
                }
            } else {
                low = 0
                high = 0
                for index in 0..<min(8, count) { low |= UInt64(text[range.lowerBound + index]) << UInt64(8 * index) }
                for index in 8..<max(8, count) {
                    high |= UInt64(text[range.lowerBound + index]) << UInt64(8 * (index - 8))
                }
            }
        }

        @inline(__always)
        var slot: Int {
            var hash = low ^ high &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 32
            hash = hash &* 0xD6E8_FEB8_6659_FD93
            return Int(truncatingIfNeeded: hash >> UInt64(64 - WordCache.bits))
        }
    }

    /// 64 bytes: one line of the processor's cache.
    private struct Entry {
        var low: UInt64 = 0
        var high: UInt64 = 0
        /// 0 in an empty entry: no piece is empty.
        var length: UInt32 = 0
        var count: UInt32 = 0
        var ids: SIMD8<Int32> = .zero
    }

    fileprivate static let bits = 14
    private var entries = [Entry](repeating: Entry(), count: 1 << Self.bits)

    /// Appends the tokens of the piece if they are known.
    @inline(__always)
    func append(_ key: Key, to ids: inout [Int32]) -> Bool {
        entries.withUnsafeBufferPointer { entries in
            let entry = entries.baseAddress! + key.slot
            guard entry.pointee.low == key.low, entry.pointee.high == key.high, entry.pointee.length == key.length
            else { return false }
            for index in 0..<Int(entry.pointee.count) { ids.append(entry.pointee.ids[index]) }
            return true
        }
    }

    mutating func store(_ key: Key, _ ids: ArraySlice<Int32>) {
        guard ids.count <= 8 else { return }
        var entry = Entry(low: key.low, high: key.high, length: key.length, count: UInt32(ids.count))
        for (index, id) in ids.enumerated() { entry.ids[index] = id }
        entries[key.slot] = entry
    }
}
