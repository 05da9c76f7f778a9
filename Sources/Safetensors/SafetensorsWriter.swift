// Writes a safetensors file: header first, then the tensors in the order in which they were added.
// The data section starts at a multiple of 64 bytes, so that a mapped file can be computed on in place.
// Not here: the choice of tensors and names.

import Records

/// Collects tensors, then writes them in one pass to any sink or, atomically, to a file.
public struct SafetensorsWriter {
    /// Takes the next bytes of the file.
    public typealias Sink = (UnsafeRawBufferPointer) throws -> Void

    /// `__metadata__`, written in the order of its keys' bytes.
    public var metadata: [String: String]
    private var tensors: [(description: TensorDescription, write: (Sink) throws -> Void)] = []
    private var names: Set<String> = ["__metadata__"]
    private var dataSize = 0

    /// Begins a file without tensors.
    public init(metadata: [String: String] = [:]) {
        self.metadata = metadata
    }

    /// Adds an F32 tensor. The array is shared, not copied.
    public mutating func add(_ name: String, floats: [Float], shape: [Int]) {
        add(name, type: .float32, shape: shape, values: floats)
    }

    /// Adds a tensor whose elements are `values`, of the size of `type`. The array is shared, not copied.
    public mutating func add<Value: BitwiseCopyable>(
        _ name: String, type: ElementType, shape: [Int], values: [Value]
    ) {
        precondition(
            byteCount(type, shape) == values.count * MemoryLayout<Value>.stride, "shape and values disagree")
        add(name, type: type, shape: shape) { sink in try values.withUnsafeBytes { try sink($0) } }
    }

    /// Adds a tensor whose bytes `write` gives to the sink when the file is written: little-endian, row-major,
    /// as many as type and shape say, in any number of calls.
    public mutating func add(
        _ name: String, type: ElementType, shape: [Int], write: @escaping (Sink) throws -> Void
    ) {
        precondition(names.insert(name).inserted, "\(name) is taken")
        guard let size = byteCount(type, shape), dataSize.addingReportingOverflow(size).overflow == false else {
            preconditionFailure("shape too large")
        }
        let description = TensorDescription(name: name, type: type, shape: shape, range: dataSize..<dataSize + size)
        dataSize += size
        tensors.append((description, write))
    }

    /// Writes the file.
    ///
    /// - Throws: what `sink` throws, and nothing else.
    public func write(to sink: Sink) throws {
        try header().withUnsafeBytes { try sink($0) }
        for tensor in tensors {
            var count = 0
            try tensor.write { bytes in
                count += bytes.count
                try sink(bytes)
            }
            precondition(count == tensor.description.range.count, "\(tensor.description.name): wrong number of bytes")
        }
    }

    /// Writes the file so that `path` is the old file or the complete new one, whatever happens.
    ///
    /// - Throws: `StreamError`, or what a tensor's `write` throws.
    public func write(path: String) throws {
        let file = try AtomicFile(path: path)
        try write { try file.sink.write($0) }
        try file.commit()
    }

    /// Length, JSON, and the spaces that pad both to a multiple of 64 bytes.
    private func header() -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        if !metadata.isEmpty {
            writer.key("__metadata__")
            writer.beginObject()
            for (key, value) in metadata.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
                writer.key(key)
                writer.string(value)
            }
            writer.endObject()
        }
        for (tensor, _) in tensors {
            writer.key(tensor.name)
            writer.beginObject()
            writer.key("dtype")
            writer.string(tensor.type.rawValue)
            for (key, values) in [
                ("shape", tensor.shape), ("data_offsets", [tensor.range.lowerBound, tensor.range.upperBound]),
            ] {
                writer.key(key)
                writer.beginArray()
                for value in values { writer.number(value) }
                writer.endArray()
            }
            writer.endObject()
        }
        writer.endObject()
        var json = writer.bytes
        json.append(contentsOf: repeatElement(0x20, count: (64 - (8 + json.count) % 64) % 64))
        return withUnsafeBytes(of: UInt64(json.count).littleEndian, Array.init) + json
    }
}
