// What URLSession reports while a file comes, written to disk as it comes.

import Foundation
import Records

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Receives one download. URLSession calls it on a queue of its own, `wait` and `amounts` are called on another
/// thread: everything mutable is under `lock`, which is why it may be sent.
final class DownloadDelegate: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    private let address: String
    private let target: DownloadTarget
    private let resumed: (tag: String, size: Int)?
    private let maximumBytes: Int
    private let stallSeconds: Int
    private let lock = NSLock()
    private let finished = DispatchSemaphore(value: 0)
    private var descriptor: Int32 = -1
    private var done = 0
    private var total: Int?
    private var isEncoded = false
    private var redirects = 0
    private var error: FetchError?
    private var answer: DownloadAnswer?

    init(
        address: String, target: DownloadTarget, resumed: (tag: String, size: Int)?, maximumBytes: Int,
        stallSeconds: Int
    ) {
        self.address = address
        self.target = target
        self.resumed = resumed
        self.maximumBytes = maximumBytes
        self.stallSeconds = stallSeconds
    }

    /// Waits for the end, at most that long.
    func wait(milliseconds: Int) -> Bool {
        finished.wait(timeout: .now() + .milliseconds(milliseconds)) == .success
    }

    var amounts: (done: Int, total: Int?) { lock.withLock { (done, total) } }

    /// Why the download failed, or nil. To be asked after the end.
    var failure: FetchError? { lock.withLock { error } }

    /// What the first answer says of the file. To be asked after the end.
    var firstAnswer: DownloadAnswer { lock.withLock { answer ?? DownloadAnswer() } }

    /// No bytes are written from now on.
    func close() {
        lock.withLock {
            if descriptor >= 0 { _ = Foundation.close(descriptor) }
            descriptor = -1
        }
    }

    /// The first failure counts.
    private func fail(_ failure: FetchError) {
        if error == nil { error = failure }
    }

    private func refuseRedirect(_ response: HTTPURLResponse) {
        let location = response.value(forHTTPHeaderField: "Location") ?? ""
        fail(.forbiddenRedirect(address: address, to: location.isEmpty ? "nothing" : location))
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
    ) {
        let allowed = lock.withLock {
            note(response)
            redirects += 1
            let old = response.url?.scheme?.lowercased() ?? "https"
            // URLSession on Linux turns file: into a path on the same host, so the header itself is asked.
            let location = response.value(forHTTPHeaderField: "Location") ?? ""
            let stated = location.contains("://") ? location.prefix { $0 != ":" }.lowercased() : nil
            let new = stated ?? request.url?.scheme?.lowercased()
            if redirects > 10 {
                fail(.tooManyRedirects(address: address))
            } else if new != "https", !(new == "http" && old == "http") {
                fail(.forbiddenRedirect(address: address, to: location))
            }
            return error == nil
        }
        // Without a request the redirect itself becomes the answer. (Cancelling here as well makes URLSession trap.)
        completionHandler(allowed ? Self.withoutToken(request, redirectedFrom: response.url) : nil)
    }

    /// The request, with its token only if it stays on the host and the port that the token is for.
    private static func withoutToken(_ request: URLRequest, redirectedFrom old: URL?) -> URLRequest {
        func origin(_ url: URL?) -> [String?] {
            let scheme = url?.scheme?.lowercased()
            return [scheme, url?.host?.lowercased(), "\(url?.port ?? (scheme == "https" ? 443 : 80))"]
        }
        guard origin(request.url) != origin(old) else { return request }
        var request = request
        request.setValue(nil, forHTTPHeaderField: "Authorization")
        return request
    }

    private func note(_ response: HTTPURLResponse) {
        if answer == nil { answer = DownloadAnswer { response.value(forHTTPHeaderField: $0) } }
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        let accepted = lock.withLock {
            begin(response)
            return error == nil
        }
        completionHandler(accepted ? .allow : .cancel)
    }

    private func begin(_ response: URLResponse) {
        guard let http = response as? HTTPURLResponse else {
            return fail(.unreachable(address: address, reason: "no HTTP answer"))
        }
        note(http)
        let tag = http.value(forHTTPHeaderField: "ETag")
        let length = http.value(forHTTPHeaderField: "Content-Length").flatMap { Int($0) }
        var part: ContentRange?
        switch http.statusCode {
        case 200: break
        case 206 where resumed == nil:
            return fail(.badAnswer(address: address, problem: "sends a part that wasn't asked for"))
        case 206:
            // Only bytes that follow the ones that are here, of the very version that these are of. There may be fewer
            // than are missing: then the download ends short, and the next one goes on from there.
            guard let range = http.value(forHTTPHeaderField: "Content-Range").flatMap({ ContentRange($0) }),
                range.first == resumed?.size, tag == nil || tag == resumed?.tag,
                length == nil || length == range.count
            else {
                target.discard()
                return fail(cutShort(missing: nil))
            }
            part = range
        case 300..<400:
            return refuseRedirect(http)
        default: return fail(.httpStatus(address: address, http.statusCode))
        }
        // Some servers compress all the same. URLSession unpacks that, so its length isn't that of what comes here, and
        // what has come can't be resumed.
        let offset = part?.first ?? 0
        let encoding = http.value(forHTTPHeaderField: "Content-Encoding")?.lowercased() ?? "identity"
        guard ["identity", "", "gzip", "x-gzip", "deflate"].contains(encoding), offset == 0 || encoding == "identity"
        else {
            return fail(.badAnswer(address: address, problem: "sends the encoding \(encoding), which wasn't asked for"))
        }
        isEncoded = encoding != "identity" && encoding != ""
        total = isEncoded ? nil : part.map { $0.total ?? $0.last + 1 } ?? length
        if let total, total > maximumBytes { return fail(.tooLarge(source: address, maximum: maximumBytes)) }
        if offset > 0, let descriptor = target.resume(size: offset) {
            self.descriptor = descriptor
        } else if offset > 0 {
            target.discard()
            return fail(cutShort(missing: nil))
        } else {
            do throws(StreamError) {
                descriptor = try target.begin(tag: isEncoded ? nil : tag)
            } catch {
                return fail(.stream(error))
            }
        }
        done = offset
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        lock.withLock {
            guard error == nil, descriptor >= 0 else { return }
            if done + data.count > maximumBytes {
                fail(.tooLarge(source: address, maximum: maximumBytes))
                // Ends the wait. Cancelling is left to who waits: here it could block for as long as data comes.
                finished.signal()
                return
            }
            data.withUnsafeBytes { bytes in
                var rest = bytes[...]
                while !rest.isEmpty {
                    let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                    if count < 0, errno == EINTR { continue }
                    guard count >= 0 else {
                        fail(.stream(.writeFailed(destination: target.name, errno: errno)))
                        finished.signal()
                        return
                    }
                    rest = rest.dropFirst(count)
                }
            }
            done += data.count
        }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError problem: (any Error)?) {
        lock.withLock {
            // A redirect that leads nowhere ends without an answer.
            if descriptor < 0, let http = task.response as? HTTPURLResponse, (300..<400).contains(http.statusCode) {
                refuseRedirect(http)
            }
            if let total, done > total, descriptor >= 0 {
                target.discard()
                fail(.badAnswer(address: address, problem: "sends more bytes than it has announced"))
            } else if let total, done < total, descriptor >= 0 {
                fail(cutShort(missing: total - done))
            } else if problem != nil, descriptor >= 0, (problem as? URLError)?.code != .timedOut {
                // All that was promised is there, or nobody has said how much that is.
                if total == nil { fail(cutShort(missing: nil)) }
            } else if let problem = problem as? URLError {
                fail(translated(problem))
            } else if let problem {
                fail(.unreachable(address: address, reason: "\(problem)"))
            } else if descriptor < 0 {
                fail(cutShort(missing: total))
            } else if fsync(descriptor) != 0 {
                fail(.stream(.writeFailed(destination: target.name, errno: errno)))
            }
        }
        finished.signal()
    }

    private func cutShort(missing: Int?) -> FetchError {
        .cutShort(address: address, missing: missing, canResume: target.resumable != nil)
    }

    private func translated(_ problem: URLError) -> FetchError {
        switch problem.code {
        case .timedOut:
            .stalled(address: address, bytes: 0, seconds: stallSeconds, canResume: target.resumable != nil)
        case .networkConnectionLost: cutShort(missing: total.map { $0 - done })
        // Redirects to anything but http and https were refused before: it is the answer that curl doesn't know.
        case .unsupportedURL, .badServerResponse, .cannotParseResponse:
            .badAnswer(address: address, problem: "sends an answer that isn't HTTP")
        case .httpTooManyRedirects: .tooManyRedirects(address: address)
        case .cannotFindHost, .dnsLookupFailed: .unreachable(address: address, reason: "no such host")
        case .cannotConnectToHost: .unreachable(address: address, reason: "no connection")
        case .serverCertificateUntrusted, .serverCertificateHasBadDate, .serverCertificateNotYetValid,
            .serverCertificateHasUnknownRoot, .secureConnectionFailed:
            .unreachable(address: address, reason: "its certificate doesn't hold")
        default: .unreachable(address: address, reason: problem.localizedDescription)
        }
    }
}
