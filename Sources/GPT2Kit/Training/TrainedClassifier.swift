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
    /// ``RunIdentity/sha256`` of the run, where it had checkpoints.
    package var runSHA256: String?

    init(_ classifier: Classifier, _ settings: TrainingSettings, _ results: TrainingEvent.EndSummary) {
        self.classifier = classifier
        self.settings = settings
        self.results = results
    }

    /// Writes the model directory. All of its files appear, or none.
    ///
    /// - Throws: `StreamError` where it can't be written; ``OutOfMemory``.
    public func write(directory: String) throws {
        var story = ModelStory()
        if let runSHA256 { story.configuration.append(JSONMember(key: "run_sha256", value: .string(runSHA256))) }
        story.configuration.append(JSONMember(key: "training", value: settings.json(base: classifier.origin)))
        story.cardRows = cardRows
        story.cardSections = cardSections
        try classifier.write(directory: directory, story: story)
    }
}
