// Every way in which a safetensors file can be wrong, one case each, and what to tell its owner.

import Records

/// A safetensors file that isn't one, or that doesn't hold what is asked of it.
public struct SafetensorsError: DiagnosableError, Equatable {
    /// What is wrong.
    public enum Reason: Sendable, Equatable {
        /// Fewer than the 8 bytes that give the header's length.
        case tooShort(Int)
        /// The header is longer than the format's 100,000,000 bytes.
        case headerTooLong(UInt64)
        /// The header ends after the file does.
        case headerBeyondEnd(header: UInt64, file: Int)
        /// The header doesn't start with `{`.
        case headerNotObject
        /// The header isn't JSON, or not of the expected form, at this byte of the file.
        case headerMalformed(at: Int, what: String)
        /// Two tensors, fields or metadata entries of one name.
        case duplicateName(String)
        /// `dtype`, `shape` or `data_offsets` is missing.
        case missingField(tensor: String, field: String)
        /// `dtype` names none of ``ElementType``.
        case unknownType(tensor: String, type: String)
        /// The product of the shape, in bytes, doesn't fit an Int.
        case shapeOverflow(tensor: String)
        /// The shape needs another number of bytes than the offsets span.
        case sizeMismatch(tensor: String, needed: Int, found: Int)
        /// `data_offsets` ends before it starts.
        case reversed(tensor: String)
        /// A tensor's data end after the file does: cut off or never whole.
        case beyondEnd(tensor: String, end: Int, data: Int)
        /// Bytes before a tensor that belong to none.
        case hole(before: String, count: Int)
        /// A tensor starts inside the one before it.
        case overlap(tensor: String)
        /// Bytes after the last tensor.
        case trailingBytes(Int)
        /// A number that isn't finite, at this index.
        case notFinite(tensor: String, index: Int)

        /// The file is sound, but has no tensor of this name.
        case noTensor(String)
        /// The tensor is there, in another shape.
        case wrongShape(tensor: String, expected: [Int], found: [Int])
        /// The tensor is there, with other elements.
        case wrongType(tensor: String, expected: String, found: ElementType)
    }

    /// The file's name.
    public let source: String
    /// What is wrong.
    public let reason: Reason

    /// That `reason` is wrong with the file `source`.
    public init(source: String, reason: Reason) {
        self.source = source
        self.reason = reason
    }

    public var diagnosis: Diagnosis {
        var position: Diagnosis.Position?
        if case .headerMalformed(let byte, _) = reason { position = .byte(byte) }
        return Diagnosis(source: source, position: position, problem: problem, remedy: remedy, status: status)
    }

    private var status: ExitStatus {
        switch reason {
        case .noTensor, .wrongShape, .wrongType: .configuration
        default: .badData
        }
    }

    private var remedy: String {
        switch reason {
        case .tooShort, .headerBeyondEnd, .beyondEnd: "the file is cut off; fetch or write it again"
        case .noTensor, .wrongShape, .wrongType: "use the config.json that belongs to these weights"
        case .notFinite: "these weights are broken; use an earlier version"
        default: "it isn't a sound safetensors file; fetch or write it again"
        }
    }

    /// What is wrong, without a full stop.
    package var problem: String {
        switch reason {
        case .tooShort(let count): "\(count) bytes are too few for safetensors"
        case .headerTooLong(let length): "its header claims \(length) bytes, more than 100000000"
        case .headerBeyondEnd(let header, let file): "its header claims \(header) bytes, the file has \(file)"
        case .headerNotObject: "its header doesn't start with '{'"
        case .headerMalformed(_, let what): "its header is malformed, \(what)"
        case .duplicateName(let name): "'\(name)' is there twice"
        case .missingField(let tensor, let field): "tensor '\(tensor)' has no \(field)"
        case .unknownType(let tensor, let type): "tensor '\(tensor)' has the unknown type '\(type)'"
        case .shapeOverflow(let tensor): "the shape of tensor '\(tensor)' is too large"
        case .sizeMismatch(let tensor, let needed, let found):
            "tensor '\(tensor)' needs \(needed) bytes and has \(found)"
        case .reversed(let tensor): "tensor '\(tensor)' ends before it starts"
        case .beyondEnd(let tensor, let end, let data):
            "tensor '\(tensor)' ends at byte \(end) of the data, which end at \(data)"
        case .hole(let tensor, let count): "\(count) bytes before tensor '\(tensor)' belong to none"
        case .overlap(let tensor): "tensor '\(tensor)' overlaps the one before it"
        case .trailingBytes(let count): "\(count) bytes follow the last tensor"
        case .notFinite(let tensor, let index): "tensor '\(tensor)' has NaN or infinity at index \(index)"
        case .noTensor(let name): "tensor '\(name)' is missing"
        case .wrongShape(let tensor, let expected, let found):
            "tensor '\(tensor)' has the shape \(found), not \(expected)"
        case .wrongType(let tensor, let expected, let found):
            "tensor '\(tensor)' is \(found.rawValue), not \(expected)"
        }
    }
}
