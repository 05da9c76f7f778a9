// Zip archives for the tests of ZipArchive.

/// A zip archive, built by hand so that every field can be wrong.
struct HandmadeZip {
    var entries: [(name: String, data: [UInt8], mode: UInt32)]
    /// Of every entry: bit 0 says that it is encrypted; 0 is stored, 8 deflated.
    var (flags, method): (UInt32, UInt32) = (0, 0)
    /// What every entry declares in place of its own CRC and its own uncompressed size.
    var (declaredCRC, declaredSize): (UInt32?, UInt32?)
    /// All entries of the directory have the data of the first one.
    var sharesData = false
    /// Which volume of several this is.
    var volume: UInt32 = 0

    init(_ entries: [(String, String)], mode: UInt32 = 0o100644) {
        self.entries = entries.map { ($0.0, Array($0.1.utf8), mode) }
    }

    static func crc32(_ data: [UInt8]) -> UInt32 {
        var crc = ~UInt32(0)
        for byte in data {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
        }
        return ~crc
    }

    var bytes: [UInt8] {
        func little(_ values: [(UInt32, Int)]) -> [UInt8] {
            var result: [UInt8] = []
            for (value, size) in values {
                for byte in 0..<size { result.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * byte))) }
            }
            return result
        }
        var body: [UInt8] = []
        var directory: [UInt8] = []
        for entry in entries {
            let (name, size) = (Array(entry.name.utf8), UInt32(entry.data.count))
            let common: [(UInt32, Int)] = [
                (20, 2), (flags, 2), (method, 2), (0, 2), (0x21, 2), (declaredCRC ?? Self.crc32(entry.data), 4),
                (size, 4), (declaredSize ?? size, 4), (UInt32(name.count), 2), (0, 2),
            ]
            let start = sharesData ? 0 : UInt32(body.count)
            directory += little([(0x0201_4B50, 4), (0x0314, 2)] + common)
            directory += little([(0, 2), (0, 2), (0, 2), (entry.mode << 16, 4), (start, 4)]) + name
            if sharesData && !body.isEmpty { continue }
            body += little([(0x0403_4B50, 4)] + common) + name + entry.data
        }
        let count = UInt32(entries.count)
        let (size, start) = (UInt32(directory.count), UInt32(body.count))
        // Where 16 bits don't hold the count: zip64's record of it, and where that is.
        if count >= 0xFFFF {
            directory += little([
                (0x0606_4B50, 4), (44, 4), (0, 4), (45, 2), (45, 2), (0, 4), (0, 4), (count, 4), (0, 4), (count, 4),
                (0, 4),
                (size, 4), (0, 4), (start, 4), (0, 4), (0x0706_4B50, 4), (0, 4), (start + size, 4), (0, 4), (1, 4),
            ])
        }
        let short = min(count, 0xFFFF)
        let end = little([
            (0x0605_4B50, 4), (volume, 2), (volume, 2), (short, 2), (short, 2), (size, 4), (start, 4), (0, 2),
        ])
        return body + directory + end
    }
}
