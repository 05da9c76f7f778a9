// What requests have to bring where others than this machine can reach the server.

import Records

/// A token, from a file.
struct AccessToken: Sendable {
    private let bytes: [UInt8]

    /// - Throws: `StreamError`; ``TooShort``.
    init(file path: String) throws {
        let contents = try ByteSource(path: path).readAll(maximum: 1 << 16)
        let isSpace: (UInt8) -> Bool = { $0 <= 0x20 }
        bytes = Array(contents.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
        guard bytes.count >= 16 else { throw TooShort(path: path) }
    }

    /// Whether this is the header `Authorization` that is needed. How long it takes says nothing about where they differ.
    func isProven(by header: String?) -> Bool {
        let given = Array((header ?? "").utf8)
        let wanted = Array("Bearer ".utf8) + bytes
        guard given.count == wanted.count else { return false }
        return zip(given, wanted).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// A token that could be guessed.
    struct TooShort: DiagnosableError {
        let path: String

        var diagnosis: Diagnosis {
            Diagnosis(
                source: path, problem: "the token is shorter than 16 bytes",
                remedy: "make one with: openssl rand -hex 32", status: .configuration)
        }
    }
}
