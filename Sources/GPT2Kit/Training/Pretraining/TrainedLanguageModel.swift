// A language model, and how it was trained.

import Records
import Tokenization

/// The result of a pretraining run.
public struct TrainedLanguageModel: Sendable {
    /// The model with the weights that are kept.
    public let model: PretrainedModel
    /// The settings that it was trained with.
    public let settings: PretrainingSettings
    /// Steps and losses at the end of the run.
    public let results: PretrainingEvent.EndSummary
    /// Command and machine, for the model card; nil leaves them out.
    public var provenance: Provenance?
    /// ``RunIdentity/sha256`` of the run, where it had checkpoints and is over.
    package var runSHA256: String?
    let corpora: [(part: String, corpus: TokenCorpus)]

    init(
        _ model: PretrainedModel, _ settings: PretrainingSettings, _ data: PretrainingData,
        _ results: PretrainingEvent.EndSummary
    ) {
        self.model = model
        self.settings = settings
        self.results = results
        corpora = [("training", data.training), ("validation", data.validation)]
    }

    /// Writes the model directory. All of its files appear, or none.
    ///
    /// - Parameters:
    ///   - directory: its path.
    ///   - precision: the number type of the weights in the file.
    /// - Throws: `StreamError` where it can't be written; ``OutOfMemory``.
    public func write(directory: String, precision: StoredPrecision = .float32) throws {
        var members: [JSONMember] = []
        if let runSHA256 { members.append(JSONMember(key: "run_sha256", value: .string(runSHA256))) }
        members.append(JSONMember(key: "training", value: training))
        try model.write(directory: directory, precision: precision, configuration: members, card: card)
    }

    /// The settings, the data and what came of them, as config.json has them.
    private var training: JSONValue {
        var members = settings.json(base: model.origin).object ?? []
        func add(_ key: String, _ value: JSONValue) { members.append(JSONMember(key: key, value: value)) }
        for (part, corpus) in corpora {
            add("\(part)_rows", .number(corpus.count))
            add("\(part)_tokens", .number(corpus.tokens))
            add("\(part)_data_sha256", .string(corpus.sha256))
        }
        add("steps", .number(results.steps))
        add("tokens", .number(results.tokens))
        add("kept", .string(results.keepsAverage ? "average" : "last"))
        add("validation_loss", .number(results.kept.loss))
        add("bits_per_byte", .number(results.kept.bitsPerByte))
        return .object(members)
    }
}
