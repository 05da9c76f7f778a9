// What a run depends on. Only a run with the same identity may resume from its checkpoints.

import Hashing
import Records

/// Settings and hashes, under the names that messages use.
public struct RunIdentity: Sendable {
    /// Names and values, in a fixed order.
    package let entries: [(name: String, value: String)]

    /// The identity that consists of `entries`.
    package init(entries: [(name: String, value: String)]) { self.entries = entries }

    /// The SHA-256, in hexadecimal, of all entries, each as `name=value` and a line feed.
    public var sha256: String {
        let text = entries.map { "\($0.name)=\($0.value)\n" }.joined()
        return SHA256.hexadecimal(of: Array(text.utf8))
    }

    /// The differences from `other`, in words: "learning_rate 0.001 (was 5e-05), training data".
    package func differences(from other: RunIdentity) -> [String] {
        func value(_ name: String, _ identity: RunIdentity) -> String? {
            identity.entries.first { $0.name == name }?.value
        }
        let names = entries.map(\.name) + other.entries.map(\.name).filter { value($0, self) == nil }
        return names.compactMap { name -> String? in
            let (new, old) = (value(name, self), value(name, other))
            if new == old { return nil }
            if name.hasSuffix("_sha256") { return String(name.dropLast("_sha256".count)).replacing("_", with: " ") }
            return "\(name) \(new ?? "none") (was \(old ?? "none"))"
        }
    }
}
