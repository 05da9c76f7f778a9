// Eight floats at a time, and the one transcendental function that GPT-2 needs.

/// Eight lanes: two SSE, one AVX, or two NEON registers.
package typealias Lanes = SIMD8<Float>

extension UnsafePointer<Float> {
    @inline(__always) func lanes(_ index: Int) -> Lanes {
        UnsafeRawPointer(self + index).loadUnaligned(as: Lanes.self)
    }
}

extension UnsafeMutablePointer<Float> {
    @inline(__always) func lanes(_ index: Int) -> Lanes {
        UnsafeRawPointer(self + index).loadUnaligned(as: Lanes.self)
    }

    @inline(__always) func store(_ lanes: Lanes, _ index: Int) {
        UnsafeMutableRawPointer(self + index).storeBytes(of: lanes, as: Lanes.self)
    }
}

extension SIMD8<Float> {
    /// Calls `eight` for every eighth index of `range`, whose eight numbers it takes together; the indices that are left.
    @inline(__always)
    static func each(_ range: Range<Int>, eight: (_ index: Int) -> Void) -> Range<Int> {
        var i = range.lowerBound
        while i + 8 <= range.upperBound {
            eight(i)
            i += 8
        }
        return i..<range.upperBound
    }

    /// The same for `0..<count`.
    @inline(__always)
    static func each(_ count: Int, eight: (_ index: Int) -> Void) -> Range<Int> { each(0..<count, eight: eight) }

    /// The same, and `rest` for each index that is left.
    @inline(__always)
    static func each(_ range: Range<Int>, eight: (_ index: Int) -> Void, rest: (_ index: Int) -> Void) {
        for i in each(range, eight: eight) { rest(i) }
    }

    /// The same for `0..<count`.
    @inline(__always)
    static func each(_ count: Int, eight: (_ index: Int) -> Void, rest: (_ index: Int) -> Void) {
        each(0..<count, eight: eight, rest: rest)
    }

    @inline(__always) func total() -> Float {
        let four = lowHalf + highHalf
        let two = four.lowHalf + four.highHalf
        return two.x + two.y
    }
}

/// eˣ in every lane, within 2 units in the last place between −87 and 88; clamped outside.
///
/// 2ⁿ·eʳ with n = ⌊x·log₂e⌉ and |r| ≤ ln 2 / 2, and eʳ by the polynomial of Cephes' `expf`
/// (S. L. Moshier, *Methods and Programs for Mathematical Functions*).
@inline(__always) package func exponential(_ input: Lanes) -> Lanes {
    // Not `clamped`, which isn't inlined.
    var x = input.replacing(with: -87, where: input .< -87)
    x.replace(with: 88, where: x .> 88)
    // Adding 1.5·2²³ leaves the nearest integer in the low bits.
    let shifted = x * 1.442_695_04 + 12_582_912
    let n = shifted - 12_582_912
    let r = x - n * 0.693_359_375 - n * -2.121_944_4e-4
    var p = r * 1.987_569_15e-4 + 1.398_199_95e-3
    p = p * r + 8.333_451_9e-3
    p = p * r + 4.166_579_6e-2
    p = p * r + 1.666_666_55e-1
    p = p * r + 5.000_000_1e-1
    p = p * r * r + r + 1
    let power = SIMD8<Int32>(truncatingIfNeeded: unsafeBitCast(shifted, to: SIMD8<UInt32>.self) &<< 23)
    return unsafeBitCast(unsafeBitCast(p, to: SIMD8<Int32>.self) &+ power, to: Lanes.self)
}

/// eˣ of one number, with the same bits as ``exponential(_:)-(Lanes)``.
@inline(__always) package func exponential(_ input: Float) -> Float {
    exponential(Lanes(repeating: input))[0]
}

/// destination += source
@inline(__always) package func addVector(
    _ destination: UnsafeMutablePointer<Float>, _ source: UnsafePointer<Float>, _ count: Int
) {
    Lanes.each(count) { i in
        destination.store(destination.lanes(i) + source.lanes(i), i)
    } rest: { i in
        destination[i] += source[i]
    }
}

/// Σ aᵢ·bᵢ
@inline(__always) package func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Float {
    var sums = Lanes()
    let rest = Lanes.each(count) { i in
        sums += a.lanes(i) * b.lanes(i)
    }
    var sum = sums.total()
    for i in rest {
        sum += a[i] * b[i]
    }
    return sum
}

/// destination = a ∘ b
@inline(__always) package func hadamard(
    _ destination: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int
) {
    for i in 0..<count { destination[i] = a[i] * b[i] }
}

/// destination += factor · source
@inline(__always) package func axpy(
    _ destination: UnsafeMutablePointer<Float>, _ factor: Float, _ source: UnsafePointer<Float>, _ count: Int
) {
    for i in 0..<count { destination[i] += factor * source[i] }
}

/// destination += a ∘ b
@inline(__always) package func addHadamard(
    _ destination: UnsafeMutablePointer<Float>, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int
) {
    for i in 0..<count { destination[i] += a[i] * b[i] }
}
