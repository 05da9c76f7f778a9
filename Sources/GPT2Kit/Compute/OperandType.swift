// The number type of the operands of matrix products in training. Sums, and what is stored of them, are Float32.

import COneDNN

/// How the operands of a product are stored.
package enum OperandType: Sendable {
    /// As they are.
    case float32
    /// In 16 bits.
    case bfloat16
    /// Rounded to bf16, and stored as Float32: for CPUs that don't multiply bf16. The same numbers, no faster.
    case rounded

    /// The type for a precision. 8-bit integers are for inference alone: training takes Float32 instead.
    package init(_ precision: Precision) {
        self =
            switch precision {
            case .float32, .int8: .float32
            case .bfloat16: Precision.hasBFloat16 ? .bfloat16 : .rounded
            }
    }

    /// Bytes of a number.
    package var bytes: Int { self == .bfloat16 ? 2 : 4 }

    /// oneDNN's name.
    var oneDNN: onednn_type { self == .bfloat16 ? ONEDNN_BF16 : ONEDNN_F32 }

    /// Floats of memory that `count` numbers take.
    package func floats(_ count: Int) -> Int { (count * bytes + 3) / 4 }

    /// output [count] = input, converted; output and input may be the same where the type isn't bf16.
    @inline(__always)
    package func convert(_ output: UnsafeMutableRawPointer, _ input: UnsafePointer<Float>, count: Int) {
        switch self {
        case .float32: output.copyMemory(from: input, byteCount: 4 * count)
        case .bfloat16: BFloat16.convert(output, input, count: count)
        case .rounded: BFloat16.round(output.assumingMemoryBound(to: Float.self), input, count: count)
        }
    }
}
