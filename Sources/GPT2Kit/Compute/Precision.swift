// The number types of matrix products in frozen blocks and in scoring. Everything else (LayerNorm, softmax, attention,
// biases, the residual stream, everything that is trained) is Float32.

import COneDNN

/// The number type of a matrix product's operands; sums are kept in 32 bits.
public enum Precision: String, Sendable, CaseIterable {
    /// IEEE 754 single precision.
    case float32 = "f32"
    /// 8 bits of significand. Fast where the CPU has fast instructions for it (AMX; AVX512-BF16 but for Intel's CPUs that are
    /// made for AMX). Elsewhere the operands are rounded too, but multiplied as Float32: the same numbers, no faster.
    case bfloat16 = "bf16"
    /// Weights in 8 bits with a scale for every output, activations in 8 bits (7 on CPUs without VNNI) with a scale and
    /// a zero point for every token.
    case int8

    /// bf16 where that is faster, else f32.
    public static var automatic: Precision { hasBFloat16 ? .bfloat16 : .float32 }

    /// Whether bf16 is faster than f32 here.
    public static var hasBFloat16: Bool { onednn_has_bf16() }
}

/// Brain floating point: the upper half of a Float32, rounded to the nearest, ties to even.
package enum BFloat16 {
    @inline(__always) private static func roundedBits(_ x: Lanes) -> SIMD8<UInt32> {
        let bits = unsafeBitCast(x, to: SIMD8<UInt32>.self)
        return bits &+ 0x7FFF &+ ((bits &>> 16) & 1)
    }

    /// output [count] = input rounded, as bf16.
    package static func convert(_ output: UnsafeMutableRawPointer, _ input: UnsafePointer<Float>, count: Int) {
        let halves = output.assumingMemoryBound(to: UInt16.self)
        // Not `Lanes.each`, which isn't inlined around these casts (2 % of the time of scoring).
        let whole = count / 8 * 8
        for i in stride(from: 0, to: whole, by: 8) {
            let upper = SIMD8<UInt16>(truncatingIfNeeded: roundedBits(input.lanes(i)) &>> 16)
            UnsafeMutableRawPointer(halves + i).storeBytes(of: upper, as: SIMD8<UInt16>.self)
        }
        for i in whole..<count {
            halves[i] = UInt16(truncatingIfNeeded: roundedBits(Lanes(repeating: input[i]))[0] >> 16)
        }
    }

    /// output [count] = input rounded, as Float32; output and input may be the same.
    package static func round(_ output: UnsafeMutablePointer<Float>, _ input: UnsafePointer<Float>, count: Int) {
        let whole = count / 8 * 8
        for i in stride(from: 0, to: whole, by: 8) {
            output.store(unsafeBitCast(roundedBits(input.lanes(i)) & 0xFFFF_0000, to: Lanes.self), i)
        }
        for i in whole..<count {
            output[i] = Float(bitPattern: roundedBits(Lanes(repeating: input[i]))[0] & 0xFFFF_0000)
        }
    }
}
