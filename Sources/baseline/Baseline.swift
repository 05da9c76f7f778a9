// baseline: labelled texts in, a linear classifier out.

import ArgumentParser
import FilterSupport
import LinearModel
import Records

@main
struct Baseline: Filter {
    static let leastMemory = 64 << 20

    static let configuration = CommandConfiguration.filter(
        "baseline", "Train the linear classifier that GPT-2 has to beat.",
        discussion: """
            Reads labelled records, or fastText's lines (--input fasttext), from a file or stdin. Trains a linear support \
            vector machine on TF-IDF of words, pairs of words and runs of 2 to 5 characters, as scikit-learn's \
            TfidfVectorizer and LinearSVC do. Writes a model directory (--out) that score reads, and one line of metrics \
            as NDJSON to stdout.
            Every text is scored once by a model that was trained without its fold (--folds): that gives the temperature of \
            the probabilities, the accuracy in the metrics, and what --out-of-fold writes. Equal texts are in one fold.
            Buffers: the texts, 8 bytes for each of their distinct n-grams (about 4 for each character), and 16 MiB.

            EXAMPLES
              baseline train.ndjson --out linear --out-of-fold out-of-fold.ndjson
              score --model linear --input ndjson test.ndjson | evaluate
              score --model model --cascade linear < messages.txt
            """,
        exits: ExitCodes(
            [
                .badData: "a bad line, or too few texts or classes",
                .cannotCreate: "the model directory or --out-of-fold can't be written, or holds a model (--force)",
                .temporaryFailure: "another run is writing the same --out",
            ], cleansUp: true))

    @OptionGroup var input: InputArgument

    @Option(name: .customLong("input"), help: "What a line is.")
    var kind = LabelledTextInput.Kind.ndjson

    @Option(help: ArgumentHelp("The model directory to write.", valueName: "dir"))
    var out: String

    @Flag(help: "Replace the model that --out holds.")
    var force = false

    @Option(
        help: ArgumentHelp(
            "C of the support vector machine: the larger, the closer it follows the training texts.",
            valueName: "number"),
        transform: NumberArgument.positive)
    var cost = 1.0

    @Option(help: "With balanced, every class counts alike, however many texts it has.")
    var classWeights = Weights.none

    @Option(
        help: ArgumentHelp(
            "Folds of the data for the temperature and --out-of-fold, at least 2. (default: 5)", valueName: "n"),
        transform: positiveInteger)
    var folds = 5

    @Option(
        help: ArgumentHelp(
            "Write the probabilities of every text by the model that was trained without its fold: for suspects --average, and for "
                + "evaluate. Every class needs different texts in two folds. A file of that name is replaced.",
            valueName: "file"))
    var outOfFold: String?

    @OptionGroup var seed: SeedOption
    @OptionGroup var records: RecordOptions
    @OptionGroup var threads: ThreadsOption
    @OptionGroup var verbosity: QuietOption

    enum Weights: String, CaseIterable, ExpressibleByArgument {
        case none, balanced
    }

    func validate() throws {
        guard folds >= 2 else { throw ValidationError("--folds has to be at least 2") }
    }

    func run() throws {
        try AtomicDirectory.requireWritable(out)
        let lock = try OutputLock(path: out)
        AtomicDirectory.removeLeftovers(of: out)
        if !force { try LinearClassifier.requireNone(in: out) }
        try withExtendedLifetime(lock) {
            let source = try input.open()
            let scores = try outOfFold.map(scoreFile)
            let texts = try LinearTrainingTexts(
                LabelledTextInput(records.lines.reader(source), kind: kind, fields: records.fields))
            var trainer = LinearTrainer()
            trainer.cost = cost
            trainer.balancesClasses = classWeights == .balanced
            trainer.folds = folds
            trainer.seed = seed.seed
            trainer.threads = threads.count
            if outOfFold != nil { try trainer.requireOutOfFold(texts) }
            let trained = try TrainedLinearClassifier(texts, trainer)
            // On disk before the model is, so that a full disk leaves neither.
            if let scores {
                try trained.writeOutOfFold(to: scores.sink)
                try scores.finish()
            }
            let metrics = MetricsStream()
            metrics.write(trained.metrics)
            try trained.write(directory: out, command: ["baseline"] + CommandLine.arguments.dropFirst())
            try scores?.commit()
            verbosity.notes("baseline").onTerminal("model written to \(out)")
            try metrics.close(model: out)
        }
    }

    /// The file that --out-of-fold names.
    private func scoreFile(_ path: String) throws -> AtomicFile {
        try input.requireDistinct(from: path)
        let place = Path.resolved(Path.parent(of: path))
        let isModel =
            place == Path.resolved(Path.parent(of: out)) && Path.lastName(of: path) == Path.lastName(of: out)
        if isModel || (place != nil && place == Path.resolved(out)) {
            throw UsageError("\(path) belongs to the model directory", remedy: "write the scores elsewhere")
        }
        AtomicFile.removeLeftovers(of: path)
        return try AtomicFile(path: path)
    }
}

extension LabelledTextInput.Kind: ExpressibleByArgument {}
