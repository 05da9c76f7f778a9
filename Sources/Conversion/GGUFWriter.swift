// Writes a GGUF file, version 3: keys with values, then the names and shapes of tensors, then their numbers.
// Source: ggml's docs/gguf.md.

import GPT2Kit
import Records

/// Collects keys and tensors, and writes them.
struct GGUFWriter {
    /// A value of a key.
    enum Value {
        case uint32(Int)
        case float32(Float)
        case bool(Bool)
        case string(String)
        case strings([String])
        case int32s([Int32])
    }

    private static let alignment = 32

    private var header: [UInt8] = []
    private var keys = 0
    private var tensors: [(name: String, shape: [Int], tensor: Tensor, precision: StoredPrecision)] = []

    mutating func set(_ key: String, _ value: Value) {
        keys += 1
        append(key)
        switch value {
        case .uint32(let value):
            append(UInt32(4))
            append(UInt32(value))
        case .float32(let value):
            append(UInt32(6))
            append(value.bitPattern)
        case .bool(let value):
            append(UInt32(7))
            header.append(value ? 1 : 0)
        case .string(let value):
            append(UInt32(8))
            append(value)
        case .strings(let values):
            append(UInt32(9))
            append(UInt32(8))
            append(UInt64(values.count))
            for value in values { append(value) }
        case .int32s(let values):
            append(UInt32(9))
            append(UInt32(5))
            append(UInt64(values.count))
            for value in values { append(UInt32(bitPattern: value)) }
        }
    }

    /// Adds a tensor; GGUF names its sizes from the innermost on.
    mutating func add(_ name: String, _ tensor: Tensor, _ precision: StoredPrecision) {
        tensors.append((name, tensor.shape.reversed(), tensor, precision))
    }

    func write(to sink: ByteSink) throws {
        var writer = GGUFWriter()
        writer.header = Array("GGUF".utf8)
        writer.append(UInt32(3))
        writer.append(UInt64(tensors.count))
        writer.append(UInt64(keys))
        writer.header += header
        var offset = 0
        for (name, shape, tensor, precision) in tensors {
            writer.append(name)
            writer.append(UInt32(shape.count))
            for size in shape { writer.append(UInt64(size)) }
            writer.append(UInt32(precision == .float32 ? 0 : 30))
            writer.append(UInt64(offset))
            offset += Self.aligned(tensor.count * (precision == .float32 ? 4 : 2))
        }
        writer.pad()
        try sink.write(writer.header)
        for (_, _, tensor, precision) in tensors {
            var size = 0
            try tensor.write(as: precision) {
                size += $0.count
                try sink.write($0)
            }
            try sink.write([UInt8](repeating: 0, count: Self.aligned(size) - size))
        }
    }

    private static func aligned(_ size: Int) -> Int { (size + alignment - 1) / alignment * alignment }

    private mutating func pad() {
        header += [UInt8](repeating: 0, count: Self.aligned(header.count) - header.count)
    }

    private mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { header += $0 }
    }

    private mutating func append(_ text: String) {
        append(UInt64(text.utf8.count))
        header += text.utf8
    }
}
