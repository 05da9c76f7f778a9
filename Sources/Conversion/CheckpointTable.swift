// The index of a TensorFlow checkpoint (`model.ckpt.index`): a LevelDB table without compression, whose values are protocol
// buffers. Read from untrusted bytes. Sources: LevelDB's doc/table_format.md; tensorflow/core/util/tensor_bundle and
// tensorflow/core/protobuf/tensor_bundle.proto.

import Records
import Safetensors

/// A tensor of a checkpoint.
struct CheckpointEntry: Equatable {
    /// TensorFlow's number of the element type; 1 is float32.
    var type = 0
    var shape: [Int] = []
    /// Which data file.
    var shard = 0
    var offset = 0
    var size = 0
    /// CRC-32C of the bytes, masked; nil where there is none.
    var checksum: UInt32?
}

/// All tensors of a checkpoint by name.
struct CheckpointTable {
    private(set) var entries: [String: CheckpointEntry] = [:]
    private(set) var shards = 1

    init(_ file: MappedFile) throws(ConversionError) {
        let bytes = file.bytes
        // The footer: two block handles in at most 40 bytes, and a number that all tables end with.
        guard bytes.count >= 48,
            bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self) == 0xdb47_7524_8b80_fb57
        else { throw .malformed("this is no index of a checkpoint", at: nil, file: file.name) }
        var footer = ByteReader(bytes, bytes.count - 48..<bytes.count - 8, file.name)
        _ = try footer.handle()
        var end = 0
        for (_, value) in try Self.block(try footer.handle(), file) {
            var reader = ByteReader(bytes, value, file.name)
            let block = try reader.handle()
            // One behind the other, as they are written: none is read twice.
            guard block.lowerBound >= end else {
                throw .malformed(
                    "a block that begins before the end of the one before", at: block.lowerBound, file: file.name)
            }
            end = block.upperBound
            for (name, value) in try Self.block(block, file) {
                var fields = ByteReader(bytes, value, file.name)
                if name.isEmpty {
                    try readHeader(&fields)
                } else {
                    entries[name] = try Self.entry(&fields)
                }
            }
        }
    }

    /// TensorFlow's names of GPT-2's tensors have some 40 bytes.
    private static let longestKey = 1024

    /// The keys of a block with the places of their values.
    private static func block(
        _ range: Range<Int>, _ file: MappedFile
    ) throws(ConversionError) -> [(name: String, value: Range<Int>)] {
        func malformed(_ what: String) -> ConversionError {
            .malformed(what, at: range.lowerBound, file: file.name)
        }
        // Behind the block one byte for its compression and four for its checksum.
        guard range.upperBound <= file.bytes.count - 5, range.count >= 4 else {
            throw malformed("a block ends too early")
        }
        guard file.bytes[range.upperBound] == 0 else { throw malformed("a compressed block") }
        var crc = CRC32(.castagnoli)
        crc.update(UnsafeRawBufferPointer(rebasing: file.bytes[range.lowerBound...range.upperBound]))
        guard crc.isMasked(as: file.bytes.loadUnaligned(fromByteOffset: range.upperBound + 1, as: UInt32.self)) else {
            throw malformed("a block with another checksum than it should have")
        }
        let restarts = Int(file.bytes.loadUnaligned(fromByteOffset: range.upperBound - 4, as: UInt32.self))
        guard restarts <= (range.count - 4) / 4 else { throw malformed("a block with too many restarts") }
        var reader = ByteReader(file.bytes, range.lowerBound..<range.upperBound - 4 - 4 * restarts, file.name)
        var entries: [(String, Range<Int>)] = []
        var key: [UInt8] = []
        while !reader.isAtEnd {
            let (shared, added, size) = (try reader.integer(), try reader.integer(), try reader.integer())
            guard shared <= key.count else { throw malformed("a key that continues none") }
            // A byte of the file that is shared by many keys isn't to become a byte of memory for each.
            guard added <= longestKey, shared + added <= longestKey else { throw malformed("a key of too many bytes") }
            key.removeLast(key.count - shared)
            key += file.bytes[try reader.take(added)]
            entries.append((String(decoding: key, as: UTF8.self), try reader.take(size)))
        }
        return entries
    }

    /// BundleHeaderProto: num_shards is 1, endianness 2.
    private mutating func readHeader(_ fields: inout ByteReader) throws(ConversionError) {
        while let field = try fields.field() {
            switch field {
            case (1, .integer(let value)): shards = value
            case (2, .integer(let value)) where value != 0:
                throw fields.malformed("a checkpoint with the high byte first")
            default: break
            }
        }
    }

    /// BundleEntryProto: dtype is 1, shape 2, shard_id 3, offset 4, size 5, crc32c 6, slices 7.
    private static func entry(_ fields: inout ByteReader) throws(ConversionError) -> CheckpointEntry {
        var entry = CheckpointEntry()
        while let field = try fields.field() {
            switch field {
            case (1, .integer(let value)): entry.type = value
            case (2, .bytes(var shape)):
                // TensorShapeProto: dim is 2, of which size is 1.
                while let field = try shape.field() {
                    guard case (2, .bytes(var dimension)) = field else { continue }
                    var size = 0
                    while let field = try dimension.field() {
                        if case (1, .integer(let value)) = field { size = value }
                    }
                    entry.shape.append(size)
                }
            case (3, .integer(let value)): entry.shard = value
            case (4, .integer(let value)): entry.offset = value
            case (5, .integer(let value)): entry.size = value
            case (6, .fixed(let value)): entry.checksum = value
            case (7, _): throw fields.malformed("a tensor in slices")
            default: break
            }
        }
        return entry
    }
}

extension CRC32 {
    /// Whether `masked` is this checksum as LevelDB stores it: turned by 15 bits, and 0xA282EAD8 added.
    func isMasked(as masked: UInt32) -> Bool { (value >> 15 | value << 17) &+ 0xA282_EAD8 == masked }
}
