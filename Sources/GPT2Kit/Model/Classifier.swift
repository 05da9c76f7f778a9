// A classifier: parameters, labels, and how its head reads a text.

import Tokenization

/// A GPT-2 with a classification head, ready to be trained or to score.
public struct Classifier: Sendable {
    public let config: GPT2Config
    package let parameters: GPT2Parameters
    /// The name of every class, in the order of the head's outputs.
    public let labels: [String]
    public let pooling: Pooling
    /// T, the length that texts are padded or cut to.
    public let paddedLength: Int
    public let padToken: Int32
    public let tokenizer: Tokenizer
    /// The directory of vocab.json and merges.txt, or of tokenizer.json.
    public let tokenizerDirectory: String
    /// Where the parameters came from, for messages and model cards.
    public let origin: String
    /// Of a classifier that was read from a directory: tells whether its weights are whole. nil where its config.json
    /// names no checksum.
    public internal(set) var weightsCheck: WeightsCheck?

    package init(
        config: GPT2Config, parameters: GPT2Parameters, labels: [String], pooling: Pooling, paddedLength: Int,
        padToken: Int32, tokenizer: Tokenizer, tokenizerDirectory: String, origin: String
    ) {
        self.config = config
        self.parameters = parameters
        self.labels = labels
        self.pooling = pooling
        self.paddedLength = paddedLength
        self.padToken = padToken
        self.tokenizer = tokenizer
        self.tokenizerDirectory = tokenizerDirectory
        self.origin = origin
    }

    /// ``Tokenizer/sha256``.
    public var tokenizerSHA256: String { tokenizer.sha256 }

    /// This classifier with other parameters, or read in another way; what isn't named stays as it is.
    ///
    /// - Parameters:
    ///   - isCausal: see ``GPT2Config/isCausal``.
    package func with(
        parameters: GPT2Parameters? = nil, pooling: Pooling? = nil, isCausal: Bool? = nil, paddedLength: Int? = nil
    ) -> Classifier {
        var config = config
        config.isCausal = isCausal ?? config.isCausal
        return Classifier(
            config: config, parameters: parameters ?? self.parameters, labels: labels,
            pooling: pooling ?? self.pooling, paddedLength: paddedLength ?? self.paddedLength, padToken: padToken,
            tokenizer: tokenizer, tokenizerDirectory: tokenizerDirectory, origin: origin)
    }
}
