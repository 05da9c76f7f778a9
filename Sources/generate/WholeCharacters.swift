// Text whose bytes come in pieces: a token may end within a character.

/// Holds back the bytes of a character until all of them are there.
struct WholeCharacters {
    private var rest: [UInt8] = []
    /// Whether nothing has come since the last end.
    private(set) var isBeginning = true

    /// What can be written after `bytes` have come. What can't be UTF-8 becomes U+FFFD.
    mutating func append(_ bytes: [UInt8]) -> [UInt8] {
        isBeginning = false
        rest += bytes
        var held = 0
        // The first byte of a character that isn't whole is one of the last three.
        for back in 1...3 where rest.count >= back {
            let byte = rest[rest.count - back]
            if byte & 0xC0 == 0x80 { continue }
            let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            if length > back { held = back }
            break
        }
        let whole = rest.dropLast(held)
        defer { rest.removeFirst(whole.count) }
        return Array(String(decoding: whole, as: UTF8.self).utf8)
    }

    /// What is left, where a character was cut U+FFFD.
    mutating func end() -> [UInt8] {
        defer {
            rest = []
            isBeginning = true
        }
        return Array(String(decoding: rest, as: UTF8.self).utf8)
    }
}
