// Random numbers that are a function of their index: Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random
// numbers: as easy as 1, 2, 3", https://doi.org/10.1145/2063384.2063405). There is no state: each of them can be
// computed at any time, on any thread.

/// The random function Philox4x32-10.
package enum Philox {
    /// The key of a seed: its low and its high 32 bits.
    package static func key(_ seed: UInt64) -> SIMD2<UInt32> {
        SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    }

    /// The number below which a word is with this probability, 0 ..< 1.
    package static func threshold(_ probability: Double) -> UInt32 {
        UInt32(clamping: Int((probability * 0x1p32).rounded()))
    }

    /// Four uniform 32-bit words for a counter of four and a key of two.
    @inline(__always)
    package static func words(_ counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        var (a, b, c, d) = (counter[0], counter[1], counter[2], counter[3])
        var (k, l) = (key[0], key[1])
        for _ in 0..<10 {
            let first = UInt64(a) &* 0xD251_1F53
            let second = UInt64(c) &* 0xCD9E_8D57
            a = UInt32(truncatingIfNeeded: second >> 32) ^ b ^ k
            b = UInt32(truncatingIfNeeded: second)
            c = UInt32(truncatingIfNeeded: first >> 32) ^ d ^ l
            d = UInt32(truncatingIfNeeded: first)
            k &+= 0x9E37_79B9
            l &+= 0xBB67_AE85
        }
        return SIMD4(a, b, c, d)
    }
}
