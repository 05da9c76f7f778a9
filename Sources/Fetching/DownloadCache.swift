// A directory of downloads that several processes may use at once. Every address has a file of its own, which appears
// only once it was checked; whoever wants to download it holds its lock, and the others wait and read what has come.

import Foundation
import Hashing
import Records

/// Downloads that are kept.
struct DownloadCache: Sendable {
    let directory: String
    /// Told when another process is waited for.
    let note: @Sendable (String) -> Void

    func create() throws(FetchError) {
        try fetching { () throws(StreamError) in try Directory.create(directory) }
    }

    /// Where the file of `address` is kept: a name for people, and one that no other address has.
    func path(of address: String) -> String {
        let name = WebAddress.fileNames(of: address).last ?? ""
        let isUsable = !name.isEmpty && name.utf8.count <= 150
        return "\(directory)/\(SHA256.hexadecimal(of: Array(address.utf8)).prefix(16))-\(isUsable ? name : "download")"
    }

    /// What is kept of `address`.
    func find(_ address: String) -> ArchiveFetcher.Found? {
        let path = path(of: address)
        return InputFile.kept(path).map {
            ArchiveFetcher.Found(file: $0, name: path, reference: address, isDownload: true, kept: path)
        }
    }

    /// Where a download is put until it was checked.
    func incoming(_ address: String) -> String { path(of: address) + ".unchecked" }

    /// Keeps what was downloaded and checked.
    func publish(_ address: String) throws(FetchError) {
        let path = path(of: address)
        if rename(incoming(address), path) != 0 { throw .stream(.cannotPublish(path: path, errno: errno)) }
    }

    /// Waits until no other process downloads `address`. None does as long as the lock lives.
    func lock(_ address: String) throws(FetchError) -> OutputLock {
        let path = path(of: address)
        var hasTold = false
        while true {
            do throws(StreamError) {
                return try OutputLock(path: path)
            } catch .locked(_, let holder) {
                if !hasTold { note("\(path): waiting for \(holder), which is downloading it") }
                hasTold = true
                usleep(50_000)
            } catch {
                throw .stream(error)
            }
        }
    }
}
