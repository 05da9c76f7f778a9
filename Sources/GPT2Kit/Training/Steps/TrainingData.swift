// The input of a run: the base and the texts, checked against each other.

import Tokenization

/// Data that have been checked against each other.
package struct TrainingData: Sendable {
    /// The base, which reads a text as the settings say: pooling and causal mask.
    let base: Classifier
    /// What each class counts in the loss.
    private let classWeights: [Double]?
    /// Training, validation, and test where there is one.
    let sets: [FeatureSet]
    let texts: DistinctTexts
    /// T of the training set.
    let paddedLength: Int

    var training: FeatureSet { sets[0] }
    var validation: FeatureSet { sets[1] }
    var test: FeatureSet? { sets.count > 2 ? sets[2] : nil }

    /// - Throws: ``ModelError`` where something doesn't belong together, ``TrainingError`` where it can't be trained on.
    init(_ base: Classifier, _ datasets: Datasets, _ settings: TrainingSettings) throws {
        for set in datasets.all { try Self.check(set, base, as: datasets.training) }
        self.base = base.with(pooling: settings.pooling, isCausal: settings.causalMask ? nil : false)
        try settings.check(base.config)
        classWeights = try settings.classWeights.resolved(
            labels: base.labels, rows: datasets.training.texts.rows.labels.map(Int.init),
            source: datasets.training.source)
        let inputs = datasets.all.map(\.texts)
        texts = DistinctTexts(inputs, self.base.pooling, isCausal: self.base.config.isCausal)
        sets = FeatureSet.of(inputs, texts)
        paddedLength = datasets.training.texts.description.paddedLength
    }

    /// Rows of the training set of `whole`, whose features are there, as training and validation set of a run of its own.
    ///
    /// - Throws: ``TrainingError`` where the class weights don't fit the rows.
    init(_ whole: TrainingData, training: [Int], validation: [Int], _ settings: TrainingSettings) throws {
        base = whole.base
        texts = whole.texts
        paddedLength = whole.paddedLength
        sets = [whole.training.selecting(training), whole.training.selecting(validation)]
        classWeights = try settings.classWeights.resolved(
            labels: base.labels, rows: training.map { whole.training.labels[$0] }, source: "the training rows")
    }

    /// What a run with `settings` lowers: trials of a search share the data, not the smoothing.
    func objective(_ settings: TrainingSettings) -> CrossEntropyLoss {
        CrossEntropyLoss(weights: classWeights, smoothing: settings.labelSmoothing)
    }

    private static func check(_ set: LabelledTexts, _ base: Classifier, as training: LabelledTexts) throws {
        guard set.count > 0 else {
            throw TrainingError.unusableData("no records", remedy: "check what writes the shard", file: set.source)
        }
        try set.requireLabels()
        try set.requireMade(for: base)
        let (length, needed) = (set.texts.description.paddedLength, training.texts.description.paddedLength)
        guard length == needed else {
            throw ModelError.mismatch(
                "its texts are padded to or cut at \(length) tokens, those of the training shard at \(needed)",
                remedy: "tokenize with the length of the training shard", choice: .lengthOfShards, file: set.source)
        }
        guard base.labels.count > 1 else {
            throw TrainingError.unusableData(
                "all records have the same label", remedy: "train on records of two classes or more", file: set.source)
        }
    }

    /// The summary of the event that a run begins with.
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
            tokens: texts.layout.tokens, steps: steps, tokenizerSHA256: base.tokenizerSHA256)
    }
}
