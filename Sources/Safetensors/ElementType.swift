// The element types of a safetensors file and the conversion of the floating-point ones to Float.
// Not here: arithmetic in those types; the kernels have their own.

/// What one element of a tensor is, by its name in safetensors.
public enum ElementType: String, Sendable, CaseIterable {
    /// IEEE 754 binary64.
    case float64 = "F64"
    /// IEEE 754 binary32.
    case float32 = "F32"
    /// IEEE 754 binary16.
    case float16 = "F16"
    /// The upper half of a binary32.
    case bfloat16 = "BF16"
    /// Four bits of exponent, three of fraction; no infinity.
    case float8E4M3 = "F8_E4M3"
    /// Five bits of exponent, two of fraction.
    case float8E5M2 = "F8_E5M2"
    /// Signed, 64 bits.
    case int64 = "I64"
    /// Signed, 32 bits.
    case int32 = "I32"
    /// Signed, 16 bits.
    case int16 = "I16"
    /// Signed, 8 bits.
    case int8 = "I8"
    /// Unsigned, 64 bits.
    case uint64 = "U64"
    /// Unsigned, 32 bits.
    case uint32 = "U32"
    /// Unsigned, 16 bits.
    case uint16 = "U16"
    /// Unsigned, 8 bits.
    case uint8 = "U8"
    /// One byte, 0 or 1.
    case bool = "BOOL"

    /// Bytes of one element.
    public var size: Int {
        switch self {
        case .float64, .int64, .uint64: 8
        case .float32, .int32, .uint32: 4
        case .float16, .bfloat16, .int16, .uint16: 2
        case .float8E4M3, .float8E5M2, .int8, .uint8, .bool: 1
        }
    }
}

extension Float {
    /// The value of IEEE 754 binary16 bits, exactly. (`Float16` doesn't exist on Intel Macs.)
    @inlinable
    public init(halfBits bits: UInt16) {
        let sign = UInt32(bits & 0x8000) << 16
        let magnitude = UInt32(bits & 0x7FFF)
        if magnitude >= 0x7C00 {  // infinity, NaN
            self.init(bitPattern: sign | 0x7F80_0000 | (magnitude & 0x03FF) << 13)
        } else if magnitude >= 0x0400 {  // normal: the exponent's bias goes from 15 to 127
            self.init(bitPattern: sign | (magnitude << 13) &+ (112 << 23))
        } else {  // zero, subnormal: magnitude · 2⁻²⁴
            let value = Float(magnitude) * 0x1p-24
            self = sign == 0 ? value : -value
        }
    }

    /// The value of bfloat16 bits, exactly.
    @inlinable
    public init(bfloat16Bits bits: UInt16) {
        self.init(bitPattern: UInt32(bits) << 16)
    }
}

/// One tensor of a file: where its bytes are and what they mean.
public struct TensorDescription: Sendable, Equatable {
    /// Unique within the file.
    public let name: String
    /// What each element is.
    public let type: ElementType
    /// Row-major; empty for a scalar.
    public let shape: [Int]
    /// Bytes within the data section.
    public let range: Range<Int>

    /// Elements, the product of ``shape``.
    public var count: Int { range.count / type.size }
}
