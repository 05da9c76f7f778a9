// What an http(s) address says, without asking anyone.

import Foundation

/// Addresses, as the text that users give.
package enum WebAddress {
    /// The file name at an address's end, as it is written and with `%2B` and the like decoded. Never a path.
    package static func fileNames(of address: String) -> [String] {
        let path = address.prefix { $0 != "?" && $0 != "#" }
        let raw = path.split(separator: "/").last.map(String.init) ?? ""
        let decoded = raw.removingPercentEncoding ?? raw
        return [raw, decoded].filter {
            !$0.isEmpty && !$0.contains("/") && !$0.utf8.contains { $0 < 0x20 } && $0 != "." && $0 != ".."
        }
    }

    /// An address without the password, or whatever stands before its host's `@`.
    package static func redacted(_ address: String) -> String {
        guard let scheme = address.firstRange(of: "://") else { return address }
        let rest = address[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard let at = authority.lastIndex(of: "@") else { return address }
        return address[..<scheme.upperBound] + "…" + rest[at...]
    }
}
