// Finds an archive: the file itself, stdin, a mirror, the cache, or the network with its fallbacks, in this order;
// checks what it is; and opens an entry of it.

import Foundation
import Records

/// Gets an archive and one of its entries.
public struct ArchiveFetcher: Sendable {
    /// A path, `-`, or an http(s) address.
    public var reference: String
    public var fallbacks: [String] = []
    /// A folder that is looked into before the network is.
    public var mirror: String?
    /// A folder for downloads, which are kept there.
    public var cache: String?
    /// The archive's SHA-256, 64 hexadecimal digits.
    public var expectedHash: String?
    public var entryName: String?
    public var expectedEntryHash: String?
    public var downloader = Downloader()
    /// Told what a careful user wants on record.
    public var note: @Sendable (String) -> Void = { _ in }

    public init(_ reference: String) {
        self.reference = reference
    }

    /// An entry that was read once to its end: its CRC, its length and its SHA-256 are right.
    public struct VerifiedEntry {
        public let entry: ZipArchive.Entry
        public let hash: String
        fileprivate let archive: ZipArchive
        fileprivate let maximumBytes: Int
        /// Holds the file while it is being read.
        fileprivate let temporary: TemporaryDirectory?

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

    /// Finds, checks and opens.
    public func fetch() throws(FetchError) -> VerifiedEntry {
        let found = try locate()
        let (hash, _) = try fetching { () throws(StreamError) in
            try sha256(of: ByteSource(path: found.path))
        }
        let differs = expectedHash.map { $0.lowercased() != hash } ?? false
        if differs, !(found.isMirrored && expectedEntryHash != nil) {
            throw .wrongHash(source: found.name, expected: expectedHash ?? "", got: hash)
        }
        let archive = try ZipArchive(path: found.path, name: found.name)
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
            entry: entry, hash: entryHash, archive: archive, maximumBytes: downloader.maximumBytes,
            temporary: found.temporary)
    }

    private struct Found {
        var path: String
        var name: String
        var isMirrored = false
        var temporary: TemporaryDirectory?
    }

    private func locate() throws(FetchError) -> Found {
        if reference == "-" {
            let temporary = try fetching { () throws(StreamError) in try TemporaryDirectory() }
            let path = temporary.file("stdin.zip")
            let source = try fetching { () throws(StreamError) in try ByteSource(path: "-") }
            try copy(source, to: path, maximum: downloader.maximumBytes)
            return Found(path: path, name: "stdin", temporary: temporary)
        }
        guard reference.contains("://") else { return Found(path: reference, name: reference) }
        if let mirror, let path = firstFile(in: mirror, names: names(of: reference)) {
            return Found(path: path, name: path, isMirrored: true)
        }
        return try download()
    }

    private func download() throws(FetchError) -> Found {
        let temporary: TemporaryDirectory?
        let path: String
        if let cache {
            try fetching { () throws(StreamError) in try createDirectories(cache) }
            temporary = nil
            path = "\(cache)/\(names(of: reference).last ?? "download")"
            if FileManager.default.fileExists(atPath: path) {
                let hash = try fetching { () throws(StreamError) in try sha256(ofFile: path) }
                if expectedHash == nil || expectedHash?.lowercased() == hash { return Found(path: path, name: path) }
            }
        } else {
            let directory = try fetching { () throws(StreamError) in try TemporaryDirectory() }
            path = directory.file("download.zip")
            _ = directory.file("download.zip.part")
            _ = directory.file("download.zip.part.etag")
            temporary = directory
        }
        var first: FetchError?
        for address in [reference] + fallbacks {
            do throws(FetchError) {
                try downloader.download(address, to: path)
                if let expectedHash {
                    let hash = try fetching { () throws(StreamError) in try sha256(ofFile: path) }
                    if hash != expectedHash.lowercased() {
                        unlink(path)
                        throw FetchError.wrongHash(source: address, expected: expectedHash, got: hash)
                    }
                }
                return Found(path: path, name: redacted(address), temporary: temporary)
            } catch {
                first = first ?? error
            }
        }
        throw first ?? .invalidAddress(reference)
    }
}

/// The name at an address's end, as it is written and with `%2B` and the like decoded. Never a path.
package func names(of address: String) -> [String] {
    let path = address.prefix { $0 != "?" && $0 != "#" }
    let raw = path.split(separator: "/").last.map(String.init) ?? ""
    let decoded = raw.removingPercentEncoding ?? raw
    return [raw, decoded].filter { !$0.isEmpty && !$0.contains("/") && $0 != "." && $0 != ".." }
}

/// The first of these files that is in the folder.
func firstFile(in folder: String, names: [String]) -> String? {
    names.map { "\(folder)/\($0)" }.first { path in
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && !isDirectory.boolValue
    }
}
