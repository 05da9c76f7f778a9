// finetune: token shards in, a classifier out.

import ArgumentParser
import FilterSupport
import GPT2Kit
import Records
import TrainingSupport

@main
struct Finetune: Filter {
    static let leastMemory = 64 << 20

    static let configuration = CommandConfiguration.filter(
        "finetune", "Fine-tune GPT-2 into a text classifier.",
        discussion: """
            Reads training shards (tokenize-pad) from stdin, validation and test shards from files.
            Writes a model directory (--out) that score and Hugging Face's GPT2ForSequenceClassification read, and \
            metrics as NDJSON to stdout: a line for the start, every step, evaluation and epoch (in a search: every \
            trial), and the end.
            Buffers: all tokens, and the output of the frozen blocks for every distinct text (4 bytes × width × tokens); \
            beyond half of the free memory that output goes to a file in $TMPDIR. The model directory appears whole, \
            when training has ended well.

            EXAMPLE
              tokenize-pad --tokenizer gpt2 < train.ndjson > train.tokens
              tokenize-pad --tokenizer gpt2 --length train.tokens \\
                --labels-from train.tokens validation.ndjson > validation.tokens
              finetune --base gpt2 --validation validation.tokens --out model \\
                < train.tokens > metrics.ndjson

            Another rate, without computing the frozen blocks again:
              finetune --base gpt2 --features cache --lr 1e-4 …

            The best of 50 choices of rate, decay and epochs:
              finetune --base gpt2 --trials 50 \\
                --search 'lr=1e-5..1e-3,weight-decay=0..0.3,epochs=2..10' …

            A run that may be interrupted or killed, and how to resume it:
              finetune --base gpt2 --checkpoint-every 100 … > metrics.ndjson
              finetune --base gpt2 --checkpoint-every 100 --resume … >> metrics.ndjson
            """,
        exits: .training)

    @OptionGroup(title: "Files") var files: FileOptions
    @OptionGroup var training: FineTuningOptions
    @OptionGroup(title: "Evaluations") var evaluations: EvaluationOptions

    @OptionGroup(title: "Checkpoints") var checkpointing: CheckpointOptions
    @OptionGroup(title: "Search") var search: SearchOptions

    @OptionGroup var seed: SeedOption
    @OptionGroup var threads: ThreadsOption
    @OptionGroup var verbosity: QuietOption

    func run() throws {
        // Everything that can be known to fail is found out before the first shard is read.
        try search.check(settings, checkpointing)
        let base = Classifier.Base(files.base)
        var tuner = FineTuner(settings: settings, workers: Workers(count: threads.count))
        tuner.featureDirectory = files.features
        try tuner.requirePossible(for: base)
        tuner.featurePart = try files.part()
        if files.tokenizer == nil { _ = try base.tokenizerDirectory() }
        if files.featuresOnly { return try computeFeatures(tuner, base) }
        let output = try TrainingOutput(
            files.out, base: base, saving: checkpointing.saving, isReplaced: files.force)
        if let features = files.features { try Directory.requireWritable(features) }
        try withExtendedLifetime(output) { try run(tuner, base, output) }
    }

    /// The texts of a run, and what it starts from.
    private func read(_ tuner: FineTuner, _ base: Classifier.Base) throws -> (Datasets, Classifier) {
        let notes = verbosity.notes("finetune")
        let datasets = Datasets(
            training: try Shards.read(nil, notes), validation: try Shards.read(files.validation, notes),
            test: try files.test.map { try Shards.read($0, notes) })
        let classifier = try Classifier(
            base: base, labels: datasets.training.texts.description.labelNames, tokenizerDirectory: files.tokenizer,
            seed: seed.seed, workers: tuner.workers)
        return (datasets, classifier)
    }

    private func computeFeatures(_ tuner: FineTuner, _ base: Classifier.Base) throws {
        if let features = files.features { try Directory.requireWritable(features) }
        let (datasets, classifier) = try read(tuner, base)
        let metrics = MetricsLog(
            settings: settings, base: files.base, search: search, notes: verbosity.notes("finetune"))
        let progress = PhaseDisplay(tool: "finetune", quiet: verbosity.quiet)
        try tuner.computeFeatures(classifier, on: datasets, report: metrics.write, progress: progress.show)
        progress.finish()
        try metrics.close(model: files.features ?? files.out)
    }

    private func run(_ tuner: FineTuner, _ base: Classifier.Base, _ output: TrainingOutput) throws {
        let notes = verbosity.notes("finetune")
        let (datasets, classifier) = try read(tuner, base)
        var tuner = tuner
        tuner.checkpoints = output.checkpoints(of: tuner.identity(classifier, datasets))
        if try output.isFinished(tuner.checkpoints) {
            return notes.always("\(files.out) is what this run ended in: nothing to do")
        }
        let metrics = MetricsLog(settings: settings, base: files.base, search: search, notes: notes)
        let progress = PhaseDisplay(tool: "finetune", quiet: verbosity.quiet)
        var trained: TrainedClassifier
        if let space = search.search?.space, let trials = search.count {
            trained = try tuner.search(
                space, trials: trials, classifier, on: datasets, report: metrics.write, progress: progress.show)
        } else {
            trained = try train(tuner, classifier, datasets, metrics, progress)
        }
        progress.finish()
        trained.provenance = Provenance(command: ["finetune"] + CommandLine.arguments.dropFirst(), datasets)
        try trained.remember(datasets.training)
        try trained.write(directory: files.out)
        tuner.checkpoints?.remove()
        notes.onTerminal("model written to \(files.out)")
        if evaluations.checkInt8 {
            let rows = datasets.validation.texts.rows
            let texts = (0..<min(256, rows.count)).map { Array(rows[$0]) }
            metrics.write(try PrecisionAgreement.int8(trained.classifier, texts, workers: tuner.workers))
        }
        try metrics.close(model: files.out)
    }

    private func train(
        _ tuner: FineTuner, _ classifier: Classifier, _ datasets: Datasets, _ metrics: MetricsLog,
        _ progress: PhaseDisplay
    ) throws -> TrainedClassifier {
        try SignalWatch.watching(verbosity.notes("finetune"), stopped: progress.finish) { signals in
            try tuner.train(
                classifier, on: datasets,
                report: { event in
                    if tuner.checkpoints != nil { signals.follow(event) }
                    metrics.write(event)
                }, progress: progress.show)
        }
    }

    private var settings: TrainingSettings {
        var settings = TrainingSettings()
        training.apply(to: &settings)
        evaluations.apply(to: &settings)
        settings.seed = seed.seed
        return settings
    }
}
