// Which tokens a classifier reads.

/// The token whose hidden state the head reads, or the tokens whose mean it reads.
public enum Pooling: String, Sendable, CaseIterable {
    /// The last token of the text, as in Hugging Face's classifiers. Pads are never computed.
    case lastToken = "last-token"
    /// The last of T positions, pads included and attended to, as in the book's chapter 6.
    case lastPosition = "last-position"
    /// The first token.
    case first
    /// The mean of the logits over all T positions, pads included.
    case mean
    /// The mean of the logits over the tokens of the text. Pads are never computed.
    case meanText = "mean-text"

    /// Whether the head reads a mean over positions, for which the last block is needed whole; otherwise it reads one
    /// position.
    package var readsAllPositions: Bool {
        switch self {
        case .mean, .meanText: true
        case .lastToken, .lastPosition, .first: false
        }
    }

    /// Whether the head reads pads.
    package var readsPads: Bool { self == .lastPosition || self == .mean }

    /// How many positions of a text of `length` tokens have to be computed. With the causal mask the pooled position
    /// doesn't attend to those behind it. Without the mask it attends to the whole text, but not to pads, unless the
    /// pooling reads them.
    package func positions(length: Int, paddedLength: Int, isCausal: Bool) -> Int {
        switch self {
        case .lastToken, .meanText: length
        case .lastPosition, .mean: paddedLength
        case .first: isCausal ? 1 : length
        }
    }

    /// Appends the tokens at those positions to `tokens`, with pads where they are read.
    ///
    /// - Returns: how many tokens were appended.
    package func append(
        _ text: some Collection<Int32>, to tokens: inout [Int32], paddedLength: Int, padToken: Int32, isCausal: Bool
    ) -> Int {
        let wanted = positions(length: text.count, paddedLength: paddedLength, isCausal: isCausal)
        tokens.append(contentsOf: text.prefix(wanted))
        tokens.append(contentsOf: repeatElement(padToken, count: max(0, wanted - text.count)))
        return wanted
    }
}
