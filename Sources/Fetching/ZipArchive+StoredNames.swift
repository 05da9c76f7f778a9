// The names in a zip archive's central directory as they are stored. libzip shows a NUL in a name as a space, so that
// "a\0b" would pass for "a b"; this asks the bytes themselves (APPNOTE.TXT 4.3.12–4.3.16).

import Platform

extension ZipArchive {
    /// Whether every name that is stored in the archive is free of NULs. False, too, where the directory isn't found.
    ///
    /// The archive was found sound by libzip; a directory of more than 64 MiB isn't read.
    static func storedNamesAreFreeOfNULs(_ file: InputFile) -> Bool {
        var status = stat()
        guard fstat(file.descriptor, &status) == 0 else { return false }
        let size = Int(status.st_size)
        // The end record has 22 bytes, and a comment of at most 65,535.
        let tailStart = max(0, size - 22 - 65_535)
        let tail = file.bytes(at: tailStart, count: size - tailStart)
        guard tail.count >= 22 else { return false }
        let end = stride(from: tail.count - 22, through: 0, by: -1).first {
            tail[$0...].starts(with: [0x50, 0x4B, 5, 6]) && tail.number(at: $0 + 20, bytes: 2) == tail.count - $0 - 22
        }
        guard let end else { return false }
        var count = tail.number(at: end + 10, bytes: 2)
        var length = tail.number(at: end + 12, bytes: 4)
        var start = tail.number(at: end + 16, bytes: 4)
        if count == 0xFFFF || length == 0xFFFF_FFFF || start == 0xFFFF_FFFF, end >= 20,
            tail[(end - 20)...].starts(with: [0x50, 0x4B, 6, 7])
        {
            let record = file.bytes(at: tail.number(at: end - 12, bytes: 8), count: 56)
            guard record.count == 56, record.starts(with: [0x50, 0x4B, 6, 6]) else { return false }
            (count, length, start) = (
                record.number(at: 32, bytes: 8), record.number(at: 40, bytes: 8), record.number(at: 48, bytes: 8)
            )
        }
        guard (0...64 << 20).contains(length) else { return false }
        let directory = file.bytes(at: start, count: length)
        var position = 0
        for _ in 0..<max(0, count) {
            guard position + 46 <= directory.count, directory[position...].starts(with: [0x50, 0x4B, 1, 2]) else {
                return false
            }
            let nameEnd = position + 46 + directory.number(at: position + 28, bytes: 2)
            guard nameEnd <= directory.count, !directory[(position + 46)..<nameEnd].contains(0) else { return false }
            position =
                nameEnd + directory.number(at: position + 30, bytes: 2) + directory.number(at: position + 32, bytes: 2)
        }
        return true
    }
}

extension [UInt8] {
    /// A little-endian number of at most 8 bytes that are there; −1 where it doesn't fit.
    fileprivate func number(at position: Int, bytes count: Int) -> Int {
        let value = self[position..<position + count].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Int(exactly: value) ?? -1
    }
}
