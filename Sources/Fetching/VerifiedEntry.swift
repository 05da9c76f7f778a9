// An entry is read twice: once to see that it is right, and once by whoever wants it. Both times it is the same file
// that is read, whatever happens to its name.

import Records

/// An entry that was read once to its end: its CRC, its length and its SHA-256 are right.
public struct VerifiedEntry {
    public let entry: ZipArchive.Entry
    public let hash: String
    fileprivate let archive: ZipArchive
    fileprivate let maximumBytes: Int

    /// The entry's name without folders and without its extension.
    public var stem: String {
        let base = entry.name.split(separator: "/").last ?? ""
        let dot = base.lastIndex(of: ".") ?? base.endIndex
        return String(dot == base.startIndex ? base : base[..<dot])
    }

    /// Runs `body` with the entry's bytes from the start.
    public func withSource<Value>(_ body: (ByteSource) throws -> Value) throws -> Value {
        try body(archive.open(entry, maximumBytes: maximumBytes))
    }
}

extension ArchiveFetcher {
    /// Checks the archive and the entry that is wanted, and opens it.
    func verify(_ found: Found) throws(FetchError) -> VerifiedEntry {
        let (hash, _) = try fetching { () throws(StreamError) in
            try sha256(of: found.file.source(named: found.name))
        }
        let differs = expectedHash.map { $0.lowercased() != hash } ?? false
        if differs, !(found.isMirrored && expectedEntryHash != nil) {
            throw .wrongHash(source: found.name, expected: expectedHash ?? "", got: hash)
        }
        let archive = try ZipArchive(found.file, name: found.name)
        let entry = try archive.entry(named: entryName)
        let source = try archive.open(entry, maximumBytes: downloader.maximumBytes)
        let (entryHash, _) = try fetching { () throws(StreamError) in try sha256(of: source) }
        if let expectedEntryHash, expectedEntryHash.lowercased() != entryHash {
            throw .wrongHash(source: "\(found.name)(\(entry.name))", expected: expectedEntryHash, got: entryHash)
        }
        if differs {
            note("\(found.name) is zipped anew (SHA-256 \(hash)), but its entry \(entry.name) is the expected one")
        } else if expectedHash == nil, expectedEntryHash == nil {
            note("\(found.name) is not verified: no --sha256 was given (its SHA-256 is \(hash))")
        }
        return VerifiedEntry(
            entry: entry, hash: entryHash, archive: archive, maximumBytes: downloader.maximumBytes)
    }
}
