// Labels with numbers on the command line: `a=1,b=0.5`.

/// Reads pairs LABEL=NUMBER.
public enum LabelNumbers {
    /// What is no such pair.
    public struct Mistake: Error {
        /// The part of the text.
        public let text: String
    }

    /// The pairs of a text, with commas between them. A comma ends a pair only if a number stands before it; any other comma is part
    /// of a label.
    ///
    /// - Parameters:
    ///   - text: what the user wrote.
    ///   - accepts: whether a number is allowed.
    /// - Throws: ``Mistake``.
    public static func pairs(
        _ text: String, accepts: (Double) -> Bool
    ) throws(Mistake) -> [(label: String, number: Double)] {
        var pairs: [(label: String, number: Double)] = []
        var start = text.startIndex
        for end in text.indices.filter({ text[$0] == "," }) + [text.endIndex] {
            let pair = text[start..<end]
            guard let sign = pair.lastIndex(of: "="), sign > pair.startIndex,
                let number = Double(pair[pair.index(after: sign)...])
            else {
                if end < text.endIndex { continue }
                throw Mistake(text: String(pair))
            }
            guard accepts(number) else { throw Mistake(text: String(pair)) }
            pairs.append((String(pair[..<sign]), number))
            if end < text.endIndex { start = text.index(after: end) }
        }
        return pairs
    }
}
