// finetune: token shards in, a classifier out.

import ArgumentParser
import FilterSupport
import GPT2Kit
import Records

@main
struct Finetune: Filter {
    static let configuration = CommandConfiguration.filter(
        "finetune", "Fine-tune GPT-2 into a text classifier.",
        discussion: """
            Reads training shards (tokenize-pad) from stdin, validation and test shards from files.
            Writes a model directory (--out) that score and Hugging Face's GPT2ForSequenceClassification read, and \
            metrics as NDJSON to stdout: a line for the start, every step, every evaluation, every epoch, the end.
            Buffers: all tokens, and of every distinct text what the frozen blocks make of it (4 bytes × width × tokens); \
            beyond half of the free memory that goes to a file in $TMPDIR. The model directory appears when training has \
            ended well, whole.

            EXAMPLE
              tokenize-pad --tokenizer gpt2 < train.ndjson > train.safetensors
              tokenize-pad --tokenizer gpt2 --length train.safetensors --labels-from train.safetensors \\
                < validation.ndjson > validation.safetensors
              finetune --base gpt2 --validation validation.safetensors --out model < train.safetensors > metrics.ndjson

            The same with another rate, without computing the frozen blocks' output anew:
              finetune --base gpt2 --features cache --lr 1e-4 …

            EXIT CODES
              64 usage, 65 bad shard or a loss that isn't finite, 66 no such file, 71 too little memory, 73 the model \
            can't be written, 74 read or write error, 75 another run is writing the same --out, 78 base, tokenizer, shards don't belong together
            """)

    @Option(
        help: ArgumentHelp(
            "Start from a model directory, or from random weights: random:gpt2 or random:CONFIG.json.",
            valueName: "dir|random:…"))
    var base: String

    @Option(help: ArgumentHelp("vocab.json and merges.txt. (default: the base directory)", valueName: "dir"))
    var tokenizer: String?

    @Option(help: ArgumentHelp("The validation shards.", valueName: "shard"))
    var validation: String

    @Option(help: ArgumentHelp("Test shards, for the accuracy at the end.", valueName: "shard"))
    var test: String?

    @Option(help: ArgumentHelp("The model directory to write.", valueName: "dir"))
    var out: String

    @Option(
        help: ArgumentHelp("What to train: head, last-N (blocks, with the final LayerNorm), all.", valueName: "set"))
    var trainable = TrainableSet.lastBlocks(1)

    @Option(help: "The token that the head reads.")
    var pool = Pooling.lastToken

    @Option(
        help: ArgumentHelp("Times to go through the training texts. (default: 5)", valueName: "n"),
        transform: positiveInteger)
    var epochs = 5

    @Option(help: ArgumentHelp("Texts in a step. (default: 8)", valueName: "n"), transform: positiveInteger)
    var batch = 8

    @Option(help: ArgumentHelp("AdamW's learning rate. (default: 5e-05)", valueName: "rate"), transform: positiveNumber)
    var lr = 5e-5

    @Option(
        help: ArgumentHelp("AdamW's weight decay. (default: 0.1)", valueName: "share"), transform: nonNegativeNumber)
    var weightDecay = 0.1

    @Option(help: ArgumentHelp("Steps between evaluations. (default: 50)", valueName: "n"), transform: positiveInteger)
    var evalEvery = 50

    @Option(
        help: ArgumentHelp("Batches that an evaluation looks at; 0 for all. (default: 5)", valueName: "n"),
        transform: nonNegativeInteger)
    var evalBatches = 5

    @Option(help: "The order of the training texts: new in every epoch, or as they come.")
    var shuffle = TrainingSettings.Shuffle.seeded

    @Option(help: "The numbers of the frozen blocks' products; auto is bf16 where the CPU has it, else f32.")
    var precision = PrecisionChoice.auto

    @Option(
        help: ArgumentHelp(
            "Keep what the frozen blocks make of the texts in this directory, and find it there in the next run.",
            valueName: "dir"))
    var features: String?

    @OptionGroup var seed: SeedOption
    @OptionGroup var threads: ThreadsOption
    @OptionGroup var verbosity: QuietOption

    func run() throws {
        // Everything that can be known to fail is found out before the first shard is read.
        let base = Classifier.Base(base)
        var tuner = FineTuner(settings: settings, workers: Workers(count: threads.count))
        tuner.featureDirectory = features
        try tuner.requireMemory(for: base)
        try Shards.requireWritable(out)
        if let features { try FeatureDirectory.requireWritable(features) }
        let lock = try OutputLock(path: out)
        try withExtendedLifetime(lock) { try run(tuner, base) }
    }

    private func run(_ tuner: FineTuner, _ base: Classifier.Base) throws {
        let training = try Shards.read(nil)
        let validation = try Shards.read(self.validation)
        let test = try self.test.map { try Shards.read($0) }
        let classifier = try Classifier(
            base: base, labels: training.texts.description.labelNames, pooling: pool, tokenizerDirectory: tokenizer,
            seed: seed.seed, workers: tuner.workers)
        let metrics = MetricsLog(settings: settings, base: self.base, notes: verbosity.notes("finetune"))
        let progress = TrainingDisplay(quiet: verbosity.quiet)
        let trained = try tuner.train(
            classifier, training: training, validation: validation, test: test, report: metrics.write,
            progress: progress.show)
        progress.finish()
        try trained.write(directory: out)
        verbosity.notes("finetune").summary("model written to \(out)")
        try metrics.close(model: out)
    }

    private var settings: TrainingSettings {
        var settings = TrainingSettings()
        settings.trainable = trainable
        settings.pooling = pool
        settings.precision = precision.precision
        settings.epochs = epochs
        settings.batch = batch
        settings.learningRate = lr
        settings.weightDecay = weightDecay
        settings.evaluateEvery = evalEvery
        settings.evaluationBatches = evalBatches
        settings.shuffle = shuffle
        settings.seed = seed.seed
        return settings
    }
}
