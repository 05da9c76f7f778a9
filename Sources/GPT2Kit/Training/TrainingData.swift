// What a run works on: the model that it starts from, and the texts.

import Tokenization

/// Tokenized texts with their labels, and where they came from, for messages.
public struct LabelledTexts: Sendable {
    public let source: String
    public let texts: TokenizedTexts

    public init(source: String, texts: TokenizedTexts) {
        self.source = source
        self.texts = texts
    }

    public var count: Int { texts.rows.count }
}

/// Data that have been checked against each other.
package struct TrainingData: Sendable {
    /// The base, without causal mask where the settings say so.
    let base: Classifier
    let objective: CrossEntropyLoss
    /// Training, validation, and test where there is one.
    let sets: [Features]
    let texts: DistinctTexts
    /// T of the training set.
    let paddedLength: Int

    var training: Features { sets[0] }
    var validation: Features { sets[1] }
    var test: Features? { sets.count > 2 ? sets[2] : nil }

    /// - Throws: ``ModelError`` where something doesn't belong together or can't be trained on.
    init(
        _ base: Classifier, training: LabelledTexts, validation: LabelledTexts, test: LabelledTexts?,
        _ settings: TrainingSettings
    ) throws {
        let inputs = [training, validation] + (test.map { [$0] } ?? [])
        for set in inputs { try Self.check(set, base) }
        self.base = settings.causalMask ? base : base.withoutCausalMask
        try settings.check(base.config)
        objective = try CrossEntropyLoss(
            weights: settings.classWeights.resolved(
                labels: base.labels, rows: training.texts.rows.labels.map(Int.init), source: training.source),
            smoothing: settings.labelSmoothing)
        texts = DistinctTexts(inputs.map(\.texts), settings.pooling, isCausal: self.base.config.isCausal)
        sets = Features.of(inputs.map(\.texts), texts)
        paddedLength = training.texts.description.paddedLength
    }

    private static func check(_ set: LabelledTexts, _ base: Classifier) throws(ModelError) {
        guard set.count > 0 else {
            throw .unusableData("no records", remedy: "check what writes the shard", file: set.source)
        }
        if let row = set.texts.rows.labels.firstIndex(where: { $0 < 0 }) {
            throw .unusableData(
                "the record of line \(set.texts.rows.lines[row]) has no label",
                remedy: "label all records, and name the key of the label to tokenize-pad if it isn't \"label\"",
                file: set.source)
        }
        try base.check(set)
        guard base.labels.count > 1 else {
            throw .unusableData(
                "all records have the same label", remedy: "train on records of two classes or more", file: set.source)
        }
    }

    /// What the metrics stream begins with.
    ///
    /// - Parameters:
    ///   - model: tells what is trained.
    ///   - steps: nil where they aren't known.
    func summary(_ model: TrainableModel, steps: Int?) -> TrainingEvent.StartSummary {
        TrainingEvent.StartSummary(
            classes: base.labels.count, parameters: base.parameters.named.reduce(0) { $0 + $1.tensor.count },
            trainableParameters: model.trained.reduce(0) { $0 + $1.parameter.count },
            trainingRows: training.count, validationRows: validation.count, testRows: test?.count,
            paddedLength: paddedLength, texts: sets.reduce(0) { $0 + $1.count }, distinctTexts: texts.count,
            tokens: texts.packing.tokens, steps: steps, tokenizerSHA256: base.tokenizerSHA256)
    }
}
