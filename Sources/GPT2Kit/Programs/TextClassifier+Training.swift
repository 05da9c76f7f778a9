// Fine-tuning on texts in memory.

import Records
import Tokenization

/// A text whose label is known.
public struct LabelledText: Sendable, Equatable {
    /// The text.
    public var text: String
    /// The name of its class.
    public var label: String

    /// A text with a label.
    public init(_ text: String, label: String) {
        self.text = text
        self.label = label
    }
}

extension TextClassifier {
    /// Fine-tunes a base on labelled texts, writes the model directory, and reads it.
    ///
    /// The classes are the labels of `texts`. Texts are cut at the length of the longest of them, or at what the base takes.
    ///
    /// - Parameters:
    ///   - texts: what is trained on.
    ///   - validation: what the run is watched with; its labels have to be those of `texts`.
    ///   - base: the model directory to start from.
    ///   - settings: how training runs.
    ///   - directory: where the model is written; a model that is there is replaced.
    ///   - report: gets every event, in order.
    /// - Throws: ``ModelError``, ``TrainingError``, ``OutOfMemory``, `StreamError`, and others that are `DiagnosableError`.
    public static func train(
        _ texts: [LabelledText], validation: [LabelledText], base: String,
        settings: TrainingSettings = TrainingSettings(),
        to directory: String, report: (TrainingEvent) throws -> Void = { _ in }
    ) throws -> TextClassifier {
        let workers = Workers(count: Workers.cores)
        let labels = texts.map(\.label).distinctLabels
        let classifier = try Classifier(
            base: .directory(base), labels: labels, tokenizerDirectory: nil, seed: settings.seed, workers: workers)
        let training = try classifier.labelled(texts, "texts", length: nil)
        let datasets = Datasets(
            training: training,
            validation: try classifier.labelled(
                validation, "validation", length: training.texts.description.paddedLength),
            test: nil)
        var trained = try FineTuner(settings: settings, workers: workers).train(
            classifier, on: datasets, report: report)
        try trained.remember(training)
        try trained.write(directory: directory)
        return try TextClassifier(directory: directory)
    }
}

extension Classifier {
    /// The tokens of texts, cut at `length`: nil for that of the longest.
    fileprivate func labelled(_ texts: [LabelledText], _ source: String, length: Int?) throws -> LabelledTexts {
        var encoder = TokenEncoder(tokenizer)
        var tokens = texts.map { encoder.encode(Array($0.text.utf8)) }
        let longest = length ?? min(config.positions, max(1, tokens.map(\.count).max() ?? 1))
        var (rows, truncated) = (TokenRows(), 0)
        for (index, text) in texts.enumerated() {
            guard let label = labels.index(ofLabel: text.label) else {
                throw TrainingError.unusableData(
                    "text \(index + 1) has the label '\(text.label)', which none of the training texts has",
                    remedy: "train on texts of every label", file: source)
            }
            if tokens[index].isEmpty { tokens[index] = [padToken] }
            truncated += tokens[index].count > longest ? 1 : 0
            rows.append(tokens[index].prefix(longest), label: Int32(label), line: Int64(index + 1))
        }
        let description = TokenSetDescription(
            paddedLength: longest, padToken: padToken, labelNames: labels, tokenizerSHA256: tokenizerSHA256)
        return LabelledTexts(
            source: source, texts: TokenizedTexts(description: description, rows: rows, truncated: truncated))
    }
}
