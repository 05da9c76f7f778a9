// The header of a safetensors file: parsed from untrusted bytes, every rule of the format checked.
// Source: the format section of huggingface/safetensors' README and its `safetensors/src/tensor.rs`.
// Not here: the tensors' values (SafetensorsFile).

import Records

/// What a safetensors file says about itself.
public struct SafetensorsHeader: Sendable {
    /// In the order of their data.
    public let tensors: [TensorDescription]
    /// `__metadata__`.
    public let metadata: [String: String]
    /// Where the data section starts in the file: 8 + the header's length.
    public let dataStart: Int
    /// Bytes of the data section.
    public let dataSize: Int

    /// The longest header that the format allows, in bytes.
    public static let longest: UInt64 = 100_000_000

    /// The file's length, or the end of the blob within a stream.
    public var fileSize: Int { dataStart + dataSize }

    /// Parses the header of `bytes`, a whole file.
    ///
    /// - Complexity: O(h + n log n) for a header of h bytes with n tensors.
    public init(_ bytes: UnsafeRawBufferPointer, source: String) throws(SafetensorsError) {
        let length = try Self.length(bytes, source: source)
        guard length <= bytes.count - 8 else {
            throw SafetensorsError(
                source: source, reason: .headerBeyondEnd(header: UInt64(length), file: bytes.count))
        }
        let header = UnsafeRawBufferPointer(rebasing: bytes[8..<8 + length])
        try self.init(header: header, dataSize: bytes.count - 8 - length, source: source)
    }

    /// Parses the header alone, for streams.
    ///
    /// - Parameters:
    ///   - header: the bytes between the length and the data section.
    ///   - dataSize: the bytes of the data section; nil where they are as many as the tensors need.
    ///   - source: the stream's name, for errors.
    public init(header: UnsafeRawBufferPointer, dataSize: Int?, source: String) throws(SafetensorsError) {
        var parser = HeaderParser(header, source: source)
        try parser.parse()
        let end = try parser.checkLayout(dataSize: dataSize)
        tensors = parser.tensors
        metadata = parser.metadata
        dataStart = 8 + header.count
        self.dataSize = end
    }

    /// The header's length, from the first 8 bytes of a file (u64, little-endian).
    public static func length(_ bytes: UnsafeRawBufferPointer, source: String) throws(SafetensorsError) -> Int {
        guard bytes.count >= 8 else {
            throw SafetensorsError(source: source, reason: .tooShort(bytes.count))
        }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= longest else {
            throw SafetensorsError(source: source, reason: .headerTooLong(length))
        }
        return Int(length)
    }
}

/// The state of reading one header.
private struct HeaderParser {
    var tensors: [TensorDescription] = []
    var metadata: [String: String] = [:]
    private var names: Set<String> = []
    private var reader: JSONPullReader
    private let source: String
    private let startsAsObject: Bool

    init(_ header: UnsafeRawBufferPointer, source: String) {
        reader = JSONPullReader(header)
        self.source = source
        startsAsObject = header.first == UInt8(ascii: "{")
    }

    mutating func parse() throws(SafetensorsError) {
        guard startsAsObject else { throw error(.headerNotObject) }
        try read { (s) throws(JSONProblem) in try s.expect("{") }
        var isFirst = true
        while let name = try read({ (s) throws(JSONProblem) in try s.nextName(isFirst: &isFirst) }) {
            guard names.insert(name).inserted else { throw error(.duplicateName(name)) }
            if name == "__metadata__" { try parseMetadata() } else { try parseTensor(name) }
        }
        try read { (s) throws(JSONProblem) in try s.expectEnd() }
    }

