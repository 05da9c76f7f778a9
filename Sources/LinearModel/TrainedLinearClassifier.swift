// What a training leaves: the model directory with its card, and the metrics.

import Evaluation
import Records

/// A linear classifier, and how it was trained.
public struct TrainedLinearClassifier: Sendable {
    private let result: LinearTrainer.Result
    private let trainer: LinearTrainer
    private let data: LinearTrainingTexts

    /// Trains on `data` as `trainer` says.
    ///
    /// - Throws: `OutOfMemory`.
    public init(_ data: LinearTrainingTexts, _ trainer: LinearTrainer) throws(OutOfMemory) {
        result = try trainer.train(data)
        (self.trainer, self.data) = (trainer, data)
    }

    private var features: Int { result.classifier.vocabulary.hashes.count }

    /// Texts of every class, features, and how well the classifiers of the parts do on texts that they weren't trained on.
    public var metrics: [(String, JSONValue)] {
        [
            ("event", .string("baseline")), ("texts", .number(data.classes.count)),
            ("labels", counts), ("features", .number(features)),
            ("folds", .number(result.folds)),
            ("out_of_fold_accuracy", .number(result.accuracy.map { Float($0) })),
            ("out_of_fold_loss", .number(result.loss.map { Float($0) })),
            ("temperature", .number(Float(result.classifier.temperature))),
        ]
    }

    private var counts: JSONValue {
        .object(zip(data.labels, data.counts).map { JSONMember(key: $0, value: .number($1)) })
    }

    /// Writes the probabilities of every text by a classifier that was trained without its part, in order: as `score` writes them, with
    /// the text's label as `expected`, and without its other members. Texts of a part that couldn't be left out are missing: see
    /// ``LinearTrainer/requireOutOfFold(_:)``.
    ///
    /// - Throws: `StreamError`.
    public func writeOutOfFold(to sink: ByteSink) throws {
        let members = ScoreMembers(data.labels)
        for (text, probabilities) in result.outOfFold.enumerated() {
            guard let probabilities else { continue }
            var line = [UInt8(ascii: "{")]
            members.append(
                line: data.lines[text], expected: data.classes[text], label: LogProbabilities.likeliest(probabilities),
                probabilities, to: &line)
            try sink.write(line + Array("}\n".utf8))
        }
    }

    /// Writes the model directory. All of its files appear, or none.
    ///
    /// - Parameter command: the words of the command that trained it, for the card.
    /// - Throws: `StreamError` where it can't be written.
    public func write(directory: String, command: [String]) throws {
        let training: [(String, JSONValue)] = [
            ("labels", counts), ("cost", .number(trainer.cost)),
            ("class_weights", trainer.balancesClasses ? .string("balanced") : .null),
            ("folds", .number(result.folds)), ("seed", .number(trainer.seed)),
            ("sha256", .string(data.sha256)),
        ]
        try result.classifier.write(
            directory: directory, training: .object(training.map { JSONMember(key: $0, value: $1) }),
            card: card(command))
    }

    private func card(_ command: [String]) -> String {
        func share(_ value: Double) -> String { "\((value * 1000).rounded() / 10) %" }
        let names = zip(data.labels, data.counts).map { "\($0.tableCell) \($1)" }.joined(separator: ", ")
        let held =
            result.accuracy.map {
                "\(share($0)) of the training texts get their label from a model that was trained without their part, one of "
                    + "\(result.folds)."
            } ?? "No part of the training texts could be left out to measure how well it does."
        return """
            # Linear text classifier

            A linear support vector machine for every class, on TF-IDF of words, pairs of words and runs of 2 to 5 characters:
            the baseline that a language model has to beat.

            | | |
            | --- | --- |
            | texts | \(names) |
            | features | \(features) |
            | C | \(trainer.cost) |
            | classes | \(trainer.balancesClasses ? "count alike" : "count as often as they occur") |
            | training data, SHA-256 | `\(data.sha256)` |

            \(held)

            ## Command

                \(ShellWords.joined(command).printable)

            ## Use

            `score --model DIRECTORY < messages.txt` scores one message a line.

            """
    }
}
