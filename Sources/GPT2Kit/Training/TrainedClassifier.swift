// A classifier, and how it was trained.

import Records

/// The result of a run.
public struct TrainedClassifier: Sendable {
    /// The classifier with the weights that are kept.
    public let classifier: Classifier
    /// The settings that it was trained with.
    public let settings: TrainingSettings
    /// Steps, losses and accuracies at the end of the run.
    public let results: TrainingEvent.EndSummary
    /// Data, command and machine, for the model card; nil leaves them out.
    public var provenance: Provenance?
    /// The texts that it was trained on; nil leaves them out of its directory.
    public private(set) var texts: TrainedTexts?
    /// The shares of the labels in training, as the loss counted them.
    private var labelShares: [Double]?
    /// ``RunIdentity/sha256`` of the run, where it had checkpoints.
    package var runSHA256: String?

    init(_ classifier: Classifier, _ settings: TrainingSettings, _ results: TrainingEvent.EndSummary) {
        self.classifier = classifier
        self.settings = settings
        self.results = results
    }

    /// Notes which texts the model was trained on, and how often it has met each label: what `calibrate` asks for.
    ///
    /// - Throws: ``TrainingError`` where the class weights don't fit the labels.
    public mutating func remember(_ training: LabelledTexts) throws {
        let rows = training.texts.rows
        texts = TrainedTexts(rows)
        let labels = rows.labels.map { Int($0) }
        let weights = try settings.classWeights.resolved(
            labels: classifier.labels, rows: labels, source: training.source)
        var counts = [Double](repeating: 0, count: classifier.labels.count)
        for label in labels { counts[label] += weights?[label] ?? 1 }
        let total = counts.reduce(0, +)
        labelShares = counts.map { $0 / total }
    }

    /// Writes the model directory. All of its files appear, or none.
    ///
    /// - Throws: `StreamError` where it can't be written; ``OutOfMemory``.
    public func write(directory: String) throws {
        var story = ModelStory()
        if let runSHA256 { story.configuration.append(JSONMember(key: "run_sha256", value: .string(runSHA256))) }
        story.configuration.append(JSONMember(key: "training", value: settings.json(base: classifier.origin)))
        if let labelShares {
            story.configuration.append(
                JSONMember(
                    key: "label_shares",
                    value: .object(
                        zip(classifier.labels, labelShares).map { JSONMember(key: $0, value: .number($1)) })))
        }
        if let texts { story.files.append((TrainedTexts.fileName, texts.bytes)) }
        story.cardMetadata = cardMetadata
        story.cardRows = cardRows
        story.cardSections = cardSections
        try classifier.write(directory: directory, story: story)
    }
}
