// A classifier with the story of its training.

import Records

/// What a run ends in.
public struct TrainedClassifier: Sendable {
    public let classifier: Classifier
    public let settings: TrainingSettings
    public let results: TrainingEvent.EndSummary
    /// What the model card says of data, command and machine; nil for nothing.
    public var provenance: Provenance?
    /// ``RunIdentity/sha256`` of the run, where it had checkpoints.
    package var runSHA256: String?

    init(_ classifier: Classifier, _ settings: TrainingSettings, _ results: TrainingEvent.EndSummary) {
        self.classifier = classifier
        self.settings = settings
        self.results = results
    }

    /// Publishes the model directory: all files, or none.
    ///
    /// - Throws: ``StreamError`` where it can't be written; ``OutOfMemory``.
    public func write(directory: String) throws {
        var story = ModelStory()
        if let runSHA256 { story.configuration.append(JSONMember(key: "run_sha256", value: .string(runSHA256))) }
        story.configuration.append(JSONMember(key: "training", value: settings.json(base: classifier.origin)))
        story.cardRows = cardRows
        story.cardSections = cardSections
        try classifier.write(directory: directory, story: story)
    }
}
