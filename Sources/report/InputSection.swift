// The files that the page is made of.

import Evaluation
import Hashing
import Platform
import Records

struct InputSection: Section {
    let title = "Files"
    let html: String

    /// The hash of every file that the page is made of.
    init(_ paths: [String]) throws {
        html =
            HTMLTable(
                caption: "SHA-256 of what this page is made of", header: ["file", "SHA-256"],
                rows: try paths.map { [$0, isFile($0) ? try SHA256.hexadecimal(ofFile: $0) : "came through a pipe"] },
                isText: true
            ).text
    }
}

/// Whether there is a file that can be read a second time.
private func isFile(_ path: String) -> Bool {
    var status = stat()
    return path != "-" && stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
}
