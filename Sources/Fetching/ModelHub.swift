// Hugging Face's hub, or a server with the same addresses, as its users have set it up: the environment variables and the cache
// of the Python library huggingface_hub.

import Foundation
import Hashing

/// Where models come from.
public struct ModelHub: Sendable {
    /// The address without the last slash: `https://huggingface.co`.
    public var endpoint: String
    /// What proves who asks; it is sent to ``endpoint`` alone, and never printed.
    public var token: String?
    /// Looked into before the network is asked: the folder of `models--OWNER--NAME`.
    public var cache: String?
    /// Whether the network isn't asked at all.
    public var isOffline: Bool

    /// The hub itself, without a token and a cache.
    public init() {
        (endpoint, token, cache, isOffline) = ("https://huggingface.co", nil, nil, false)
    }

    /// What the process's environment says.
    public static var ofUser: ModelHub { ModelHub(environment: ProcessInfo.processInfo.environment) }

    /// What these variables say: HF_ENDPOINT, HF_TOKEN, HF_TOKEN_PATH, HF_HOME, HF_HUB_CACHE, HF_HUB_OFFLINE,
    /// HF_HUB_DISABLE_IMPLICIT_TOKEN, XDG_CACHE_HOME and HOME. A token lies in the file `token` of HF_HOME where HF_TOKEN isn't
    /// set.
    public init(environment: [String: String]) {
        self.init()
        func value(_ names: String...) -> String? {
            names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        }
        func isSet(_ name: String) -> Bool {
            ["1", "ON", "YES", "TRUE"].contains(environment[name]?.uppercased() ?? "")
        }
        if let address = value("HF_ENDPOINT") {
            endpoint = String(address.reversed().drop { $0 == "/" }.reversed())
        }
        let caches = value("XDG_CACHE_HOME") ?? value("HOME").map { "\($0)/.cache" }
        let home = value("HF_HOME") ?? caches.map { "\($0)/huggingface" }
        cache = value("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE") ?? home.map { "\($0)/hub" }
        isOffline = isSet("HF_HUB_OFFLINE") || isSet("TRANSFORMERS_OFFLINE")
        token = value("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
        if token == nil, !isSet("HF_HUB_DISABLE_IMPLICIT_TOKEN"),
            let path = value("HF_TOKEN_PATH") ?? home.map({ "\($0)/token" })
        {
            token = (try? String(contentsOfFile: path, encoding: .utf8))?.trimmingCharacters(
                in: .whitespacesAndNewlines)
        }
        // Anything else could become a header of its own.
        if let token, token.isEmpty || !token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) { self.token = nil }
    }

    /// The address of a file.
    func address(repository: String, revision: String, file: String) -> String {
        let revision = revision.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(["-", ".", "_"]))
        return "\(endpoint)/\(repository)/resolve/\(revision ?? "main")/\(file)"
    }

    /// The path of a file in the cache, and the commit that it is of; nil where it isn't there.
    func cached(repository: String, revision: String, file: String) -> (path: String, commit: String)? {
        guard let cache else { return nil }
        let folder = "\(cache)/models--\(repository.replacingOccurrences(of: "/", with: "--"))"
        let commit = (try? String(contentsOfFile: "\(folder)/refs/\(revision)", encoding: .utf8)) ?? revision
        guard SHA256.isHexadecimal(commit, digits: 40) else { return nil }
        return firstRegularFile(in: "\(folder)/snapshots/\(commit)", named: [file]).map { ($0, commit) }
    }
}