    /// Sorts the tensors by their data, which must follow each other from 0 to the end. Returns that end.
    mutating func checkLayout(dataSize: Int?) throws(SafetensorsError) -> Int {
        tensors.sort { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
        var end = 0
        for tensor in tensors {
            if let dataSize, tensor.range.upperBound > dataSize {
                throw error(.beyondEnd(tensor: tensor.name, end: tensor.range.upperBound, data: dataSize))
            }
            guard tensor.range.lowerBound >= end else { throw error(.overlap(tensor: tensor.name)) }
            guard tensor.range.lowerBound == end else {
                throw error(.hole(before: tensor.name, count: tensor.range.lowerBound - end))
            }
            end = tensor.range.upperBound
        }
        if let dataSize, dataSize != end { throw error(.trailingBytes(dataSize - end)) }
        return end
    }

    private mutating func parseMetadata() throws(SafetensorsError) {
        try read { (s) throws(JSONProblem) in try s.expect("{") }
        var isFirst = true
        while let name = try read({ (s) throws(JSONProblem) in try s.nextName(isFirst: &isFirst) }) {
            let value = try read { (s) throws(JSONProblem) in try s.string() }
            guard metadata.updateValue(value, forKey: name) == nil else { throw error(.duplicateName(name)) }
        }
    }

    private mutating func parseTensor(_ name: String) throws(SafetensorsError) {
        var type: ElementType?
        var shape: [Int]?
        var offsets: [Int]?
        try read { (s) throws(JSONProblem) in try s.expect("{") }
        var isFirst = true
        while let field = try read({ (s) throws(JSONProblem) in try s.nextName(isFirst: &isFirst) }) {
            switch field {
            case "dtype":
                guard type == nil else { throw error(.duplicateName("\(name).dtype")) }
                let word = try read { (s) throws(JSONProblem) in try s.string() }
                type = ElementType(rawValue: word)
                if type == nil { throw error(.unknownType(tensor: name, type: word)) }
            case "shape":
                guard shape == nil else { throw error(.duplicateName("\(name).shape")) }
                shape = try counts()
            case "data_offsets":
                guard offsets == nil else { throw error(.duplicateName("\(name).data_offsets")) }
                offsets = try counts()
                guard offsets?.count == 2 else {
                    throw error(
                        .headerMalformed(at: 8 + reader.position, what: "data_offsets of '\(name)' aren't two"))
                }
            default:
                // The reference reader ignores fields that it doesn't know.
                try read { (s) throws(JSONProblem) in try s.skipValue() }
            }
        }
        guard let type else { throw error(.missingField(tensor: name, field: "dtype")) }
        guard let shape else { throw error(.missingField(tensor: name, field: "shape")) }
        guard let offsets else { throw error(.missingField(tensor: name, field: "data_offsets")) }

        guard let size = byteCount(type, shape) else { throw error(.shapeOverflow(tensor: name)) }
        guard offsets[0] <= offsets[1] else { throw error(.reversed(tensor: name)) }
        let range = offsets[0]..<offsets[1]
        guard range.count == size else {
            throw error(.sizeMismatch(tensor: name, needed: size, found: range.count))
        }
        tensors.append(TensorDescription(name: name, type: type, shape: shape, range: range))
    }

    private mutating func counts() throws(SafetensorsError) -> [Int] {
        try read { (s) throws(JSONProblem) in
            try s.expect("[")
            var isFirst = true
            var values: [Int] = []
            while try s.nextElement(isFirst: &isFirst) { values.append(try s.count()) }
            return values
        }
    }

    private mutating func read<Value>(
        _ body: (inout JSONPullReader) throws(JSONProblem) -> Value
    ) throws(SafetensorsError) -> Value {
        do {
            return try body(&reader)
        } catch {
            throw self.error(.headerMalformed(at: 8 + error.at, what: error.what))
        }
    }

    private func error(_ reason: SafetensorsError.Reason) -> SafetensorsError {
        SafetensorsError(source: source, reason: reason)
    }
}

/// Bytes of a tensor, or nil where they don't fit an Int.
func byteCount(_ type: ElementType, _ shape: [Int]) -> Int? {
    var size = type.size
    for extent in shape {
        let (product, overflow) = size.multipliedReportingOverflow(by: extent)
        guard !overflow else { return nil }
        size = product
    }
    return size
}
