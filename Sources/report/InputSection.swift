// The files that the page is made of.

import Evaluation
import Hashing
import Records

struct InputSection: Section {
    let title = "Files"
    let html: String

    /// The hash of every file that the page is made of.
    init(_ paths: [String]) throws {
        html =
            HTMLTable(
                caption: "SHA-256 of what this page is made of", header: ["file", "SHA-256"],
                // A pipe can't be read a second time.
                rows: try paths.map {
                    [
                        $0,
                        $0 != "-" && Path.isRegularFile($0)
                            ? try SHA256.hexadecimal(ofFile: $0) : "came through a pipe",
                    ]
                },
                isText: true
            ).text
    }
}
