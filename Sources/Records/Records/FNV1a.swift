// FNV-1a (Fowler, Noll & Vo), 64 bits, over words rather than bytes where that is all a caller needs.

/// A hash that is extended word by word. Whoever needs all of its bits to depend on all words mixes it at the end
/// (``SplitMix64``).
public enum FNV1a {
    /// The hash of nothing.
    @inlinable public static var basis: UInt64 { 0xCBF2_9CE4_8422_2325 }

    /// The hash of what `hash` is of, and `word` behind it.
    @inlinable
    public static func extended(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        (hash ^ word) &* 0x100_0000_01B3
    }
}
