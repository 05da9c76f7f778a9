// What a model directory tells of a classifier, without its weights.

import Evaluation
import Records
import Tokenization

/// The labels, the tokenizer and the training of a classifier.
public struct ClassifierDescription: Sendable {
    /// The model directory.
    public let directory: String
    /// The names of the classes, in the order of the head's outputs.
    public let labels: [String]
    /// T, the length in tokens at which texts are cut.
    public let paddedLength: Int
    /// The shares of the classes in training as the loss counted them, in the order of ``labels``; nil where config.json doesn't
    /// tell them.
    public let labelShares: [Double]?
    /// The checksum of the weights; nil where config.json names none.
    public let weightsSHA256: String?

    /// - Throws: ``ModelError``, and what reading config.json throws.
    public init(directory: String) throws {
        self.directory = directory
        let file = directory + "/config.json"
        let json = try readJSON(file)
        let config = try GPT2Config(json: json, file: file)
        let own = try OwnConfiguration(json, positions: config.positions, file: file)
        guard let labels = try Classifier.labels(json, file: file) else { throw ModelError.noHead(file: directory) }
        self.labels = labels
        paddedLength = own.paddedLength ?? config.positions
        weightsSHA256 = own.weightsSHA256
        labelShares = own.labelShares.map { shares in labels.map { shares[Label($0)] ?? 0 } }
    }

    /// The decision that `calibrate` has fitted for the model in `directory`; nil for none.
    ///
    /// - Throws: ``ModelError``, and what reading the files throws.
    public static func decision(of directory: String) throws -> Decision? {
        guard Directory.entryNames(of: directory)?.contains(Decision.fileName) ?? false else { return nil }
        return try ClassifierDescription(directory: directory).decision()
    }

    private func decision() throws -> Decision {
        let file = "\(directory)/\(Decision.fileName)"
        do throws(Decision.ReadError) {
            return try Decision(json: try json(file), labels: labels, weightsSHA256: weightsSHA256)
        } catch {
            switch error {
            case .bad(let name): throw ModelError.badDecision("\(name) is missing or can't be", file: file)
            case .format: throw ModelError.badDecision("it isn't in a format that this version reads", file: file)
            case .otherModel: throw ModelError.badDecision("it was fitted for another model", file: file)
            }
        }
    }

    private func json(_ file: String) throws(Decision.ReadError) -> JSONValue {
        do { return try readJSON(file) } catch { throw .bad("the file, which") }
    }
}
