// What the files of another program don't tell.

import GPT2Kit
import Records

/// What the user says of a model that is to be converted.
public struct ConversionChoices: Sendable {
    /// One of the things that can be said.
    public enum Choice: String, CaseIterable, Sendable {
        /// The properties of these names.
        case base, tokenizer, heads, labels, pooling, length
    }

    /// The number of heads, where the width isn't one of OpenAI's models.
    public var heads: Int?
    /// The directory of the model that an adapter was trained on.
    public var base: String?
    /// The directory of the tokenizer, where the model has none.
    public var tokenizer: String?
    /// The names of the classes, in the order of the head's outputs.
    public var labels: [String]?
    /// The token whose state the head reads.
    public var pooling: Pooling?
    /// The length in tokens that texts are padded or cut to.
    public var length: Int?

    /// Nothing is said.
    public init() {}

    /// Fails where something is said that makes no difference to a model of this kind.
    func requireUsed(by kind: ModelKind, file: String) throws(ConversionError) {
        let unused = Choice.allCases.filter { isMade($0) && !kind.choices.contains($0) }
        if !unused.isEmpty { throw .unusedChoices(unused, model: kind.name, file: file) }
    }

    private func isMade(_ choice: Choice) -> Bool {
        switch choice {
        case .base: base != nil
        case .tokenizer: tokenizer != nil
        case .heads: heads != nil
        case .labels: labels != nil
        case .pooling: pooling != nil
        case .length: length != nil
        }
    }

    /// The labels of a head with `outputs` outputs.
    func labels(outputs: Int, file: String) throws(ConversionError) -> [String] {
        guard outputs <= GPT2Parameters.mostClasses else {
            throw .malformed("a head of \(outputs) outputs", at: nil, file: file)
        }
        guard let labels else { return (0..<outputs).map { "LABEL_\($0)" } }
        guard labels.count == outputs else {
            throw .labelCount(labels: labels.count, outputs: outputs, file: file)
        }
        guard labels.firstRepeated == nil, !labels.contains("") else {
            throw .sameLabels(file: file)
        }
        return labels
    }

    /// ``length``, which has to be one that the model takes.
    func length(within config: GPT2Config, file: String) throws(ConversionError) -> Int? {
        guard let length, length > config.positions else { return length }
        throw .unsupported(
            "the model takes \(config.positions) tokens, not \(length)", remedy: "choose a smaller length", file: file)
    }

    /// The number of heads of a model of `width`: what is said, or that of OpenAI's models.
    func heads(width: Int, file: String) throws(ConversionError) -> Int {
        if let heads { return heads }
        guard let known = GPT2Config.releasedHeads(width: width) else {
            throw .needsChoice(
                "how many heads a model of width \(width) has isn't in the file", remedy: "say how many", .heads,
                file: file)
        }
        return known
    }

    /// The directory of the tokenizer.
    func tokenizerDirectory(file: String) throws(ConversionError) -> String {
        guard let tokenizer else {
            throw .needsChoice("the model has no tokenizer", remedy: "name its directory", .tokenizer, file: file)
        }
        return tokenizer
    }
}
