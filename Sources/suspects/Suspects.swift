// suspects: token shards in, records whose label a model disputes out.

import ArgumentParser
import Evaluation
import FilterSupport
import GPT2Kit
import Records
import TrainingSupport

@main
struct Suspects: Filter {
    static let leastMemory = 64 << 20

    static let configuration = CommandConfiguration.filter(
        "suspects", "Find records whose label is probably wrong.",
        discussion: """
            Reads training shards (tokenize-pad) from a file or stdin. Trains as finetune does, once without each of --folds \
            folds, so that every text gets its probabilities from a model that hasn't seen it, and suspects labels by \
            confident learning (Northcutt, Jiang & Chuang 2021). The frozen blocks run once.
            Writes a line of NDJSON for each suspect, the least probable label first: its rank, its line in the records, the \
            label that it has as "expected", the likeliest one as "label", and the probabilities; with --records also the \
            text and the id. With --all it writes every record in order, as score does, for evaluate.
            Buffers: what finetune buffers, 8 bytes for each probability, and the ids and texts of --records.

            EXAMPLES
              tokenize-pad --tokenizer gpt2 train.ndjson \\
                | suspects --base gpt2 --records train.ndjson | head -20
              baseline train.ndjson --out linear --out-of-fold linear.ndjson
              suspects --base gpt2 --average linear.ndjson train.tokens
              suspects --scores linear.ndjson --records train.ndjson
            """,
        exits: ExitCodes([
            .badData: "bad shards or records, classes with too few texts, or a loss that isn't finite",
            .unavailable: "oneDNN can't do what is needed",
            .configuration: "base, tokenizer and shards don't belong together",
        ]))

    @OptionGroup var input: InputArgument

    @Option(
        help: ArgumentHelp(
            "Start from a model directory, or from random weights, as finetune does.", valueName: "dir|random:…"))
    var base: String?

    @Option(
        help: ArgumentHelp(
            "vocab.json and merges.txt, or tokenizer.json. (default: the base directory)", valueName: "dir"))
    var tokenizer: String?

    @Option(
        help: ArgumentHelp("Folds of the data, at least 2. (default: 5)", valueName: "n"), transform: positiveInteger)
    var folds: Int?

    @Option(
        help: ArgumentHelp(
            "The records that were scored, or that the shards were made of, for the text and the id of every suspect.",
            valueName: "file"))
    var records: String?

    @Option(
        help: ArgumentHelp(
            "Train nothing: rank scored records whose probabilities come from models that hadn't seen them.",
            valueName: "file"))
    var scores: String?

    @Option(
        help: ArgumentHelp(
            "Average the log-probabilities with those of these scored records, which are matched by their line. Their model "
                + "must not have seen the texts either: baseline --out-of-fold writes such records.",
            valueName: "file"))
    var average: String?

    @OptionGroup var averageShare: AverageShareOption

    @Flag(help: "Write all records in order, not only suspects.")
    var all = false

    @OptionGroup var training: FineTuningOptions

    @OptionGroup var fields: RecordOptions
    @OptionGroup var seed: SeedOption
    @OptionGroup var threads: ThreadsOption
    @OptionGroup var verbosity: QuietOption

    func validate() throws {
        guard (base == nil) != (scores == nil) else { throw ValidationError("give either --base or --scores") }
        guard scores == nil || input.input == nil else { throw ValidationError("--scores takes the place of shards") }
        try averageShare.requireAverage(average)
        try InputArgument.requireOneStandardInput([average, records, scores ?? input.input ?? "-"])
        guard folds ?? 2 >= 2 else { throw ValidationError("--folds has to be at least 2") }
        guard scores == nil || (folds == nil && tokenizer == nil) else {
            throw ValidationError("--folds and --tokenizer go with --base")
        }
    }

    func run() throws {
        let sink = ByteSink.standardOutput()
        // What is wrong with the records and their scores is told before anything is trained.
        let others = try average.map { try ScoredDisputes($0, fields) }
        let source = try scores.map(scored) ?? crossValidation()
        let disputed = source.disputed
        let other = try others?.probabilities(of: disputed)
        let members = try records.map { path in
            try RecordMembers(fields.reader(try ByteSource(path: path)), of: disputed)
        }
        var probabilities = try source.probabilities()
        let K = disputed.names.count
        if let other, averageShare.share > 0 {
            probabilities = stride(from: 0, to: probabilities.count, by: K).flatMap {
                LogProbabilities.average(
                    other[$0..<$0 + K], probabilities[$0..<$0 + K], share: averageShare.share,
                    least: Self.leastProbability)
            }
        }
        let learning = ConfidentLearning(labels: disputed.labels, probabilities: probabilities, classes: K)
        let output = SuspectOutput(disputed, probabilities, suspects: learning.suspects, members: members)
        try output.write(all: all, to: sink)
        try sink.close()
        verbosity.notes("suspects").onTerminal(
            "\(learning.suspects.count) of \(disputed.labels.count) labels are suspected")
    }

    /// The least probability that an average counts: Float's rounding error, as in scikit-learn's log_loss. A probability that is
    /// written as 0 would otherwise decide alone.
    private static let leastProbability = Double(Float.ulpOfOne)

    /// Labels, and what gives their probabilities, [records, labels].
    private typealias Disputes = (disputed: DisputedLabels, probabilities: () throws -> [Double])

    /// Those of the scored records in a file.
    private func scored(_ path: String) throws -> Disputes {
        let scored = try ScoredDisputes(path, fields)
        return (scored.disputed, { scored.probabilities })
    }

    /// Those of the shards, by models that are trained when the probabilities are asked for.
    private func crossValidation() throws -> Disputes {
        var settings = TrainingSettings()
        training.apply(to: &settings)
        settings.seed = seed.seed
        let base = Classifier.Base(base ?? "")
        let tuner = FineTuner(settings: settings, workers: Workers(count: threads.count))
        try tuner.requirePossible(for: base)
        if tokenizer == nil { _ = try base.tokenizerDirectory() }
        let notes = verbosity.notes("suspects")
        let texts = try Shards.read(input.input, notes)
        try texts.requireLabels()
        let classifier = try Classifier(
            base: base, labels: texts.texts.description.labelNames, tokenizerDirectory: tokenizer, seed: seed.seed,
            workers: tuner.workers)
        let rows = texts.texts.rows
        let disputed = DisputedLabels(
            names: classifier.labels, labels: rows.labels.map(Int.init), lines: rows.lines.map(Int.init))
        return (
            disputed,
            {
                let display = PhaseDisplay(tool: "suspects", quiet: verbosity.quiet)
                defer { display.finish() }
                return try tuner.crossValidate(classifier, on: texts, folds: folds ?? 5, progress: display.show)
            }
        )
    }
}
