// The CRC-32 of zlib, PNG and gzip (polynomial 0xEDB88320, reflected) and Castagnoli's (0x82F63B78), eight bytes at a time.
// Source: Kounavis and Berry, "A Systematic Approach to Building High Performance Software-Based CRC Generators".
// Not here: protection against anyone who wants to deceive; that is what SHA-256 is for.

/// A running checksum.
public struct CRC32: Sendable {
    /// Which of the codes it is.
    public enum Polynomial: Sendable {
        /// That of zlib.
        case zlib
        /// Castagnoli's, CRC-32C, as LevelDB's tables and TensorFlow's checkpoints have it.
        case castagnoli
    }

    private var state: UInt32 = .max
    private let tables: [UInt32]

    /// The checksum of nothing yet.
    public init(_ polynomial: Polynomial = .zlib) {
        tables = polynomial == .zlib ? Self.zlib : Self.castagnoli
    }

    /// The checksum of everything so far.
    public var value: UInt32 { ~state }

    /// ``value`` as 8 lower-case hexadecimal digits.
    public var hexadecimal: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// Appends `bytes` to what is summed.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var crc = state
        var index = 0
        tables.withUnsafeBufferPointer { table in
            while index + 8 <= bytes.count {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                let low = UInt32(truncatingIfNeeded: word) ^ crc
                let high = UInt32(truncatingIfNeeded: word >> 32)
                crc = table[7 << 8 | Int(low & 0xFF)] ^ table[6 << 8 | Int(low >> 8 & 0xFF)]
                crc ^= table[5 << 8 | Int(low >> 16 & 0xFF)] ^ table[4 << 8 | Int(low >> 24)]
                crc ^= table[3 << 8 | Int(high & 0xFF)] ^ table[2 << 8 | Int(high >> 8 & 0xFF)]
                crc ^= table[1 << 8 | Int(high >> 16 & 0xFF)] ^ table[Int(high >> 24)]
                index += 8
            }
            while index < bytes.count {
                crc = table[Int((crc ^ UInt32(bytes[index])) & 0xFF)] ^ crc >> 8
                index += 1
            }
        }
        state = crc
    }

    /// Eight tables of 256: the effect of a byte that is followed by 0 … 7 others.
    private static func tables(_ polynomial: UInt32) -> [UInt32] {
        var tables = [UInt32](repeating: 0, count: 8 << 8)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ polynomial : crc >> 1 }
            tables[byte] = crc
        }
        for index in 256..<tables.count {
            let previous = tables[index - 256]
            tables[index] = tables[Int(previous & 0xFF)] ^ previous >> 8
        }
        return tables
    }

    private static let zlib = tables(0xEDB8_8320)
    private static let castagnoli = tables(0x82F6_3B78)
}

extension CRC32 {
    /// The checksum, as 8 digits, of all entries of a safetensors file's metadata but `metadata_crc32` itself, as `key=value`
    /// and a line feed, in the order of the keys' bytes. Where the data's checksum is one of them, no bit of the file can
    /// change unseen.
    package static func hexadecimal(ofMetadata metadata: [String: String]) -> String {
        var crc = CRC32()
        for (key, value) in metadata.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) })
        where key != "metadata_crc32" {
            Array("\(key)=\(value)\n".utf8).withUnsafeBytes { crc.update($0) }
        }
        return crc.hexadecimal
    }
}
