// One file over HTTP(S), to disk, gone on with where an earlier attempt broke off.
//
// An unfinished download is PATH.part, and PATH.part.etag says which version of the file it is a part of. A part is
// gone on with only under If-Range, and only if the answer is 206 for exactly the missing bytes of that version; any
// other success begins anew, and no error page is ever saved.

import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Downloads files.
public struct Downloader: Sendable {
    /// Longer without a byte is a failure.
    public var stallSeconds: Int
    public var maximumBytes: Int
    /// Called now and then with the bytes that are there, and all of them where the server has said that.
    public var progress: @Sendable (_ done: Int, _ total: Int?) -> Void

    public init(
        stallSeconds: Int = 30, maximumBytes: Int = 1 << 30,
        progress: @escaping @Sendable (_ done: Int, _ total: Int?) -> Void = { _, _ in }
    ) {
        self.stallSeconds = stallSeconds
        self.maximumBytes = maximumBytes
        self.progress = progress
    }

    /// Downloads `address` to `path`. Blocks until it is there. After a failure that trying again may cure, the part
    /// that has come stays for the next attempt.
    public func download(_ address: String, to path: String) throws(FetchError) {
        guard let url = URL(string: address), let scheme = url.scheme?.lowercased(),
            scheme == "http" || scheme == "https", url.host != nil
        else { throw .invalidAddress(address) }
        do {
            try attempt(url, to: path)
        } catch .httpStatus(_, 416) where FileManager.default.fileExists(atPath: path + ".part") {
            // The part is longer than the file, so it is of no use.
            removePart(of: path)
            try attempt(url, to: path)
        }
    }

    private func attempt(_ url: URL, to path: String) throws(FetchError) {
        let part = path + ".part"
        var request = URLRequest(url: url, cachePolicy: .reloadIgnoringLocalCacheData)
        request.timeoutInterval = TimeInterval(stallSeconds)
        // Bytes are counted and resumed, so they have to come as they are stored.
        request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        let size = (try? FileManager.default.attributesOfItem(atPath: part)[.size] as? Int) ?? 0
        let tag = try? String(contentsOfFile: part + ".etag", encoding: .utf8)
        if size > 0, let tag, tag.hasPrefix("\"") {
            request.setValue("bytes=\(size)-", forHTTPHeaderField: "Range")
            request.setValue(tag, forHTTPHeaderField: "If-Range")
        }
        let delegate = DownloadDelegate(
            address: url.absoluteString, part: part, resumed: size > 0 ? tag.map { ($0, size) } : nil,
            maximumBytes: maximumBytes, stallSeconds: stallSeconds)
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = TimeInterval(stallSeconds)
        let session = URLSession(configuration: configuration, delegate: delegate, delegateQueue: nil)
        // Not here and now: URLSession on Linux answers only when a server that floods it takes a breath.
        defer { DispatchQueue.global().async { session.invalidateAndCancel() } }
        let task = session.dataTask(with: request)
        task.resume()
        var received = -1
        var deadline = ContinuousClock.now + .seconds(stallSeconds)
        while !delegate.wait(milliseconds: 100) {
            let (done, total) = delegate.amounts
            progress(done, total)
            if done != received {
                received = done
                deadline = ContinuousClock.now + .seconds(stallSeconds)
            } else if ContinuousClock.now > deadline {
                delegate.close()
                throw .stalled(address: url.absoluteString, seconds: stallSeconds)
            }
        }
        delegate.close()
        if let error = delegate.failure {
            if case .tooLarge = error { removePart(of: path) }
            throw error
        }
        guard rename(part, path) == 0 else { throw .stream(.cannotPublish(path: path, errno: errno)) }
        removePart(of: path)
    }

    private func removePart(of path: String) {
        unlink(path + ".part")
        unlink(path + ".part.etag")
    }
}
