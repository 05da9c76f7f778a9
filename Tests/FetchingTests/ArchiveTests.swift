import Foundation
import Records
import Testing

import Fetching

/// A zip archive with stored entries, built by hand so that every field can be wrong.
struct HandmadeZip {
    var entries: [(name: String, data: [UInt8], mode: UInt32)]

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
                (20, 2), (0, 2), (0, 2), (0, 2), (0x21, 2), (Self.crc32(entry.data), 4), (size, 4), (size, 4),
                (UInt32(name.count), 2), (0, 2),
            ]
            directory += little([(0x0201_4B50, 4), (0x0314, 2)] + common)
            directory += little([(0, 2), (0, 2), (0, 2), (entry.mode << 16, 4), (UInt32(body.count), 4)]) + name
            body += little([(0x0403_4B50, 4)] + common) + name + entry.data
        }
        let count = UInt32(entries.count)
        let end = little([
            (0x0605_4B50, 4), (0, 2), (0, 2), (count, 2), (count, 2), (UInt32(directory.count), 4),
            (UInt32(body.count), 4), (0, 2),
        ])
        return body + directory + end
    }
}

struct ArchiveTests {
    /// Opens the archive, reads the entry to its end, and gives its text.
    private func read(_ bytes: [UInt8], entry: String? = nil, maximum: Int = 1 << 20) throws -> String {
        let directory = try TemporaryDirectory()
        let path = directory.file("a.zip")
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let archive = try ZipArchive(path: path, name: "a.zip")
        let source = try archive.open(archive.entry(named: entry), maximumBytes: maximum)
        return try String(decoding: source.readAll(maximum: maximum), as: UTF8.self)
    }

    private func refused(_ bytes: [UInt8], entry: String? = nil) throws {
        let error = try #require(throws: (any Error).self) { try read(bytes, entry: entry) }
        #expect((error as? any DiagnosableError)?.diagnosis.status == .badData, "\(error)")
    }

    @Test("an entry is found by its name, or because it is the only one")
    func entryByName() throws {
        #expect(try read(HandmadeZip([("dir/", ""), ("dir/a.txt", "hello")]).bytes) == "hello")
        #expect(try read(HandmadeZip([("a b", "1")]).bytes, entry: "a b") == "1")
        let two = HandmadeZip([("a", "1"), ("b", "2")]).bytes
        #expect(try read(two, entry: "b") == "2")
        try refused(two)
        try refused(two, entry: "c")
        #expect(throws: FetchError.self) { try read(two, entry: "b", maximum: 0) }
    }

    @Test("an archive cut at any byte is refused [B30]")
    func cutArchive() throws {
        let bytes = HandmadeZip([("a", "some text"), ("b", "more")]).bytes
        for count in 0..<bytes.count { try refused(Array(bytes[..<count]), entry: "a") }
    }

    @Test("an archive with any byte changed is refused or gives the right text [B31] [B32]")
    func changedByte() throws {
        let bytes = HandmadeZip([("a", "some text")]).bytes
        for index in bytes.indices {
            for change: UInt8 in [1, 0x80, 0xFF] {
                var changed = bytes
                changed[index] ^= change
                let text = try? read(changed)
                #expect(text == nil || text == "some text", "byte \(index) ^ \(change)")
            }
        }
    }

    @Test(
        "names that lead out of the directory are refused [B33]",
        arguments: [
            "../x", "/x", "a/../../x", "..\\x", "C:\\x", "\\x", "a\u{1B}b", "a\0b", "a\0", "\0", "é\0",
            String(repeating: "x", count: 300),
        ])
    func escapingNames(name: String) throws {
        try refused(HandmadeZip([("good", "1"), (name, "2")]).bytes, entry: "good")
    }

    @Test("links and colliding names are refused [B34] [B38]")
    func linksAndCollisions() throws {
        try refused(HandmadeZip([("a", "/etc/passwd")], mode: 0o120777).bytes)
        try refused(HandmadeZip([("a", "1"), ("A", "2")]).bytes, entry: "a")
        try refused(HandmadeZip([("a", "1"), ("a", "2")]).bytes, entry: "a")
    }

    @Test("text that isn't a zip archive is refused")
    func notAnArchive() throws {
        try refused(Array("ham\thello\n".utf8))
        try refused([])
    }
}
