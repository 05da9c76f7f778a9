// A model of another program, and how it becomes one of this project's.

import GPT2Kit
import Records
import Safetensors
import Tokenization

/// A model that was read, whatever program wrote it.
public enum ConvertedModel: Sendable {
    /// With a head that tells classes apart, and what its directory keeps of its training.
    case classifier(Classifier, ModelStory)
    /// Without one. `output` is its head [V,C] where that isn't the token embedding.
    case language(PretrainedModel, output: Tensor?)

    /// Reads a model.
    ///
    /// - Parameters:
    ///   - path: a safetensors file or a directory: of a checkpoint of OpenAI's, of an adapter, or a model directory.
    ///   - choices: what the files don't tell. One that makes no difference to the model is refused.
    ///   - workers: read and check the weights.
    /// - Throws: ``ConversionError``; `ModelError`, `WeightFilesError`, `SafetensorsError`, `TokenizerError` and others where a
    ///   file can't be read; `OutOfMemory`.
    public init(_ path: String, _ choices: ConversionChoices, workers: Workers) throws {
        if OpenAICheckpoint.recognizes(path) {
            self = try Self.openAI(path, choices, workers)
        } else if LoRAAdapter.recognizes(path) {
            self = try Self.adapter(path, choices, workers)
        } else if Directory.entryNames(of: path)?.contains("config.json") ?? false {
            self = try Self.directory(path, choices, workers)
        } else {
            let weights = try Self.weights(path)
            guard BookWeights.recognizes(weights) else { throw ConversionError.unknownKind(path: path) }
            self = try Self.book(weights, choices)
        }
    }

    private static func weights(_ path: String) throws -> WeightFiles {
        if isPickle(path) { throw ConversionError.pickle(path: path) }
        guard Directory.entryNames(of: path) == nil else { return try WeightFiles(directory: path) }
        return WeightFiles(try SafetensorsFile(path: path))
    }

    private static func openAI(
        _ path: String, _ choices: ConversionChoices, _ workers: Workers
    ) throws -> ConvertedModel {
        try choices.requireUsed(by: .openAI, file: path)
        let checkpoint = try OpenAICheckpoint(directory: path)
        let model = try PretrainedModel(
            config: checkpoint.config, parameters: checkpoint.parameters(workers), tokenizerDirectory: path,
            origin: path)
        return .language(model, output: nil)
    }

    private static func book(_ weights: WeightFiles, _ choices: ConversionChoices) throws -> ConvertedModel {
        let file = weights.directory
        let book = try BookWeights(weights, choices)
        try choices.requireUsed(by: .book(isClassifier: book.isClassifier), file: file)
        let parameters = try book.parameters()
        let tokenizerDirectory = try choices.tokenizerDirectory(file: file)
        let model = try PretrainedModel(
            config: book.config, parameters: parameters, tokenizerDirectory: tokenizerDirectory, origin: file)
        guard book.isClassifier else {
            return .language(model, output: try book.outputEmbedding(parameters.tokenEmbedding))
        }
        // The chapter pads texts, and reads the last position of what is padded.
        let pooling = choices.pooling ?? .lastPosition
        guard
            let length = try choices.length(within: book.config, file: file)
                ?? (pooling == .lastPosition ? nil : book.config.positions)
        else {
            throw ConversionError.needsChoice(
                "to how many tokens texts were padded isn't in the file", remedy: "say so", .length, file: file)
        }
        let labels = try choices.labels(outputs: book.outputs, file: file)
        return .classifier(
            Classifier(
                config: book.config, parameters: parameters, labels: labels, pooling: pooling,
                paddedLength: length, padToken: model.tokenizer.endOfText,
                tokenizer: model.tokenizer, tokenizerDirectory: tokenizerDirectory, origin: file), ModelStory())
    }

    private static func adapter(
        _ path: String, _ choices: ConversionChoices, _ workers: Workers
    ) throws -> ConvertedModel {
        let adapter = try LoRAAdapter(directory: path)
        try choices.requireUsed(by: .adapter(isClassifier: adapter.isClassifier), file: path)
        let named = adapter.baseName.flatMap { Directory.entryNames(of: $0) == nil ? nil : $0 }
        guard let base = choices.base ?? named else {
            throw ConversionError.needsChoice(
                "the adapter was trained on \(adapter.baseName ?? "another model"), which isn't here",
                remedy: "name its directory", .base, file: path)
        }
        guard adapter.isClassifier else {
            let model = try PretrainedModel(
                base: .directory(base), tokenizerDirectory: choices.tokenizer, seed: 0, workers: workers)
            let parameters = try adapter.added(to: model.parameters, config: model.config, workers)
            return .language(PretrainedModel(model, parameters: parameters), output: nil)
        }
        guard let outputs = try adapter.classes() else {
            throw ConversionError.missingTensor("base_model.model.score.weight", file: path)
        }
        let model = try Classifier(
            base: .directory(base), labels: choices.labels(outputs: outputs, file: path),
            tokenizerDirectory: choices.tokenizer, seed: 0, workers: workers)
        // The head of the base, or a new one, is replaced as a whole; its class has no bias.
        return .classifier(
            model.with(
                parameters: try adapter.added(to: model.parameters.withoutHeadBias(), config: model.config, workers),
                pooling: choices.pooling, paddedLength: try choices.length(within: model.config, file: path)),
            ModelStory())
    }

    private static func directory(
        _ path: String, _ choices: ConversionChoices, _ workers: Workers
    ) throws -> ConvertedModel {
        let weights = try WeightFiles(directory: path)
        let isClassifier = try GPT2Parameters.classes(weights) != nil
        try choices.requireUsed(by: .directory(isClassifier: isClassifier), file: path)
        guard isClassifier else {
            let model = try PretrainedModel(
                base: .directory(path), tokenizerDirectory: choices.tokenizer, seed: 0, workers: workers)
            return .language(model, output: nil)
        }
        let model = try Classifier(directory: path, workers: workers)
        try model.weightsCheck?.wait()
        return .classifier(
            model.with(
                pooling: choices.pooling, paddedLength: try choices.length(within: model.config, file: path)),
            try ModelStory(directory: path))
    }
}

extension GPT2Parameters {
    fileprivate func withoutHeadBias() throws -> GPT2Parameters {
        var parameters = self
        parameters.headBias = try Tensor(shape: headBias.shape)
        return parameters
    }
}
