// Which token a classifier reads.

/// The token whose hidden state the head reads.
public enum Pooling: String, Sendable, CaseIterable {
    /// The last token of the text; pads are never computed. What Hugging Face's classifiers do.
    case lastToken = "last-token"
    /// The last of T positions, pads included and attended to, as in the book's chapter 6.
    case lastPosition = "last-position"
    /// The first token.
    case first
    /// The mean of the logits over all T positions, pads included.
    case mean

    /// How many positions of a text of `length` tokens, padded to `paddedLength`, have to be computed: what comes
    /// after the pooled position can't be seen by it where attention is causal. Without the mask it sees the whole
    /// text, but no pads behind it, unless the pooling reads pads.
    package func positions(length: Int, paddedLength: Int, isCausal: Bool) -> Int {
        switch self {
        case .lastToken: length
        case .lastPosition, .mean: paddedLength
        case .first: isCausal ? 1 : length
        }
    }

    /// Appends those positions of a text to `tokens`, pads included where they are read; returns how many.
    package func append(
        _ text: some Collection<Int32>, to tokens: inout [Int32], paddedLength: Int, padToken: Int32, isCausal: Bool
    ) -> Int {
        let wanted = positions(length: text.count, paddedLength: paddedLength, isCausal: isCausal)
        tokens.append(contentsOf: text.prefix(wanted))
        tokens.append(contentsOf: repeatElement(padToken, count: max(0, wanted - text.count)))
        return wanted
    }

    /// Whether the result depends on the length that texts are padded to.
    public var needsPadding: Bool { self == .lastPosition || self == .mean }
}
