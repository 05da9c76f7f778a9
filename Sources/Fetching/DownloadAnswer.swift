// What a hub of models says about a file that it sends.

import Hashing

/// Headers of the first answer, before any redirect.
public struct DownloadAnswer: Sendable, Equatable {
    /// The commit that the file is of (`X-Repo-Commit`), in hexadecimal.
    public internal(set) var commit: String?
    /// The SHA-256 of a file that lies in a store of large files (`X-Linked-Etag`), in hexadecimal.
    public internal(set) var linkedSHA256: String?

    init() {}

    /// - Parameter header: the value of a header by its name.
    init(_ header: (String) -> String?) {
        func hexadecimal(_ name: String, _ digits: Int) -> String? {
            guard let value = header(name)?.filter({ $0 != "\"" }), SHA256.isHexadecimal(value, digits: digits)
            else { return nil }
            return value
        }
        commit = hexadecimal("X-Repo-Commit", 40)
        linkedSHA256 = hexadecimal("X-Linked-Etag", 64)
    }
}
