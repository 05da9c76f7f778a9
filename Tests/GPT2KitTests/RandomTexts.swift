// A classifier of random parameters that reads single bytes, and texts for it.

import Foundation
import GPT2Kit
import Records
import Tokenization

/// A classifier of random parameters with the byte tokenizer of `directory`.
func randomClassifier(
    _ directory: String, labels: [String] = ["ham", "spam"], pooling: Pooling = .lastToken, width: Int = 16,
    paddedLength: Int = 32
) throws -> Classifier {
    let model = try RandomClassifier(
        seed: 51, vocabulary: 257, positions: max(32, paddedLength), width: width, blocks: 2, heads: 2,
        classes: labels.count)
    let tokenizer = try Tokenizer(directory: directory)
    return Classifier(
        config: model.config, parameters: model.parameters, labels: labels, pooling: pooling,
        paddedLength: paddedLength, padToken: tokenizer.endOfText, tokenizer: tokenizer,
        tokenizerDirectory: directory, origin: "random")
}

/// Settings of a few quick steps, with an evaluation every third.
func shortTraining(epochs: Int, _ change: (inout TrainingSettings) -> Void) -> TrainingSettings {
    var settings = TrainingSettings()
    settings.epochs = epochs
    settings.learningRate = 1e-3
    settings.evaluateEvery = 3
    change(&settings)
    return settings
}

/// Random labelled rows of 1…`length` tokens for `classifier`: the label is whether the first token is odd.
func randomTexts(
    _ count: Int, for classifier: Classifier, seed: UInt64, length: Int = 12, labels: [String]? = nil,
    tokenizer: String? = nil, unlabelled: Int? = nil
) -> LabelledTexts {
    var generator = SeededGenerator(seed: seed)
    var rows = TokenRows()
    for row in 0..<count {
        let tokens = (0..<1 + generator.nextInteger(below: length)).map { _ in Int32(generator.nextInteger(below: 250))
        }
        rows.append(tokens, label: row == unlabelled ? -1 : tokens[0] % 2, line: Int64(row + 1))
    }
    let description = TokenSetDescription(
        paddedLength: length, padToken: classifier.padToken, labelNames: labels ?? classifier.labels,
        tokenizerSHA256: tokenizer ?? classifier.tokenizerSHA256)
    return LabelledTexts(
        source: "texts", texts: TokenizedTexts(description: description, rows: rows, truncated: 0))
}

/// A file descriptor for a new file.
func openForWriting(_ path: String) -> Int32? {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    return descriptor < 0 ? nil : descriptor
}
