// A table is read twice: once to see that it is right, and once by whoever wants it. Both times it is the same file that
// is read, whatever happens to its name.

import Hashing
import Platform
import Records

/// An archive's entry, or a plain file, that was read once to its end: its SHA-256 is right, and an entry's CRC and length.
public struct VerifiedTable {
    /// The entry's name, or the file's.
    public let name: String
    fileprivate let content: Content
    /// Where a download is kept that nothing but its format speaks for.
    fileprivate let unproved: String?

    fileprivate enum Content {
        case entry(ZipArchive.Entry, of: ZipArchive, maximumBytes: Int)
        case file(InputFile, name: String)
    }

    /// The name without folders and without its extension.
    public var stem: String {
        let base = name.split(separator: "/").last ?? ""
        let dot = base.lastIndex(of: ".") ?? base.endIndex
        return String(dot == base.startIndex ? base : base[..<dot])
    }

    /// Runs `body` with the table's bytes from the start. A download that it finds wrong isn't kept, unless its hash was
    /// known.
    ///
    /// - Throws: ``FetchError`` where an entry can't be opened, and what `body` throws.
    public func withSource<Value>(_ body: (ByteSource) throws -> Value) throws -> Value {
        do {
            switch content {
            case .entry(let entry, let archive, let maximumBytes):
                return try body(archive.open(entry, maximumBytes: maximumBytes))
            case .file(let file, let name): return try body(file.source(named: name))
            }
        } catch {
            if let unproved, (error as? any DiagnosableError)?.diagnosis.status == .badData { unlink(unproved) }
            throw error
        }
    }
}

extension ArchiveFetcher {
    /// Checks what was found: an archive and the entry that is wanted, or a file that is the table itself.
    func verify(_ found: Found) throws(FetchError) -> VerifiedTable {
        let hash = try fetching { () throws(StreamError) in
            try SHA256.hexadecimal(of: found.file.source(named: found.name))
        }
        let differs = expectedHash.map { $0.lowercased() != hash } ?? false
        let start = found.file.bytes(at: 0, count: 512)
        if found.isDownload, differs || expectedHash == nil, isPage(start) { throw .page(source: found.name) }
        if differs, !(found.isMirrored && expectedEntryHash != nil) {
            throw .wrongHash(source: found.name, expected: expectedHash ?? "", got: hash)
        }
        let isArchive = start.starts(with: [0x50, 0x4B, 3, 4]) || start.starts(with: [0x50, 0x4B, 5, 6])
        let table =
            isArchive
            ? try verifyEntry(of: found)
            : try verifyFile(found, hash: hash)
        if differs {
            note("\(found.name) is zipped anew (SHA-256 \(hash)), but its entry \(table.name) is the expected one")
        } else if expectedHash == nil, expectedEntryHash == nil, isArchive || found.isDownload {
            note("\(found.name) is not verified, because no SHA-256 was given (it is \(hash))")
        }
        return table
    }

    private func verifyEntry(of found: Found) throws(FetchError) -> VerifiedTable {
        let archive = try ZipArchive(found.file, name: found.name)
        let entry = try archive.entry(named: entryName)
        let source = try archive.open(entry, maximumBytes: downloader.maximumBytes)
        let hash = try fetching { () throws(StreamError) in try SHA256.hexadecimal(of: source) }
        try requireEntryHash(hash, of: "\(found.name)(\(entry.name))")
        return VerifiedTable(
            name: entry.name, content: .entry(entry, of: archive, maximumBytes: downloader.maximumBytes), unproved: nil)
    }

    private func verifyFile(_ found: Found, hash: String) throws(FetchError) -> VerifiedTable {
        if let entryName { throw .notAnArchive(source: found.name, entry: entryName) }
        try requireEntryHash(hash, of: found.name)
        let isProved = expectedHash != nil || expectedEntryHash != nil
        return VerifiedTable(
            name: found.fileName, content: .file(found.file, name: found.name),
            unproved: isProved ? nil : found.kept)
    }

    private func requireEntryHash(_ hash: String, of name: String) throws(FetchError) {
        if let expectedEntryHash, expectedEntryHash.lowercased() != hash {
            throw .wrongHash(source: name, expected: expectedEntryHash, got: hash)
        }
    }

    /// Whether a file begins as an HTML page does: servers that want a login, or don't find a file, send such ones as if
    /// all was well.
    private func isPage(_ start: [UInt8]) -> Bool {
        let isMarked = start.starts(with: [0xEF, 0xBB, 0xBF])
        let text = String(decoding: start.dropFirst(isMarked ? 3 : 0), as: UTF8.self)
            .drop { $0.isWhitespace }.lowercased()
        return text.hasPrefix("<!doctype html") || text.hasPrefix("<html")
    }
}
