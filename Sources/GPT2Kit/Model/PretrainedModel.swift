// A language model: parameters and a tokenizer, without a classification head.

import Records
import Safetensors
import Tokenization

/// A GPT-2 that predicts the next token, to be trained, or to be a base of classifiers.
public struct PretrainedModel: Sendable {
    /// The sizes of the model.
    public let config: GPT2Config
    /// The weights; those of the head are empty.
    package let parameters: GPT2Parameters
    /// The tokenizer of the model's texts.
    public let tokenizer: Tokenizer
    /// The directory of vocab.json and merges.txt, or of tokenizer.json.
    public let tokenizerDirectory: String
    /// Where the parameters came from, for messages and model cards.
    public let origin: String

    /// The model that training starts from. A classifier's head is left out.
    ///
    /// - Parameters:
    ///   - base: the directory or the sizes to start from.
    ///   - tokenizerDirectory: the directory of the tokenizer; nil for the base's own.
    ///   - seed: of random parameters.
    ///   - workers: read, check and draw the parameters.
    /// - Throws: ``ModelError``; `TokenizerError`, `WeightFilesError` and others where the tokenizer or the weights
    ///   can't be read; ``OutOfMemory``.
    public init(base: Classifier.Base, tokenizerDirectory: String?, seed: UInt64, workers: Workers) throws {
        self.tokenizerDirectory = try tokenizerDirectory ?? base.tokenizerDirectory()
        tokenizer = try Tokenizer(directory: self.tokenizerDirectory)
        origin = base.description
        config = try base.config()
        if case .directory(let directory) = base {
            try Self.check(tokenizer, of: self.tokenizerDirectory, config, base: directory)
            parameters = try Self.parameters(directory, config, workers)
        } else {
            guard tokenizer.vocabularySize == config.vocabularySize else {
                throw ModelError.mismatch(
                    "the tokenizer has \(tokenizer.vocabularySize) tokens, the model \(config.vocabularySize)",
                    remedy: "set vocab_size to \(tokenizer.vocabularySize)", file: self.tokenizerDirectory)
            }
            if case .randomConfig(let file) = base { _ = try Self.readLanguageModel(file, config) }
            parameters = try GPT2Parameters(random: config, classes: 0, seed: seed, workers: workers)
        }
    }

    /// Reads what a config.json says besides the sizes, and refuses what no language model here has.
    private static func readLanguageModel(_ file: String, _ config: GPT2Config) throws -> OwnConfiguration {
        let json = try readJSON(file)
        let own = try OwnConfiguration(json, positions: config.positions, file: file)
        if json["tie_word_embeddings"] == .bool(false) {
            throw ModelError.unsupported("tie_word_embeddings false", file: file)
        }
        if own.isCausal == false { throw ModelError.unsupported("a language model without a causal mask", file: file) }
        return own
    }

    /// A model of parts that the caller has checked against each other.
    package init(config: GPT2Config, parameters: GPT2Parameters, tokenizerDirectory: String, origin: String) throws {
        self.config = config
        self.parameters = parameters
        self.tokenizerDirectory = tokenizerDirectory
        self.origin = origin
        tokenizer = try Tokenizer(directory: tokenizerDirectory)
        try config.requireRoom(for: tokenizer, of: tokenizerDirectory)
    }

    /// A model of parts that belong together.
    package init(_ other: PretrainedModel, parameters: GPT2Parameters) {
        config = other.config
        self.parameters = parameters
        tokenizer = other.tokenizer
        tokenizerDirectory = other.tokenizerDirectory
        origin = other.origin
    }

    private static func parameters(
        _ directory: String, _ config: GPT2Config, _ workers: Workers
    ) throws -> GPT2Parameters {
        let own = try readLanguageModel(directory + "/config.json", config)
        let weights = try WeightFiles(directory: directory)
        let check = try WeightsCheck(weights, expected: own.weightsSHA256)
        check?.begin()
        var parameters = try GPT2Parameters(
            weights, config: config, classes: GPT2Parameters.classes(weights) ?? 0, workers: workers
        ) { _, shape in try Tensor(shape: shape) }
        parameters.headWeight = try Tensor(shape: [0, config.width])
        parameters.headBias = try Tensor(shape: [0])
        try check?.wait()
        return parameters
    }

    /// Refuses a tokenizer that isn't the one of the base `directory`, as far as that tells.
    private static func check(
        _ tokenizer: Tokenizer, of tokenizerDirectory: String, _ config: GPT2Config, base directory: String
    ) throws {
        let file = directory + "/config.json"
        let json = try readJSON(file)
        let own = try OwnConfiguration(json, positions: config.positions, file: file)
        try config.require(tokenizer, of: tokenizerDirectory, json, own, base: directory)
    }
}

extension PretrainedModel {
    /// Writes the model directory, as Hugging Face's `GPT2LMHeadModel` expects it: its head is the token embedding
    /// ("tied"), and has no tensor of its own. All files appear, or none.
    ///
    /// - Parameters:
    ///   - precision: the number type of the weights in the file.
    ///   - output: the head [V,C] of a model whose head isn't the token embedding; nil for others.
    ///   - configuration: members of `gpt2kit` in config.json.
    ///   - card: the model card.
    /// - Throws: `StreamError` where it can't be written.
    package func write(
        directory: String, precision: StoredPrecision, output: Tensor? = nil, configuration: [JSONMember] = [],
        card: String
    ) throws {
        let tensors = parameters.named.filter { !$0.name.hasPrefix("score.") }.map {
            ("transformer." + $0.name, $0.tensor)
        }
        var files = ModelDirectory(
            config: config, tokenizer: tokenizer, padToken: tokenizer.endOfText, paddedLength: config.positions,
            architecture: "GPT2LMHeadModel",
            tensors: tensors + (output.map { [("lm_head.weight", $0)] } ?? []), precision: precision)
        files.members = [JSONMember(key: "tie_word_embeddings", value: .bool(output == nil))]
        files.own.before = [JSONMember(key: "tokenizer_sha256", value: .string(tokenizer.sha256))]
        files.own.after = configuration
        try files.write(directory, card: card)
    }
}
