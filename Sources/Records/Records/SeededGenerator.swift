// The one source of randomness: the same seed gives the same sequence on every machine and with every version.
// xoshiro256** 1.0 by Blackman and Vigna, seeded through SplitMix64 as its authors recommend
// (https://prng.di.unimi.it). Bounded integers by Lemire, "Fast Random Integer Generation in an Interval" (2019).
// Swift's own `shuffle` and `random(in:)` promise no particular sequence, so they aren't used. Not for secrets.

import Platform

/// xoshiro256**, a generator with a period of 2²⁵⁶ − 1.
public struct SeededGenerator: RandomNumberGenerator, Sendable, Equatable {
    /// The four words of the state, as the authors' reference vectors have them.
    package private(set) var state: (UInt64, UInt64, UInt64, UInt64)

    /// Starts the sequence that belongs to `seed`.
    public init(seed: UInt64) {
        var mixer = seed
        func next() -> UInt64 {
            mixer &+= 0x9E37_79B9_7F4A_7C15
            return SplitMix64.mixed(mixer)
        }
        state = (next(), next(), next(), next())
    }

    /// Continues from a ``state``; nil for all zeros, from which nothing but zeros follow.
    package init?(state: (UInt64, UInt64, UInt64, UInt64)) {
        guard state.0 | state.1 | state.2 | state.3 != 0 else { return nil }
        self.state = state
    }

    public static func == (a: SeededGenerator, b: SeededGenerator) -> Bool { a.state == b.state }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        func rotate(_ x: UInt64, _ k: UInt64) -> UInt64 { (x << k) | (x >> (64 - k)) }
        let result = rotate(state.1 &* 5, 7) &* 9
        let t = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= t
        state.3 = rotate(state.3, 45)
        return result
    }

    /// An integer in 0..<bound, every one equally likely. `bound` is at least 1.
    public mutating func nextInteger(below bound: Int) -> Int {
        let range = UInt64(bound)
        var product = next().multipliedFullWidth(by: range)
        if product.low < range {
            let threshold = (0 &- range) % range
            while product.low < threshold { product = next().multipliedFullWidth(by: range) }
        }
        return Int(product.high)
    }

    /// A number in [0, 1) with 53 random bits.
    public mutating func nextUniform() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// A number of the standard normal distribution, by Box and Muller's cosine; it always takes two words.
    /// The only function here that depends on the machine's mathematical library, in its last bit.
    public mutating func nextNormal() -> Double {
        let radius = (-2 * log(1 - nextUniform())).squareRoot()
        return radius * cos(2 * .pi * nextUniform())
    }

    /// Puts `elements` into a random order (Fisher and Yates, from the end), all orders equally likely.
    public mutating func shuffle<Element>(_ elements: inout [Element]) {
        for index in stride(from: elements.count - 1, to: 0, by: -1) {
            elements.swapAt(index, nextInteger(below: index + 1))
        }
    }

    /// 0..<count in a random order.
    public mutating func permutation(_ count: Int) -> [Int] {
        var result = Array(0..<count)
        shuffle(&result)
        return result
    }
}
