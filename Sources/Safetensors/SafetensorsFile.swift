// The tensors of one safetensors file: found by name, read in place or converted to Float.
// Not here: which tensors a model has, and files of several parts (WeightFiles).

import Records

/// A checked safetensors file, mapped or in memory. Pointers into it are valid while it, or a copy of it, lives.
public struct SafetensorsFile: Sendable {
    /// What the file says about itself.
    public let header: SafetensorsHeader
    private let storage: MappedFile
    private let indices: [String: Int]

    /// Maps and checks the file at `path`.
    ///
    /// - Throws: `StreamError` or ``SafetensorsError``.
    public init(path: String) throws {
        try self.init(MappedFile(path: path))
    }

    /// Checks bytes that are in memory already; `name` is what errors call them.
    public init(bytes: [UInt8], name: String) throws(SafetensorsError) {
        try self.init(MappedFile(copying: bytes, name: name))
    }

    /// Checks a file that is mapped already, and keeps it.
    public init(_ file: MappedFile) throws(SafetensorsError) {
        storage = file
        header = try SafetensorsHeader(file.bytes, source: file.name)
        var indices: [String: Int] = [:]
        indices.reserveCapacity(header.tensors.count)
        for (index, tensor) in header.tensors.enumerated() { indices[tensor.name] = index }
        self.indices = indices
    }

    /// The file's name, as errors call it.
    public var source: String { storage.name }
    /// See `MappedFile.stamp`.
    package var stamp: String? { storage.stamp }
    /// The whole file, header included.
    package var fileBytes: UnsafeRawBufferPointer { storage.bytes }
    /// `__metadata__`.
    public var metadata: [String: String] { header.metadata }
    /// In the order of their data.
    public var names: [String] { header.tensors.map(\.name) }

    /// Whether there is a tensor of this name.
    public func contains(_ name: String) -> Bool {
        indices[name] != nil
    }

    /// Where the tensor is, and what its bytes mean.
    public func description(of name: String) throws(SafetensorsError) -> TensorDescription {
        guard let index = indices[name] else { throw error(.noTensor(name)) }
        return header.tensors[index]
    }

    /// The tensor's bytes as they are in the file (little-endian, row-major), at any alignment.
    public func bytes(of name: String) throws(SafetensorsError) -> UnsafeRawBufferPointer {
        bytes(of: try description(of: name))
    }

    /// The bytes of a tensor of ``header``.
    package func bytes(of tensor: TensorDescription) -> UnsafeRawBufferPointer {
        let start = header.dataStart + tensor.range.lowerBound
        return UnsafeRawBufferPointer(rebasing: storage.bytes[start..<start + tensor.range.count])
    }

    /// The tensor's floats in place, without copying; nil where they aren't F32 at a multiple of 4 bytes.
    public func float32(_ name: String, shape: [Int]) throws(SafetensorsError) -> UnsafeBufferPointer<Float>? {
        let tensor = try description(of: name)
        try check(tensor, shape: shape)
        let bytes = bytes(of: tensor)
        guard tensor.type == .float32, Int(bitPattern: bytes.baseAddress) % MemoryLayout<Float>.alignment == 0
        else { return nil }
        return bytes.bindMemory(to: Float.self)
    }

    /// A copy of the tensor as floats, from F32, F16 or BF16.
    public func floats(_ name: String, shape: [Int]) throws(SafetensorsError) -> [Float] {
        let tensor = try description(of: name)
        try check(tensor, shape: shape)
        var values = [Float](repeating: 0, count: tensor.count)
        try values.withUnsafeMutableBufferPointer { (buffer) throws(SafetensorsError) in
            try copyFloats(name, shape: shape, into: buffer)
        }
        return values
    }

    /// Writes the tensor as floats into `buffer`, whose count must be the product of `shape`.
    ///
    /// - Throws: ``SafetensorsError`` where the tensor is missing, has another shape, isn't F32, F16 or BF16,
    ///   or holds NaN or infinity.
    public func copyFloats(
        _ name: String, shape: [Int], into buffer: UnsafeMutableBufferPointer<Float>
    ) throws(SafetensorsError) {
        let tensor = try description(of: name)
        try check(tensor, shape: shape)
        precondition(buffer.count == tensor.count, "the buffer has another size than the shape")
        let bytes = bytes(of: tensor)
        switch tensor.type {
        case .float32:
            UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
        case .float16:
            for index in 0..<buffer.count {
                let bits = bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
                buffer[index] = Float(halfBits: bits)
            }
        case .bfloat16:
            for index in 0..<buffer.count {
                let bits = bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
                buffer[index] = Float(bfloat16Bits: bits)
            }
        default:
            throw error(.wrongType(tensor: name, expected: "F32, F16 or BF16", found: tensor.type))
        }
        if let index = firstNotFinite(UnsafeBufferPointer(buffer)) {
            throw error(.notFinite(tensor: name, index: index))
        }
    }

    /// A copy of a tensor of whole numbers, from exactly the type of `Value` (I8 … U64).
    public func integers<Value: FixedWidthInteger & SendableMetatype>(
        _ name: String, as type: Value.Type, shape: [Int]
    ) throws(SafetensorsError) -> [Value] {
        let tensor = try description(of: name)
        try check(tensor, shape: shape)
        let expected = (Value.isSigned ? "I" : "U") + "\(Value.bitWidth)"
        guard tensor.type.rawValue == expected else {
            throw error(.wrongType(tensor: name, expected: expected, found: tensor.type))
        }
        let bytes = bytes(of: tensor)
        let size = MemoryLayout<Value>.size
        return (0..<tensor.count).map {
            Value(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * size, as: Value.self))
        }
    }

    private func check(_ tensor: TensorDescription, shape: [Int]) throws(SafetensorsError) {
        guard tensor.shape == shape else {
            throw error(.wrongShape(tensor: tensor.name, expected: shape, found: tensor.shape))
        }
    }

    private func error(_ reason: SafetensorsError.Reason) -> SafetensorsError {
        SafetensorsError(source: source, reason: reason)
    }
}

/// The index of the first NaN or infinity.
func firstNotFinite(_ values: UnsafeBufferPointer<Float>) -> Int? {
    // x·0 is 0 for finite x and NaN otherwise; eight sums run side by side in SIMD registers.
    var sums = SIMD16<Float>()
    var index = 0
    while index + 16 <= values.count {
        let lanes = UnsafeRawPointer(values.baseAddress! + index).loadUnaligned(as: SIMD16<Float>.self)
        sums += lanes * 0
        index += 16
    }
    let tailIsFinite = values[index...].allSatisfy(\.isFinite)
    if tailIsFinite, sums.sum().isFinite { return nil }
    return values.firstIndex { !$0.isFinite }
}
