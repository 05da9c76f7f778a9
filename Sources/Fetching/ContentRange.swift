// Which bytes of a file an answer 206 carries (RFC 9110, 14.4).

/// The header `Content-Range: bytes first-last/total`.
struct ContentRange: Equatable {
    /// The place of the first byte, from 0.
    let first: Int
    /// The place of the last byte; the body may end before the file does.
    let last: Int
    /// The size of the whole file; nil where the server doesn't know it (`*`).
    let total: Int?

    /// How many bytes the body has.
    var count: Int { last - first + 1 }

    /// nil for anything but a range of bytes that a file can have.
    init?(_ header: String) {
        let parts = header.lowercased().split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].hasPrefix("bytes ") else { return nil }
        let ends = parts[0].dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = Self.number(ends[0]), let last = Self.number(ends[1]), first <= last,
            last < .max
        else { return nil }
        if parts[1] == "*" {
            total = nil
        } else if let number = Self.number(parts[1]), last < number {
            total = number
        } else {
            return nil
        }
        (self.first, self.last) = (first, last)
    }

    /// Digits alone: no sign, and no spaces.
    private static func number(_ text: Substring) -> Int? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }
}
