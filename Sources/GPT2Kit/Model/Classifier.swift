// A classifier: parameters, labels, and how its head reads a text. Loaded from, or started for, a model directory in
// Hugging Face's layout.

import Records
import Safetensors
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
    /// What training told; nil for a model that wasn't just trained.
    public private(set) var training: (settings: TrainingSettings, results: TrainingEvent.EndSummary)?
    /// What the model card says of how it was trained.
    public var provenance: Provenance?
    /// ``RunIdentity/sha256`` of the run that it was trained in, where that had checkpoints.
    package var runSHA256: String?
    /// Of a classifier that was read from a directory: tells whether its weights are whole. nil where its config.json
    /// names no checksum.
    public private(set) var weightsCheck: WeightsCheck?

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

    /// This classifier with attention to all positions instead of those before.
    package var withoutCausalMask: Classifier {
        var config = config
        config.isCausal = false
        return Classifier(
            config: config, parameters: parameters, labels: labels, pooling: pooling, paddedLength: paddedLength,
            padToken: padToken, tokenizer: tokenizer, tokenizerDirectory: tokenizerDirectory, origin: origin)
    }

    /// This classifier after training.
    package func trained(
        _ parameters: GPT2Parameters, settings: TrainingSettings, paddedLength: Int,
        results: TrainingEvent.EndSummary
    ) -> Classifier {
        var result = Classifier(
            config: config, parameters: parameters, labels: labels, pooling: settings.pooling,
            paddedLength: paddedLength, padToken: padToken, tokenizer: tokenizer,
            tokenizerDirectory: tokenizerDirectory, origin: origin)
        result.training = (settings, results)
        return result
    }

    /// Refuses texts that were not made for this model.
    package func check(_ set: LabelledTexts) throws(ModelError) {
        let made = set.texts.description
        guard tokenizer.isIdentified(by: made.tokenizerSHA256) else {
            throw .mismatch(
                "the tokens were made with another tokenizer than \(tokenizerDirectory) holds",
                remedy: "run tokenize-pad with --tokenizer \(tokenizerDirectory)", file: set.source)
        }
        guard made.labelNames.elementsEqual(labels, by: { $0.utf8.elementsEqual($1.utf8) }) else {
            throw .mismatch(
                "its labels are \(list(made.labelNames)); those of the training shard are \(list(labels))",
                remedy: "run tokenize-pad with --labels-from the training shard", file: set.source)
        }
        guard made.paddedLength <= config.positions else {
            throw .mismatch(
                "texts are padded to \(made.paddedLength) tokens but the model has \(config.positions) positions",
                remedy: "run tokenize-pad with --length \(config.positions)", file: set.source)
        }
        if let id = set.texts.rows.ids.max(), Int(id) >= config.vocabularySize {
            throw .mismatch(
                "token \(id) is beyond the model's vocabulary of \(config.vocabularySize)",
                remedy: "use the model's own tokenizer", file: set.source)
        }
    }
}

/// "ham, spam"
private func list(_ labels: [String]) -> String { labels.joined(separator: ", ") }

extension Classifier {
    /// Where a classifier that is to be trained starts from.
    public enum Base: Sendable, Equatable {
        /// A model directory, with or without a head.
        case directory(String)
        /// GPT-2's initialisation at one of OpenAI's sizes ("gpt2").
        case randomNamed(String)
        /// GPT-2's initialisation at the sizes of a config.json.
        case randomConfig(path: String)

        /// "DIR", "random:NAME" or "random:CONFIG.json".
        public init(_ text: String) {
            guard text.hasPrefix("random:") else {
                self = .directory(text)
                return
            }
            let name = String(text.dropFirst("random:".count))
            self = name.hasSuffix(".json") || name.contains("/") ? .randomConfig(path: name) : .randomNamed(name)
        }

        public var description: String {
            switch self {
            case .directory(let path): path
            case .randomNamed(let name): "random:\(name)"
            case .randomConfig(let path): "random:\(path)"
            }
        }

        /// The directory of the base's own tokenizer.
        ///
        /// - Throws: ``ModelError/noTokenizer(base:)``; ``ModelError/noBase(_:)``.
        public func tokenizerDirectory() throws(ModelError) -> String {
            guard let directory, let names = Directory.entryNames(of: directory),
                !Tokenizer.fileNames.isDisjoint(with: names)
            else { throw .noTokenizer(base: description) }
            return directory
        }

        /// The directory that may hold the base's tokenizer.
        private var directory: String? {
            switch self {
            case .directory(let path): path
            case .randomNamed: nil
            case .randomConfig(let path):
                path.contains("/")
                    ? path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
                    : "."
            }
        }
    }

