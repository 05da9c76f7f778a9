// The files that the page is made of.

import Evaluation
import Hashing
import Records

struct InputSection: Section {
    let title = "Files"
    let html: String

    /// The hash of every file that the page is made of.
    init(_ paths: [String]) throws {
        html = HTMLTable(
            caption: "SHA-256 of what this page is made of", header: ["file", "SHA-256"],
            rows: try paths.map { [$0, try Self.sha256($0)] }
        ).text.replacing("<td>", with: "<td class=\"text\">")
    }

    private static func sha256(_ path: String) throws -> String {
        let source = try ByteSource(path: path)
        let hash = SHA256()
        try source.readAll(maximum: 1 << 32).withUnsafeBytes { hash.update($0) }
        return hash.hexadecimal
    }
}
