// One file over HTTP(S), to disk, resumed where an earlier attempt broke off.
//
// A part (see DownloadTarget) is resumed only under If-Range, and only if the answer is 206 for the bytes that follow it
// in that version; any other success begins anew, and no error page is ever saved.

import Foundation
import Records

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Downloads files.
public struct Downloader: Sendable {
    /// A failure is less than `minimumRate` over so many seconds.
    public var stallSeconds: Int
    /// In bytes a second.
    public var minimumRate: Int
    /// The longest that one download may take.
    public var maximumSeconds: Int
    /// More bytes than these are an error.
    public var maximumBytes: Int
    /// Proves who asks: sent to the address that is downloaded, and to redirects on the same host and port alone.
    public var token: String?
    /// Called now and then with the bytes that are there, and all of them where the server has said that.
    public var progress: @Sendable (_ done: Int, _ total: Int?) -> Void

    /// By default a download may take six hours and 1 GiB, and has stalled when less than 30 kB come in 30 seconds.
    public init(
        stallSeconds: Int = 30, minimumRate: Int = 1000, maximumSeconds: Int = 6 * 3600, maximumBytes: Int = 1 << 30,
        progress: @escaping @Sendable (_ done: Int, _ total: Int?) -> Void = { _, _ in }
    ) {
        self.stallSeconds = stallSeconds
        self.minimumRate = minimumRate
        self.maximumSeconds = maximumSeconds
        self.maximumBytes = maximumBytes
        self.progress = progress
    }

    /// Downloads `address` to `path`. Blocks until it is there. After a failure that trying again may cure, the part
    /// that has come stays for the next attempt.
    ///
    /// - Returns: what the first answer says of the file.
    @discardableResult
    public func download(_ address: String, to path: String) throws(FetchError) -> DownloadAnswer {
        try download(address, to: .file(path: path))
    }

    /// Downloads `address`. Blocks until it is there.
    @discardableResult
    func download(_ address: String, to target: DownloadTarget) throws(FetchError) -> DownloadAnswer {
        // In small letters: URLSession on Linux knows no `HTTP:`.
        guard var parts = URLComponents(string: address), let scheme = parts.scheme?.lowercased(),
            scheme == "http" || scheme == "https", let host = parts.host, !host.isEmpty
        else { throw .invalidAddress(address) }
        parts.scheme = scheme
        guard let url = parts.url else { throw .invalidAddress(address) }
        do {
            return try attempt(url, to: target)
        } catch .httpStatus(_, 416) where target.resumable != nil {
            // The part is longer than the file, so it is of no use.
            target.discard()
            return try attempt(url, to: target)
        }
    }

    private func attempt(_ url: URL, to target: DownloadTarget) throws(FetchError) -> DownloadAnswer {
        var request = URLRequest(url: url, cachePolicy: .reloadIgnoringLocalCacheData)
        request.timeoutInterval = TimeInterval(stallSeconds)
        // Bytes are counted and resumed, so they have to come as they are stored.
        request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        let resumed = target.resumable
        if let resumed {
            request.setValue("bytes=\(resumed.size)-", forHTTPHeaderField: "Range")
            request.setValue(resumed.tag, forHTTPHeaderField: "If-Range")
        }
        let delegate = DownloadDelegate(
            address: url.absoluteString, target: target, resumed: resumed, maximumBytes: maximumBytes,
            stallSeconds: stallSeconds)
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = TimeInterval(stallSeconds)
        let session = URLSession(configuration: configuration, delegate: delegate, delegateQueue: nil)
        // Not here and now: URLSession on Linux answers only when a server that floods it takes a breath.
        defer { DispatchQueue.global().async { session.invalidateAndCancel() } }
        let task = session.dataTask(with: request)
        task.resume()
        let begin = ContinuousClock.now
        var interval = (begin: begin, done: 0)
        while !delegate.wait(milliseconds: 100) {
            let (done, total) = delegate.amounts
            progress(done, total)
            let now = ContinuousClock.now
            if now - begin > .seconds(maximumSeconds) {
                delegate.close()
                throw .tooSlow(
                    address: url.absoluteString, seconds: maximumSeconds, canResume: target.resumable != nil)
            }
            if done - interval.done >= minimumRate * stallSeconds {
                interval = (now, done)
            } else if now - interval.begin > .seconds(stallSeconds) {
                delegate.close()
                throw .stalled(
                    address: url.absoluteString, bytes: done - interval.done, seconds: stallSeconds,
                    canResume: target.resumable != nil)
            }
        }
        delegate.close()
        if let error = delegate.failure {
            if case .tooLarge = error { target.discard() }
            throw error
        }
        try fetching { () throws(StreamError) in try target.publish() }
        return delegate.firstAnswer
    }
}
