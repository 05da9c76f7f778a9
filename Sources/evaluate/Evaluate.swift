// evaluate: scored records in, measures and confusion matrix out.

import ArgumentParser
import Evaluation
import FilterSupport
import Records

@main
struct Evaluate: Filter {
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, markdown, csv }

    static let configuration = CommandConfiguration.filter(
        "evaluate", "Measure predicted labels, with confidence intervals.",
        discussion: """
            Reads scored NDJSON records: the expected label under "expected", the predicted one under "label", the \
            probabilities of all labels under "probabilities", as score --input ndjson writes them.
            Writes accuracy, balanced accuracy (the mean recall), macro F1, the Matthews correlation, precision, recall and F1 \
            of every class, and the confusion matrix; where there are probabilities also the area under the ROC curve, average \
            precision, recall at a small share of false positives, log loss, Brier score and calibration error. Intervals are \
            of 95 %. Those of accuracy, precision and recall are Wilson's, with --prevalence combined from the labels' own. \
            All others are from resamples of the records, where these differ.
            If the matrix is wider than the terminal (COLUMNS; 80 without one), the text lists the most frequent confusions \
            instead.
            Buffers: 8 bytes for each record and 8 for each of its probabilities; with --seen also the training texts and \
            about 400 bytes for each.

            EXAMPLES
              score --model build/demo/model --input ndjson build/demo/test.ndjson \\
                | evaluate
              evaluate --prevalence spam=0.134 scores.ndjson
              evaluate --compare other-scores.ndjson scores.ndjson
              evaluate --format json scores.ndjson > measures.json
              evaluate --curve roc scores.ndjson > roc.tsv
            """,
        exits: ExitCodes([
            .badData: "a record without one of the labels, with bad probabilities, or of another record in --compare"
        ]))

    @Option(help: "The form of the output.")
    var format = Format.text

    @Option(
        help: ArgumentHelp(
            """
            Weigh records so that this share of them has the label; those that aren't named share the rest. Repeatable, or \
            separated by commas.
            """, valueName: "label=share"))
    var prevalence: [String] = []

    @Option(
        help: ArgumentHelp(
            "Of two labels, the one whose curves are computed. (default: the last in alphabetical order)",
            valueName: "label"))
    var positive: String?

    @Option(
        help: ArgumentHelp(
            "The share of false positives at which recall is reported. (default: 0.01)", valueName: "share"),
        transform: NumberArgument.share)
    var atFpr = 0.01

    @Option(
        help: ArgumentHelp("The same for every value of this key of the records.", valueName: "key"))
    var by: String?

    @Option(
        help: ArgumentHelp(
            "The same for texts with and without a near duplicate among these training records.", valueName: "file"))
    var seen: String?

    @Option(
        help: ArgumentHelp(
            "The scores of another model for the same records in the same order: report the difference.",
            valueName: "file"))
    var compare: String?

    @Flag(help: "With --compare, write only the records that get another label, with that as \"other\".")
    var changed = false

    @Option(help: "Write the points of this curve, tab-separated, for gnuplot and the like.")
    var curve: Curve?

    @Option(
        help: ArgumentHelp(
            "Fit a temperature on these scored records, of other texts, and apply it to the probabilities first.",
            valueName: "file"))
    var calibrateOn: String?

    @Option(
        help: ArgumentHelp(
            """
            Resamples for intervals; 0 for none. (default: 2,000; fewer of more than 20,000 records, at least 200)
            """, valueName: "n"),
        transform: nonNegativeInteger)
    var bootstrap: Int?

    @Option(help: ArgumentHelp("The key of the expected label.", valueName: "key"))
    var expectedField = "expected"

    @Option(help: ArgumentHelp("The key of the predicted label.", valueName: "key"))
    var predictedField = "label"

    @OptionGroup var input: InputArgument
    @OptionGroup var text: TextOption
    @OptionGroup var lines: LineOptions
    @OptionGroup var seed: SeedOption
    @OptionGroup var verbosity: QuietOption  // It has nothing to say, but all filters take it.

    func validate() throws {
        guard by == nil || seen == nil else { throw ValidationError("give either --by or --seen") }
        guard !changed || compare != nil else { throw ValidationError("--changed goes with --compare") }
        guard !changed || (by == nil && seen == nil && calibrateOn == nil && prevalence.isEmpty) else {
            throw ValidationError("--changed goes without --by, --seen, --calibrate-on and --prevalence")
        }
        guard compare == nil || format != .csv || changed else {
            throw ValidationError("--format csv has no place for a comparison: choose json")
        }
        try InputArgument.requireOneStandardInput([input.input ?? "-", compare, calibrateOn, seen])
        guard curve == nil || (by == nil && seen == nil && compare == nil && prevalence.isEmpty) else {
            throw ValidationError("--curve goes without --by, --seen, --compare and --prevalence")
        }
    }

    func run() throws {
        let settings = try settings
        var inputs = try Inputs(
            reader(try input.open()), other: try compare.map { reader(try ByteSource(path: $0)) },
            textKey: text.textField, grouping: grouping)
        let sink = ByteSink.standardOutput()
        try inputs.read { changedLine in
            if changed { try sink.writeLine(changedLine[...]) }
        }
        if let calibrateOn { try inputs.calibrate(on: reader(try ByteSource(path: calibrateOn))) }
        if let curve {
            let positive = try settings.positive(in: inputs.records.labels)
            guard let table = curve.table(inputs.records, positive: positive) else {
                throw EvaluationError.badProbabilities(
                    "no \"probabilities\" in the records", source: inputs.source, line: 1)
            }
            try sink.write(table)
        } else if !changed {
            let report = try Report(inputs, settings)
            try sink.write(report.output(format, width: Terminal.outputWidth, isColoured: Terminal.isOutputColoured))
        }
        try sink.close()
    }

    private func reader(_ source: ByteSource) -> ScoredRecordReader {
        ScoredRecordReader(
            lines.reader(source), fields: RecordFields(text: text.textField), expectedField: expectedField,
            predictedField: predictedField)
    }

    private var grouping: Inputs.Grouping {
        get throws {
            if let by { return .field(by) }
            guard let seen else { return .none }
            let source = try ByteSource(path: seen)
            var records = lines.reader(source, fields: RecordFields(text: text.textField))
            var copies = NearCopies(source: source.name)
            while let record = try records.next() {
                _ = try copies.add(foldedText(try record.textBytes()), line: record.line.number)
            }
            return .seen(copies)
        }
    }

    private var settings: EvaluationSettings {
        get throws {
            var settings = EvaluationSettings()
            settings.positive = positive
            settings.falsePositiveRate = atFpr
            settings.resamples = bootstrap
            settings.seed = seed.seed
            settings.prevalence = try LabelShares.parse(prevalence)
            return settings
        }
    }
}

extension Curve: ExpressibleByArgument {}
