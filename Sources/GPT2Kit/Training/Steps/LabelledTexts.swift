// The texts that a run reads.

import Records
import Tokenization

/// Tokenized texts with their labels, and where they came from, for messages.
public struct LabelledTexts: Sendable {
    /// A file's path, or "stdin".
    public let source: String
    /// The tokens and labels, and how they were made.
    public let texts: TokenizedTexts

    /// Texts that came from `source`.
    public init(source: String, texts: TokenizedTexts) {
        self.source = source
        self.texts = texts
    }

    /// The number of texts.
    public var count: Int { texts.rows.count }

    /// Refuses texts of which one has no label.
    ///
    /// - Throws: ``TrainingError/unusableData(_:remedy:file:)``.
    public func requireLabels() throws(TrainingError) {
        if let row = texts.rows.labels.firstIndex(where: { $0 < 0 }) {
            throw .unusableData(
                "the record of line \(texts.rows.lines[row]) has no label",
                remedy: "label all records, and name the key of the label to tokenize-pad if it isn't \"label\"",
                file: source)
        }
    }

    /// Refuses texts that were not made for `base`.
    ///
    /// - Throws: ``ModelError/mismatch(_:remedy:choice:file:)``.
    func requireMade(for base: Classifier) throws(ModelError) {
        let made = texts.description
        guard base.tokenizer.isIdentified(by: made.tokenizerSHA256) else {
            throw .mismatch(
                "the tokens were made with another tokenizer than \(base.tokenizerDirectory) holds",
                remedy: "tokenize with the tokenizer of \(base.tokenizerDirectory)", choice: .tokenizerOfShards,
                file: source)
        }
        guard made.labelNames.areSameLabels(as: base.labels) else {
            throw .mismatch(
                "its labels are \(made.labelNames.joined(separator: ", ")); "
                    + "those of the training shard are \(base.labels.joined(separator: ", "))",
                remedy: "tokenize with the labels of the training shard", choice: .labelsOfShards, file: source)
        }
        try made.requireFitting(base.config, source: source)
        if let id = texts.rows.ids.max(), Int(id) >= base.config.vocabularySize {
            throw .mismatch(
                "token \(id) is beyond the model's vocabulary of \(base.config.vocabularySize)",
                remedy: "use the model's own tokenizer", file: source)
        }
    }
}

extension TokenSetDescription {
    /// Refuses rows that are longer than the model's texts may be.
    ///
    /// - Throws: ``ModelError/mismatch(_:remedy:choice:file:)``.
    func requireFitting(_ config: GPT2Config, source: String) throws(ModelError) {
        guard paddedLength <= config.positions else {
            throw .mismatch(
                "texts are padded to \(paddedLength) tokens but the model has \(config.positions) positions",
                remedy: "tokenize with a length of at most \(config.positions)", choice: .lengthOfShards, file: source)
        }
    }
}

/// The three sets of a run.
public struct Datasets: Sendable {
    /// The texts that gradients are computed of.
    public let training: LabelledTexts
    /// The texts that evaluations compute while training runs.
    public let validation: LabelledTexts
    /// The texts that are evaluated once, when training has ended; nil for none.
    public let test: LabelledTexts?

    /// The sets of a run.
    public init(training: LabelledTexts, validation: LabelledTexts, test: LabelledTexts? = nil) {
        self.training = training
        self.validation = validation
        self.test = test
    }

    /// Training, validation, and test where there is one.
    package var all: [LabelledTexts] { [training, validation] + (test.map { [$0] } ?? []) }
}
