import Foundation
import Records
import TestSupport
import Testing

import Fetching

struct ArchiveTests {
    /// Opens the archive, reads the entry to its end, and gives its text.
    private func read(_ bytes: [UInt8], entry: String? = nil, maximum: Int = 1 << 20) throws -> String {
        let folder = try Folder()
        try folder.write("a.zip", Data(bytes))
        let archive = try ZipArchive(path: folder.path + "/a.zip", name: "a.zip")
        let source = try archive.open(archive.entry(named: entry), maximumBytes: maximum)
        return try String(decoding: source.readAll(maximum: maximum), as: UTF8.self)
    }

    private func refused(_ bytes: [UInt8], entry: String? = nil, because words: String = "") throws {
        let error = try #require(throws: (any Error).self) { try read(bytes, entry: entry) }
        #expect((error as? any DiagnosableError)?.diagnosis.status == .badData, "\(error)")
        #expect(words.isEmpty || "\(error)".contains(words), "\(error)")
    }

    /// Deflate's format without compression: blocks that are stored.
    private func deflated(_ bytes: [UInt8]) -> [UInt8] {
        stride(from: 0, to: bytes.count, by: 0xFFFF).flatMap { start -> [UInt8] in
            let block = bytes[start..<min(start + 0xFFFF, bytes.count)]
            let size = UInt16(block.count)
            let sizes = [size, ~size].flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
            return [block.endIndex == bytes.count ? 1 : 0] + sizes + block
        }
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

    @Test("an entry beyond the limit is refused before it is unpacked [B35]")
    func largeEntry() throws {
        var zip = HandmadeZip([("a", "small")])
        zip.declaredSize = 0xFFFF_FF00
        zip.method = 8
        let error = try #require(throws: FetchError.self) { try read(zip.bytes) }
        #expect(error == .tooLarge(source: "a.zip", maximum: 1 << 20) && error.diagnosis.status == .badData)
    }

    @Test("too many entries, and entries that share their data, are refused [B36]")
    func sharedData() throws {
        try refused(
            HandmadeZip((0...ZipArchive.maximumEntries).map { ("\($0)", "") }).bytes, entry: "7",
            because: "more than 100000 entries")
        var zip = HandmadeZip([("a", "some text"), ("b", "some text")])
        zip.sharesData = true
        try refused(zip.bytes, entry: "a", because: "inconsistent")
    }

    @Test("an entry that unpacks to another size than it declares is refused [B37]", arguments: [10, 99_999, 100_001])
    func wrongSize(declared: UInt32) throws {
        let text = [UInt8](repeating: 0x78, count: 100_000)
        var zip = HandmadeZip([("a", "")])
        zip.entries[0].data = deflated(text)
        (zip.method, zip.declaredCRC, zip.declaredSize) = (8, HandmadeZip.crc32(text), 100_000)
        #expect(try read(zip.bytes).utf8.count == 100_000)
        zip.declaredSize = declared
        try refused(zip.bytes, because: "isn't as long")
    }

    @Test("encrypted entries, unknown compression and archives in several volumes are refused [B39]")
    func unsupportedKinds() throws {
        let sound = HandmadeZip([("a", "some text")])
        func refused(because words: String, _ change: (inout HandmadeZip) -> Void) throws {
            var zip = sound
            change(&zip)
            try self.refused(zip.bytes, because: words)
        }
        try refused(because: "an encrypted entry") { $0.flags = 1 }
        try refused(because: "method not supported") { $0.method = 77 }
        try refused(because: "Multi-disk") { $0.volume = 1 }
    }

    @Test("a set-uid entry is read as any other, and a device is refused [B40]")
    func modes() throws {
        #expect(try read(HandmadeZip([("a", "text")], mode: 0o104755).bytes) == "text")
        try refused(HandmadeZip([("a", "text")], mode: 0o020666).bytes, because: "a link or device")
        try refused(HandmadeZip([("a", "text")], mode: 0o010644).bytes, because: "a link or device")
    }

    @Test("text that isn't a zip archive is refused")
    func notAnArchive() throws {
        try refused(Array("ham\thello\n".utf8))
        try refused([])
    }
}
