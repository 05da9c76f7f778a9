// evaluate: scored records in, accuracy and confusion matrix out.

import ArgumentParser
import Evaluation
import FilterSupport
import Records

@main
struct Evaluate: Filter {
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    static let configuration = CommandConfiguration.filter(
        "evaluate", "Compare predicted with expected labels.",
        discussion: """
            Reads scored NDJSON records: the expected label under "expected", the predicted one under "label", as \
            score --input ndjson writes them.
            Writes accuracy with its 95 % interval, balanced accuracy (the mean recall), precision, recall and F1 of \
            every class, and the confusion matrix, as text or as one JSON object. If the matrix is wider than the \
            terminal (COLUMNS; 80 without one), the text lists the most frequent confusions instead.
            Streams: holds only the counts.

            EXAMPLE
              score --model build/demo/model --input ndjson build/demo/test.ndjson \\
                | evaluate
            """,
        exits: ExitCodes([
            .badData: "a record without one of the labels"
        ]))

    @Option(help: "The form of the output.")
    var format = Format.text

    @Option(help: ArgumentHelp("The key of the expected label.", valueName: "key"))
    var expectedField = "expected"

    @Option(help: ArgumentHelp("The key of the predicted label.", valueName: "key"))
    var predictedField = "label"

    @OptionGroup var input: InputArgument
    @OptionGroup var lines: LineOptions
    @OptionGroup var verbosity: QuietOption  // It has nothing to say, but all filters take it.

    func run() throws {
        let evaluator = Evaluator(expectedField: expectedField, predictedField: predictedField)
        let matrix = try evaluator.evaluate(lines.reader(try input.open()))
        let sink = ByteSink.standardOutput()
        try sink.write(format == .json ? matrix.json : Array(matrix.text(width: Terminal.outputWidth).utf8))
        try sink.close()
    }
}
