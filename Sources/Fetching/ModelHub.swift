// Hugging Face's hub, or a server with the same addresses, as its users have set it up: the environment variables and
// the cache of the Python library huggingface_hub.

import Foundation
import Hashing

/// Where models come from.
public struct ModelHub: Sendable {
    /// The address without the last slash: `https://huggingface.co`.
    public var endpoint: String
    /// What proves who asks; it is sent to ``endpoint`` alone, and never printed.
    public var token: String?
    /// Where a token lies that can't be sent: the name of a variable or of a file; nil where there is none such.
    public private(set) var unusableToken: String?
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
    /// HF_HUB_DISABLE_IMPLICIT_TOKEN, XDG_CACHE_HOME and HOME; and, under their older names, HUGGING_FACE_HUB_TOKEN,
    /// HUGGINGFACE_HUB_CACHE and TRANSFORMERS_OFFLINE. Where no variable has a token, the file HF_TOKEN_PATH has, or the
    /// file `token` of HF_HOME. Spaces and line ends around a token don't belong to it; one that has other characters
    /// than a header can carry isn't taken (``unusableToken``).
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
        var tokens = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"].map { (place: $0, text: environment[$0]) }
        if !isSet("HF_HUB_DISABLE_IMPLICIT_TOKEN"), let path = value("HF_TOKEN_PATH") ?? home.map({ "\($0)/token" }) {
            tokens.append((path, try? String(contentsOfFile: path, encoding: .utf8)))
        }
        for (place, text) in tokens {
            guard let found = text?.trimmingCharacters(in: .whitespacesAndNewlines), !found.isEmpty else { continue }
            // Anything else could become a header of its own.
            if found.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) { token = found } else { unusableToken = place }
            break
        }
    }

    /// What may help where the hub doesn't let the asker have a file.
    var tokenAdvice: String {
        if token != nil { return "does HF_TOKEN allow it?" }
        return unusableToken.map { "the token in \($0) has characters that no token has" } ?? "HF_TOKEN isn't set"
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
