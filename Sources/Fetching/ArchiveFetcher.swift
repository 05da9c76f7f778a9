// Finds an archive, or a table as it is: the file itself, stdin, a mirror, the cache, or the network with its fallbacks,
// in this order; checks what it is; and opens it, or an entry of it.

import Foundation
import Records

/// Gets an archive's entry, or a table that isn't in an archive.
public struct ArchiveFetcher: Sendable {
    /// A path, `-`, or an http(s) address.
    public var reference: String
    /// Addresses that are asked, in order, where ``reference`` can't be had.
    public var fallbacks: [String] = []
    /// A folder that is looked into before the network is.
    public var mirror: String?
    /// A folder for downloads, which are kept there, each under its address. Several processes may share it.
    public var cache: String?
    /// The SHA-256 of the archive or the plain file, 64 hexadecimal digits.
    public var expectedHash: String?
    /// The archive's entry that is wanted; nil: the only one.
    public var entryName: String?
    /// The SHA-256 of the entry, or of a table that isn't in an archive, 64 hexadecimal digits.
    public var expectedEntryHash: String?
    /// How, and how much at most, is downloaded.
    public var downloader = Downloader()
    /// Told what a careful user wants on record.
    public var note: @Sendable (String) -> Void = { _ in }

    /// Fetches from `reference`: a path, `-`, or an http(s) address.
    public init(_ reference: String) {
        self.reference = reference
    }

    /// A file that was found, not yet checked.
    struct Found {
        var file: InputFile
        /// What errors call it.
        var name: String
        /// The path or the address that it was asked for by.
        var reference: String
        var isMirrored = false
        var isDownload = false
        /// Where it is kept, or will be.
        var kept: String?

        /// The last part of what it was asked for by.
        var fileName: String {
            if reference == "-" { return "stdin" }
            return reference.contains("://")
                ? WebAddress.fileNames(of: reference).last ?? "download"
                : String(reference.split(separator: "/").last ?? "")
        }
    }

    /// Finds, checks and opens.
    public func fetch() throws(FetchError) -> VerifiedTable {
        guard reference.contains("://") else {
            let file = try InputFile.open(path: reference, maximum: downloader.maximumBytes)
            return try verify(Found(file: file, name: reference == "-" ? "stdin" : reference, reference: reference))
        }
        if let mirror, let path = firstRegularFile(in: mirror, named: WebAddress.fileNames(of: reference)) {
            let file = try InputFile.open(path: path, maximum: downloader.maximumBytes)
            return try verify(Found(file: file, name: path, reference: reference, isMirrored: true))
        }
        let kept = cache.map { DownloadCache(directory: $0, note: note) }
        if let kept {
            try kept.create()
            // Before any network is asked, so that a fallback that was needed once isn't waited for again.
            for address in [reference] + fallbacks {
                if let found = kept.find(address), let verified = try? verify(found) { return verified }
            }
        }
        var first: FetchError?
        for address in [reference] + fallbacks {
            do throws(FetchError) {
                if let kept { return try download(address, into: kept) }
                return try download(address)
            } catch {
                first = first ?? error
            }
        }
        throw first ?? .invalidAddress(reference)
    }

    private func download(_ address: String) throws(FetchError) -> VerifiedTable {
        let file = try fetching { () throws(StreamError) in try InputFile.unnamed() }
        try downloader.download(address, to: .unnamed(file))
        return try verify(Found(file: file, name: WebAddress.redacted(address), reference: address, isDownload: true))
    }

    /// What is kept of `address`, or what is downloaded where nothing is, or something that isn't right.
    private func download(_ address: String, into cache: DownloadCache) throws(FetchError) -> VerifiedTable {
        let lock = try cache.lock(address)
        defer { withExtendedLifetime(lock) {} }
        if let found = cache.find(address) {
            do throws(FetchError) {
                return try verify(found)
            } catch  where error.isAboutContent {
                note("\(found.name): \(error.diagnosis.problem): it is downloaded anew")
            }
        }
        let incoming = cache.incoming(address)
        try downloader.download(address, to: incoming)
        guard let file = InputFile.kept(incoming) else { throw .stream(.notFound(source: incoming)) }
        do throws(FetchError) {
            let verified = try verify(
                Found(
                    file: file, name: WebAddress.redacted(address), reference: address, isDownload: true,
                    kept: cache.path(of: address)))
            try cache.publish(address)
            return verified
        } catch {
            // A sound archive without the entry is kept: with another --entry it is the right one.
            if error.isAboutContent { unlink(incoming) } else { try cache.publish(address) }
            throw error
        }
    }
}

/// The path of the first of these files that is in the folder.
func firstRegularFile(in folder: String, named names: [String]) -> String? {
    names.map { "\(folder)/\($0)" }.first { Path.isRegularFile($0) }
}
