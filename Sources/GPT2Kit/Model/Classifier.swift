// A classifier: parameters, labels, and how its head reads a text.

import Tokenization

/// A GPT-2 with a classification head, ready to be trained or to score.
public struct Classifier: Sendable {
    /// The sizes of the model, and its attention mask.
    public let config: GPT2Config
    /// The weights, with those of the head.
    package let parameters: GPT2Parameters
    /// The name of every class, in the order of the head's outputs.
    public let labels: [String]
    /// The token whose state the head reads.
    public let pooling: Pooling
    /// T, the length that texts are padded or cut to.
    public let paddedLength: Int
    /// The token that texts are padded with.
    public let padToken: Int32
    /// The tokenizer of the model's texts.
    public let tokenizer: Tokenizer
    /// The directory of vocab.json and merges.txt, or of tokenizer.json.
    public let tokenizerDirectory: String
    /// Where the parameters came from, for messages and model cards.
    public let origin: String
    /// The check of the weights of a classifier that was read from a directory. nil where its config.json names no
    /// checksum, and there is no prepacked copy.
    public internal(set) var weightsCheck: WeightsCheck?
    /// The place of the prepacked copy of the weights; nil where they don't come from files.
    package internal(set) var prepackedCopy: PrepackedCopy?

    /// A classifier of parts that the caller has checked against each other.
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

    /// The SHA-256 of ``tokenizer``, in hexadecimal: `Tokenizer.sha256`.
    public var tokenizerSHA256: String { tokenizer.sha256 }

    /// This classifier with other parameters, or with another way to read a text. What is nil stays as it is.
    ///
    /// - Parameter isCausal: see ``GPT2Config/isCausal``.
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
