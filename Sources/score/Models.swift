// The models that score: GPT-2, what baseline has trained, or both.

import ArgumentParser
import Evaluation
import FilterSupport
import GPT2Kit
import LinearModel
import Records

struct ModelOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The model directory.", valueName: "dir"))
    var model: String

    @Option(
        help: ArgumentHelp(
            "Ask the model only about texts that this one is unsure of, which baseline has trained.", valueName: "dir"))
    var cascade: String?

    @Option(
        help: ArgumentHelp(
            "The probability of its likeliest label from which on the first model of a cascade is sure. (default: 0.99)",
            valueName: "p"),
        transform: NumberArgument.share)
    var cascadeAbove: Double?

    @Option(
        help: ArgumentHelp(
            "Average the model's log-probabilities with those of this one, which baseline has trained.",
            valueName: "dir"))
    var average: String?

    @OptionGroup var averageShare: AverageShareOption

    func validate() throws {
        guard cascade == nil || average == nil else { throw ValidationError("give one of --cascade and --average") }
        guard cascadeAbove == nil || cascade != nil else {
            throw ValidationError("--cascade-above goes with --cascade")
        }
        try averageShare.requireAverage(average)
    }

    /// How the linear model takes part, and its directory; nil where it doesn't.
    fileprivate var combination: (directory: String, way: CombinedScorer.Way)? {
        if let cascade { return (cascade, .cascade(above: cascadeAbove ?? 0.99)) }
        return average.map { ($0, .average(share: averageShare.share)) }
    }
}

/// What ``ModelOptions`` name.
struct Models {
    /// The model's directory.
    let directory: String
    /// Probabilities from which on labels are chosen.
    var thresholds: [Threshold] = []
    private enum Main {
        case gpt2(Classifier, Decision?)
        case linear(LinearClassifier)
    }
    private let main: Main
    private let linear: (classifier: LinearClassifier, directory: String, way: CombinedScorer.Way)?
    private let workers: Workers

    /// - Parameter raw: whether what calibrate has fitted is left out.
    init(_ options: ModelOptions, raw: Bool, workers: Workers) throws {
        directory = options.model
        self.workers = workers
        if LinearClassifier.isThere(in: directory) {
            guard options.combination == nil else {
                throw UsageError(
                    "\(directory) is what baseline has trained", remedy: "name the fine-tuned model with --model")
            }
            main = .linear(try LinearClassifier(directory: directory))
            linear = nil
            return
        }
        let classifier = try Classifier(directory: directory, workers: workers)
        linear = try options.combination.map { directory, way in
            guard LinearClassifier.isThere(in: directory) else {
                _ = try ByteSource(path: "\(directory)/config.json")
                throw UsageError("\(directory) isn't what baseline writes", remedy: "train it with baseline --out")
            }
            return (try LinearClassifier(directory: directory), directory, way)
        }
        main = .gpt2(
            classifier, raw || linear != nil ? nil : try ClassifierDescription.decision(of: directory))
    }

    /// The names of the classes, in the order of the probabilities.
    var labels: [String] {
        switch main {
        case .gpt2(let classifier, _): classifier.labels
        case .linear(let classifier): classifier.labels
        }
    }

    /// Whether scores depend on the number type of products, as those of a linear model don't.
    var hasPrecision: Bool { if case .gpt2 = main { true } else { false } }

    /// The length in tokens at which texts are cut; 0 for none.
    var paddedLength: Int {
        switch main {
        case .gpt2(let classifier, _): classifier.paddedLength
        case .linear: 0
        }
    }

    /// Compares the weights with their checksum, which is done already where they are a linear model's.
    ///
    /// - Returns: whether there is a checksum.
    func verifyWeights() throws -> Bool {
        guard case .gpt2(let classifier, _) = main else { return true }
        try classifier.weightsCheck?.wait()
        return classifier.weightsCheck?.coversWeights == true
    }

    /// A scorer whose matrix products have the type `precision`.
    ///
    /// - Parameter prepare: called with the scorer of GPT-2 before it scores.
    func scorer(_ precision: Precision, prepare: (Scorer) throws -> Void = { _ in }) throws -> any TextScorer {
        switch main {
        case .linear(let classifier):
            return LinearScorer(classifier, thresholds: thresholds, workers: workers)
        case .gpt2(let classifier, let decision):
            let scorer = try Scorer(
                classifier, thresholds: linear == nil ? thresholds : [], decision: decision, precision: precision,
                workers: workers)
            try prepare(scorer)
            guard let linear else { return scorer }
            return try CombinedScorer(
                LinearScorer(linear.classifier, workers: workers), scorer, linear.way, thresholds: thresholds,
                directory: linear.directory)
        }
    }
}
