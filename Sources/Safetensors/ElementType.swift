// The element types of a safetensors file and the conversion of the floating-point ones to Float.
// Not here: arithmetic in those types; the kernels have their own.

/// What one element of a tensor is, by its name in safetensors.
public enum ElementType: String, Sendable, CaseIterable {
    case float64 = "F64"
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case float8E4M3 = "F8_E4M3"
    case float8E5M2 = "F8_E5M2"
    case int64 = "I64"
    case int32 = "I32"
    case int16 = "I16"
    case int8 = "I8"
    case uint64 = "U64"
    case uint32 = "U32"
    case uint16 = "U16"
    case uint8 = "U8"
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
    public let name: String
    public let type: ElementType
    /// Row-major; empty for a scalar.
    public let shape: [Int]
    /// Bytes within the data section.
    public let range: Range<Int>

    /// Elements, the product of ``shape``.
    public var count: Int { range.count / type.size }
}
