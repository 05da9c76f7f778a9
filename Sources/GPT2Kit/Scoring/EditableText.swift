// A text of which words are deleted. A text may be much longer than what the model reads of it, so copies need not be whole.

/// A text with its words.
struct EditableText {
    /// Valid UTF-8.
    let bytes: [UInt8]
    let words: [Word]

    /// Finds the words of `bytes`, valid UTF-8.
    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        words = Word.words(of: bytes)
    }

    /// How many words, from the first, can matter where `length` bytes are read. White space ends a token, so that those before a
    /// word don't depend on it.
    func words(before length: Int) -> Int {
        let behind = words.firstIndex { $0.range.upperBound >= length }
        return behind.map { $0 + 1 } ?? words.count
    }

    /// The text without a word and the white space before it, or, of the first word, behind it.
    ///
    /// - Parameters:
    ///   - index: the place of the word.
    ///   - least: the result may end behind so many bytes, at the end of a word.
    func removing(_ index: Int, keeping least: Int = .max) -> [UInt8] {
        let head = index > 0 ? words[index - 1].range.upperBound : 0
        let next = index == 0 && words.count > 1 ? words[1].range.lowerBound : words[index].range.upperBound
        let end = words[(index + 1)...].first { head + $0.range.upperBound - next >= least }?.range.upperBound
        return Array(bytes[..<head] + bytes[next..<(end ?? bytes.count)])
    }
}
