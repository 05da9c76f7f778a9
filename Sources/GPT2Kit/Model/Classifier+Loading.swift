// Classifiers from model directories, and new ones.

import Platform
import Records
import Safetensors
import Tokenization

/// "ham, spam"
private func list(_ labels: [String]) -> String { labels.joined(separator: ", ") }

extension Classifier {
    /// What training starts from.
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
        /// - Throws: ``ModelError/noTokenizer(base:)``; ``ModelError/noBase(_:)``; `StreamError` where the directory can't be read.
        public func tokenizerDirectory() throws -> String {
            if case .directory(let path) = self { try Self.requireReadable(path) }
            guard let directory, let names = Directory.entryNames(of: directory),
                !Tokenizer.fileNames.isDisjoint(with: names)
            else { throw ModelError.noTokenizer(base: description) }
            return directory
        }

        /// The sizes of the base.
        ///
        /// - Throws: ``ModelError/noBase(_:)``, ``ModelError/unknownModel(_:)``, and what reading its config.json throws.
        func config() throws -> GPT2Config {
            switch self {
            case .directory(let directory):
                try Self.requireReadable(directory)
                return try GPT2Config(path: directory + "/config.json")
            case .randomNamed(let name):
                guard let known = try GPT2Config.named(name) else { throw ModelError.unknownModel(name) }
                return known
            case .randomConfig(let path): return try GPT2Config(path: path)
            }
        }

        private static func requireReadable(_ directory: String) throws {
            if Directory.entryNames(of: directory) != nil { return }
            // What is there but can't be read says itself why.
            if access(directory, F_OK) == 0 { _ = try ByteSource(path: directory + "/config.json") }
            throw ModelError.noBase(directory)
        }

