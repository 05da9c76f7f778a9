// Cuts text into the pieces within which GPT-2 merges bytes. Source: the pattern of GPT-2's encoder.py,
//
//     '(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// as a state machine over UTF-8 bytes that looks at every byte once (twice where white space ends).
// Not here: validation. The text must be UTF-8; other bytes are cut somewhere, and never read past.

/// What the pattern tells apart.
enum CharacterClass: UInt8 {
    case other = 0
    case letter = 1
    case number = 2
    case whiteSpace = 3
}

/// The pre-tokenizer with its table.
struct PreTokenizer: Sendable {
    /// By scalar, 0x110000 entries. Letters, numbers and white space are as tiktoken and Hugging Face see them.
    private let classes = PreTokenizer.classTable

    /// Made once: it is a constant that would be a megabyte of source.
    private static let classTable: [UInt8] = {
        var classes = [UInt8](repeating: CharacterClass.other.rawValue, count: 0x110000)
        let sets: [([UInt32], CharacterClass)] = [
            (CharacterClassRanges.letters, .letter), (CharacterClassRanges.numbers, .number),
            (CharacterClassRanges.whiteSpace, .whiteSpace),
        ]
        classes.withUnsafeMutableBufferPointer { classes in
            for (ranges, characterClass) in sets {
                for pair in stride(from: 0, to: ranges.count, by: 2) {
                    let range = Int(ranges[pair])...Int(ranges[pair + 1])
                    UnsafeMutableBufferPointer(rebasing: classes[range]).update(repeating: characterClass.rawValue)
                }
            }
        }
        return classes
    }()

    /// Calls `body` with every piece of `text`, in order, until it returns false; all of them together are the text.
    @inline(__always)
    func forEachPiece(_ text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Bool) {
        classes.withUnsafeBufferPointer { classes in
            let cutter = Cutter(text: text, classes: classes)
            var start = 0
            while start < text.count {
                let end = cutter.end(ofPieceAt: start)
                guard body(start..<end) else { return }
                start = end
            }
        }
    }
}

/// One pass over one text.
private struct Cutter {
    let text: UnsafeBufferPointer<UInt8>
    let classes: UnsafeBufferPointer<UInt8>

    @inline(__always)
    func end(ofPieceAt start: Int) -> Int {
        let byte = text[start]
        if byte == UInt8(ascii: "'") {
            let end = endOfContraction(at: start)
            if end > start { return end }
        }
        var (characterClass, next) = classify(start)
        if byte == UInt8(ascii: " "), start + 1 < text.count {
            // ` ?` takes the space along if a run of something else follows.
            let (following, afterFollowing) = classify(start + 1)
            if following != CharacterClass.whiteSpace.rawValue {
                return endOfRun(following, from: afterFollowing)
            }
        }
        if characterClass != CharacterClass.whiteSpace.rawValue { return endOfRun(characterClass, from: next) }

        // White space: all of it at the end of the text, else all but its last scalar, which is left to ` ?` or
        // to a piece of its own.
        var last = start
        while next < text.count {
            let position = next
            (characterClass, next) = classify(position)
            if characterClass != CharacterClass.whiteSpace.rawValue { return last > start ? last : position }
            last = position
        }
        return next
    }

    @inline(__always)
    private func endOfRun(_ characterClass: UInt8, from start: Int) -> Int {
        var position = start
        while position < text.count {
            let (following, next) = classify(position)
            if following != characterClass { break }
            position = next
        }
        return position
    }

    /// The class of the scalar at `position`, and where the next one starts.
    @inline(__always)
    private func classify(_ position: Int) -> (UInt8, Int) {
        let first = text[position]
        if first < 0x80 { return (classes[Int(first)], position + 1) }
        return classifyLong(position, first)
    }

    private func classifyLong(_ position: Int, _ first: UInt8) -> (UInt8, Int) {
        let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        guard first >= 0xC2, position + length <= text.count else {
            return (CharacterClass.other.rawValue, position + 1)
        }
        var scalar = Int(first) & (0xFF >> (length + 1))
        for offset in 1..<length { scalar = scalar << 6 | Int(text[position + offset] & 0x3F) }
        guard scalar < classes.count else { return (CharacterClass.other.rawValue, position + 1) }
        return (classes[scalar], position + length)
    }

    /// The end of `'s`, `'d`, `'m`, `'t`, `'ll`, `'ve` or `'re` at `start`, or `start`.
    private func endOfContraction(at start: Int) -> Int {
        guard start + 1 < text.count else { return start }
        let second = text[start + 1]
        switch second {
        case UInt8(ascii: "s"), UInt8(ascii: "d"), UInt8(ascii: "m"), UInt8(ascii: "t"): return start + 2
        default: break
        }
        guard start + 2 < text.count else { return start }
        switch (second, text[start + 2]) {
        case (UInt8(ascii: "l"), UInt8(ascii: "l")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
            (UInt8(ascii: "r"), UInt8(ascii: "e")):
            return start + 3
        default: return start
        }
    }
}
