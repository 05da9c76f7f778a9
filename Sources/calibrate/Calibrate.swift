// calibrate: scores of a validation set in, decisions of a model out.

import ArgumentParser
import Evaluation
import FilterSupport
import GPT2Kit
import Records
import Tokenization

@main
struct Calibrate: Filter {
    static let configuration = CommandConfiguration.filter(
        "calibrate", "Fit probabilities, thresholds and sets of labels on validation scores.",
        discussion: """
            Reads scored records of texts that the model was not trained on, as score --raw --input ndjson writes them, from a \
            file or stdin. Writes decision.json into the model's directory, which score applies from then on; the weights stay \
            as they are. Without options it fits the temperature, and brings the probabilities from the shares of labels in \
            training to those of the records.
            Writes what it has fitted to stdout, and what so few records can't promise to stderr.
            Buffers: 8 bytes for each record and 8 for each of its probabilities.

            EXAMPLES
              score --raw --model model --input ndjson validation.ndjson \\
                | calibrate model --prevalence spam=0.134 --positive spam \\
                    --max-fpr 0.01 --confidence 0.95
              score --raw --model model --input ndjson validation.ndjson \\
                | calibrate model --coverage 0.95
            """,
        exits: ExitCodes([
            .badData: "a record without label, probabilities or text, or texts that the model was trained on",
            .cannotCreate: "the decision can't be written",
            .configuration: "no model, or one with other labels",
        ]))

    enum Objective: String, CaseIterable, ExpressibleByArgument {
        case f1, accuracy
        case balancedAccuracy = "balanced-accuracy"
    }

    @Argument(help: ArgumentHelp("The model directory.", valueName: "model"))
    var model: String

    @OptionGroup var input: InputArgument

    @Flag(help: "Leave the probabilities' temperature at 1.")
    var noTemperature = false

    @Option(
        help: ArgumentHelp(
            """
            The share of texts that have this label where the model is used; labels that aren't named share the rest. \
            Repeatable, or separated by commas. (default: the shares of the records)
            """, valueName: "label=share"))
    var prevalence: [String] = []

    @Option(help: ArgumentHelp("The label that gets a threshold.", valueName: "label"))
    var positive: String?

    @Option(
        help: ArgumentHelp(
            "The lowest threshold at which at most this share of the other records gets the label.", valueName: "share"),
        transform: NumberArgument.share)
    var maxFpr: Double?

    @Option(
        help: ArgumentHelp(
            """
            With --max-fpr: the lowest threshold at which the rate of new texts stays within it in this share of all \
            samples of records, by the exact binomial bound. (default: the rate of the records themselves)
            """, valueName: "share"),
        transform: NumberArgument.innerShare)
    var confidence: Double?

    @Option(help: "The threshold at which this is largest on the records, at the stated prevalence.")
    var objective: Objective?

    @Option(
        help: ArgumentHelp(
            "The threshold with the least cost, where a false positive and a false negative cost this much.",
            valueName: "fp:cost,fn:cost"))
    var cost: String?

    @Option(
        help: ArgumentHelp(
            """
            Give every text the set of its plausible labels, so that this share of the texts of every label have it in their \
            set. A text whose set isn't exactly one label is unsure.
            """, valueName: "share"),
        transform: NumberArgument.innerShare)
    var coverage: Double?

    @OptionGroup var records: RecordOptions
    @OptionGroup var verbosity: QuietOption

    func validate() throws {
        let choices = [maxFpr != nil, objective != nil, cost != nil].count { $0 }
        guard choices <= 1 else { throw ValidationError("give one of --max-fpr, --objective and --cost") }
        guard (positive != nil) == (choices == 1) else {
            throw ValidationError("--positive goes with one of --max-fpr, --objective and --cost")
        }
        guard confidence == nil || maxFpr != nil else { throw ValidationError("--confidence goes with --max-fpr") }
    }

    func run() throws {
        let description = try ClassifierDescription(directory: model)
        let source = try input.open()
        let scores = try ValidationScores(records.lines.reader(source), fields: records.fields, of: description)
        let notes = verbosity.notes("calibrate")
        if scores.trained > 0 {
            notes.always("\(scores.trained) of \(scores.records.count) records are texts that the model was trained on")
        }
        if scores.unchecked > 0 {
            notes.always(
                "whether the model was trained on \(scores.unchecked) of the records isn't known: they have no text, or the "
                    + "model doesn't tell its own")
        }
        let goal = try goal(scores.records, description, source.name)
        let fit = DecisionFit(scores.records, goal)
        let report = FitReport(fit, goal, records: scores.records)
        let file = try AtomicFile(path: "\(model)/\(Decision.fileName)")
        try file.sink.write(fit.decision.json(weightsSHA256: description.weightsSHA256, notes: report.json))
        try file.commit()
        let sink = ByteSink.standardOutput()
        try sink.write(report.text)
        try sink.close()
        for warning in report.warnings { notes.always(warning) }
    }

    private func goal(
        _ records: ScoredRecords, _ description: ClassifierDescription, _ source: String
    ) throws -> DecisionGoal {
        var goal = DecisionGoal()
        goal.fitsTemperature = !noTemperature
        // Labels of the records are sorted, those of the model needn't be.
        if let shares = description.labelShares {
            goal.trainedShares = records.labels.map { label in
                description.labels.index(ofLabel: label).map { shares[$0] } ?? 0
            }
        }
        var settings = EvaluationSettings()
        settings.positive = positive
        settings.prevalence = try LabelShares.parse(prevalence)
        goal.shares = try settings.shares(of: records)
        goal.coverage = coverage
        guard positive != nil else { return goal }
        let label = try settings.positive(in: records.labels)
        goal.threshold = (label, try threshold)
        if let maxFpr, let confidence {
            let others = records.expected.count { Int($0) != label }
            guard let needed = ExactBound.records(for: maxFpr, confidence: confidence) else {
                throw UsageError(
                    "no number of records can promise a rate of \(maxFpr)",
                    remedy: "give a higher --max-fpr, or leave --confidence out")
            }
            if others < needed { throw BadValidation.tooFew(others, needed: needed, source) }
        }
        return goal
    }

    private var threshold: DecisionGoal.Threshold {
        get throws {
            if let maxFpr { return .falsePositiveRate(maxFpr, confidence: confidence) }
            switch objective {
            case .f1: return .f1
            case .accuracy: return .accuracy
            case .balancedAccuracy: return .balancedAccuracy
            case nil: break
            }
            var costs: [Substring: Double] = [:]
            let parts = (cost ?? "").split(separator: ",", omittingEmptySubsequences: false)
            for part in parts {
                let sides = part.split(separator: ":")
                if sides.count == 2, let value = Double(sides[1]), value >= 0, value.isFinite {
                    costs[sides[0]] = value
                }
            }
            guard parts.count == 2, let falsePositive = costs["fp"], let falseNegative = costs["fn"] else {
                throw UsageError("'\(cost ?? "")' is not fp:COST,fn:COST", remedy: "write it like --cost fp:10,fn:1")
            }
            return .cost(falsePositive: falsePositive, falseNegative: falseNegative)
        }
    }
}