        /// The directory that may hold the base's tokenizer.
        private var directory: String? {
            switch self {
            case .directory(let path): path
            case .randomNamed: nil
            case .randomConfig(let path): Path.parent(of: path)
            }
        }
    }

    /// A classifier to be trained on texts with `labels`. The training settings decide on its pooling and its mask.
    ///
    /// - Parameters:
    ///   - base: the directory or the sizes to start from.
    ///   - labels: the names of the classes, in the order of their indices.
    ///   - tokenizerDirectory: the directory of the tokenizer; nil for the base's own.
    ///   - seed: of the parameters that the base doesn't have: its head's, or all.
    ///   - workers: read, check and draw the parameters.
    /// - Throws: ``ModelError``; `TokenizerError`, `WeightFilesError` and others where the tokenizer or the weights
    ///   can't be read; ``OutOfMemory``.
    public init(
        base: Base, labels: [String], tokenizerDirectory: String?, seed: UInt64, workers: Workers
    ) throws {
        let tokenizerDirectory = try tokenizerDirectory ?? base.tokenizerDirectory()
        let tokenizer = try Tokenizer(directory: tokenizerDirectory)
        let config: GPT2Config
        let parameters: GPT2Parameters
        switch base {
        case .directory(let directory):
            let json = try readJSON(directory + "/config.json")
            config = try GPT2Config(json: json, file: directory + "/config.json")
            let own = try OwnConfiguration(json, positions: config.positions, file: directory + "/config.json")
            try config.require(tokenizer, of: tokenizerDirectory, json, own, base: directory)
            let weights = try WeightFiles(directory: directory)
            let check = try WeightsCheck(weights, expected: own.weightsSHA256)
            check?.begin()
            if let classes = try GPT2Parameters.classes(weights), classes != labels.count {
                throw ModelError.headMismatch(head: classes, labels: labels.count, file: directory)
            }
            if let known = try Self.labels(json, file: directory), !known.areSameLabels(as: labels),
                try GPT2Parameters.classes(weights) != nil
            {
                throw ModelError.mismatch(
                    "the head's labels are \(list(known)), the data's \(list(labels))",
                    remedy: "use a base model without a head, or data with the model's labels", file: directory)
            }
            parameters = try GPT2Parameters(
                weights, config: config, classes: labels.count, workers: workers
            ) { name, shape in
                try GPT2Parameters.randomHead(name, shape, width: config.width, seed: seed)
            }
            // The check takes little time beside training, so training waits for it.
            try check?.wait()
        case .randomNamed, .randomConfig:
            config = try base.config()
            try config.requireRoom(for: tokenizer, of: tokenizerDirectory)
            parameters = try GPT2Parameters(random: config, classes: labels.count, seed: seed, workers: workers)
        }
        self.init(
            config: config, parameters: parameters, labels: labels, pooling: .lastToken, paddedLength: config.positions,
            padToken: tokenizer.endOfText, tokenizer: tokenizer,
            tokenizerDirectory: tokenizerDirectory, origin: base.description)
    }

    /// Reads a trained classifier from a model directory.
    ///
    /// - Throws: ``ModelError``; `TokenizerError`, `WeightFilesError` and others where a file can't be read;
    ///   ``OutOfMemory``.
    public init(directory: String, workers: Workers) throws {
        // The tokenizer takes about as long as all the rest.
        let reading = Background { try Tokenizer(directory: directory) }
        defer { _ = try? reading.value() }
        let file = directory + "/config.json"
        let json = try readJSON(file)
        var config = try GPT2Config(json: json, file: file)
        let weights = try WeightFiles(directory: directory)
        guard let classes = try GPT2Parameters.classes(weights) else { throw ModelError.noHead(file: directory) }
        let labels = try Self.labels(json, file: file) ?? (0..<classes).map { "LABEL_\($0)" }
        guard labels.count == classes else {
            throw ModelError.headMismatch(head: classes, labels: labels.count, file: directory)
        }
        if classes < 2 || ["regression", "multi_label_classification"].contains(json["problem_type"]?.string) {
            throw ModelError.notSingleLabel(json["problem_type"]?.string ?? "a head of one output", file: file)
        }
        let own = try OwnConfiguration(json, positions: config.positions, file: file)
        config.isCausal = own.isCausal ?? true
        // For the last block, which computes one position. It must be over when the process ends, whatever happens here.
        let needsKernels = own.pooling?.readsAllPositions != true
        let kernels = needsKernels ? Background { [width = config.width] in makeMatmulKernels(width: width) } : nil
        defer { _ = try? kernels?.value() }
        let copy = PrepackedCopy(weights, weightsSHA256: own.weightsSHA256)
        let check = try WeightsCheck(weights, expected: own.weightsSHA256, copy)
        let read = Result { [config] in
            try GPT2Parameters(
                weights, config: config, classes: classes, areChecked: copy?.isThere == true, workers: workers
            ) { _, shape in
                try Tensor(shape: shape)  // a head without bias
            }
        }
        copy?.populate()
        let tokenizer = try reading.value()
        try config.requireRoom(for: tokenizer, of: directory)
        if let hash = own.tokenizerSHA256, !tokenizer.isIdentified(by: hash) {
            throw ModelError.mismatch(
                "the tokenizer isn't the one that the model was trained with",
                remedy: "restore the model directory", file: directory)
        }
        let parameters = try read.get()
        self.init(
            config: config, parameters: parameters, labels: labels, pooling: own.pooling ?? .lastToken,
            paddedLength: own.paddedLength ?? config.positions,
            padToken: Int32(
                json["pad_token_id"]?.int.flatMap { (0..<config.vocabularySize).contains($0) ? $0 : nil }
                    ?? Int(tokenizer.endOfText)),
            tokenizer: tokenizer, tokenizerDirectory: directory, origin: directory)
        weightsCheck = check
        prepackedCopy = copy
    }

    /// The values of `id2label` in the order of their ids; nil where config.json has none.
    static func labels(_ json: JSONValue, file: String) throws(ModelError) -> [String]? {
        guard let object = json["id2label"], object.object?.isEmpty == false else { return nil }
        guard let names = object.indexedStrings else { throw .missingField("id2label", file: file) }
        guard names.firstRepeated == nil else {
            throw .wrongValue("id2label", needed: "another name for every class", file: file)
        }
        return names
    }
}