    /// A classifier to be trained on texts with `labels`.
    ///
    /// - Parameters:
    ///   - tokenizerDirectory: that of the tokenizer; nil for the one of the base directory.
    ///   - seed: of the parameters that the base doesn't have.
    /// - Throws: ``ModelError``, ``TokenizerError``, ``CheckpointError`` and their like.
    public init(
        base: Base, labels: [String], pooling: Pooling, tokenizerDirectory: String?, seed: UInt64, workers: Workers
    ) throws {
        let tokenizerDirectory = try tokenizerDirectory ?? base.tokenizerDirectory()
        let config: GPT2Config
        let parameters: GPT2Parameters
        switch base {
        case .directory(let directory):
            let json = try readJSON(directory + "/config.json")
            config = try GPT2Config(json: json, file: directory + "/config.json")
            let own = try OwnConfiguration(json, positions: config.positions, file: directory + "/config.json")
            let checkpoint = try Checkpoint(directory: directory)
            let check = try WeightsCheck(checkpoint, expected: own.weightsSHA256)
            check?.begin()
            if let classes = try GPT2Parameters.classes(checkpoint), classes != labels.count {
                throw ModelError.headMismatch(head: classes, labels: labels.count, file: directory)
            }
            if let known = try Self.labels(json, file: directory), known != labels,
                try GPT2Parameters.classes(checkpoint) != nil
            {
                throw ModelError.mismatch(
                    "the head's labels are \(list(known)), the data's \(list(labels))",
                    remedy: "use a base model without a head, or data with the model's labels", file: directory)
            }
            parameters = try GPT2Parameters(
                checkpoint, config: config, classes: labels.count, workers: workers
            ) { name, shape in
                try GPT2Parameters.randomHead(name, shape, width: config.width, seed: seed)
            }
            // Training takes so much longer that it can wait.
            try check?.wait()
        case .randomNamed(let name):
            guard let known = try GPT2Config.named(name) else { throw ModelError.unknownModel(name) }
            config = known
            parameters = try GPT2Parameters(random: config, classes: labels.count, seed: seed, workers: workers)
        case .randomConfig(let path):
            config = try GPT2Config(path: path)
            parameters = try GPT2Parameters(random: config, classes: labels.count, seed: seed, workers: workers)
        }
        let tokenizer = try Tokenizer(directory: tokenizerDirectory)
        try Self.check(tokenizer, config, tokenizerDirectory)
        self.init(
            config: config, parameters: parameters, labels: labels, pooling: pooling, paddedLength: config.positions,
            padToken: tokenizer.endOfText, tokenizer: tokenizer,
            tokenizerDirectory: tokenizerDirectory, origin: base.description)
    }

    /// A trained classifier of a model directory.
    public init(directory: String, workers: Workers) throws {
        let file = directory + "/config.json"
        let json = try readJSON(file)
        var config = try GPT2Config(json: json, file: file)
        let checkpoint = try Checkpoint(directory: directory)
        guard let classes = try GPT2Parameters.classes(checkpoint) else { throw ModelError.noHead(file: directory) }
        let labels = try Self.labels(json, file: file) ?? (0..<classes).map { "LABEL_\($0)" }
        guard labels.count == classes else {
            throw ModelError.headMismatch(head: classes, labels: labels.count, file: directory)
        }
        let own = try OwnConfiguration(json, positions: config.positions, file: file)
        config.isCausal = own.isCausal ?? true
        let check = try WeightsCheck(checkpoint, expected: own.weightsSHA256)
        let tokenizer = try Tokenizer(directory: directory)
        try Self.check(tokenizer, config, directory)
        if let hash = own.tokenizerSHA256, !tokenizer.isIdentified(by: hash) {
            throw ModelError.mismatch(
                "the tokenizer is not the one that the model was trained with",
                remedy: "restore the model directory", file: directory)
        }
        let parameters = try GPT2Parameters(checkpoint, config: config, classes: classes, workers: workers) {
            _, shape in try Tensor(shape: shape)  // a head without bias
        }
        self.init(
            config: config, parameters: parameters, labels: labels, pooling: own.pooling ?? .lastToken,
            paddedLength: own.paddedLength ?? config.positions,
            padToken: Int32(
                json["pad_token_id"]?.int.flatMap { (0..<config.vocabularySize).contains($0) ? $0 : nil }
                    ?? Int(tokenizer.endOfText)),
            tokenizer: tokenizer, tokenizerDirectory: directory, origin: directory)
        weightsCheck = check
    }

    private static func check(_ tokenizer: Tokenizer, _ config: GPT2Config, _ directory: String) throws(ModelError) {
        guard tokenizer.vocabularySize <= config.vocabularySize else {
            throw .mismatch(
                "the tokenizer has \(tokenizer.vocabularySize) tokens, the model \(config.vocabularySize)",
                remedy: "use the model's own tokenizer", file: directory)
        }
    }

    /// The values of `id2label` in the order of their ids; nil where there is none.
    private static func labels(_ json: JSONValue, file: String) throws(ModelError) -> [String]? {
        guard let members = json["id2label"]?.object, !members.isEmpty else { return nil }
        var labels = [String?](repeating: nil, count: members.count)
        for member in members {
            guard let id = Int(member.key), labels.indices.contains(id), labels[id] == nil,
                let label = member.value.string
            else { throw .missingField("id2label", file: file) }
            labels[id] = label
        }
        return labels.compactMap { $0 }
    }
}
