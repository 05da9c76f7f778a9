// pretrain: token shards in, a language model out.

import ArgumentParser
import FilterSupport
import GPT2Kit
import Records
import Tokenization
import TrainingSupport

@main
struct Pretrain: Filter {
    static let leastMemory = 64 << 20

    static let configuration = CommandConfiguration.filter(
        "pretrain", "Train a GPT-2 language model on texts without labels.",
        discussion: """
            Reads training shards (tokenize-pad --pack) from a file or stdin, validation shards from a file. All weights \
            learn to predict the next token of every row.
            Writes a model directory (--out) that finetune and pretrain take as --base and Hugging Face's \
            GPT2LMHeadModel reads, and metrics as NDJSON to stdout: a line for the start, every step and evaluation, and \
            the end.
            The rows stay on disk: a file is mapped, a pipe goes to a file in $TMPDIR first. Memory: 32 bytes for every \
            parameter, 8 for every row, and what the model computes of 1,024 tokens; before the first step, with \
            --embeddings cooccurrence, up to 5 × vocabulary × 8,192 bytes more. The model directory appears whole, \
            when training has ended well.

            EXAMPLE
              tokenize-pad --tokenizer tok --pack --length 128 \\
                corpus.ndjson > corpus.tokens
              tokenize-pad --tokenizer tok --pack --length 128 \\
                held-out.ndjson > held-out.tokens
              pretrain corpus.tokens --base random:config.json --tokenizer tok \\
                --validation held-out.tokens --out base > metrics.ndjson

            A run of two evenings:
              pretrain corpus.tokens … --max-minutes 180 > metrics.ndjson
              pretrain corpus.tokens … --max-minutes 360 --resume >> metrics.ndjson

            Fewer steps to the same loss, from random weights:
              pretrain corpus.tokens --base random:config.json \\
                --embeddings cooccurrence --lr 3e-3 --optimizer muon …

            GPT-2 itself, adapted to texts of one kind:
              pretrain corpus.tokens --base gpt2 --lr 1e-4 --schedule linear …
            """,
        exits: .training)

    @OptionGroup var input: InputArgument
    @OptionGroup(title: "Files") var files: FileOptions
    @OptionGroup(title: "Steps") var steps: StepOptions
    @OptionGroup(title: "Updates") var optimizer: OptimizerOptions
    @OptionGroup(title: "Checkpoints") var checkpointing: CheckpointOptions

    @OptionGroup var seed: SeedOption
    @OptionGroup var threads: ThreadsOption
    @OptionGroup var verbosity: QuietOption

    func validate() throws { try InputArgument.requireOneStandardInput([input.input ?? "-", files.validation]) }

    func run() throws {
        // Everything that can be known to fail is found out before the first shard is read.
        let base = Classifier.Base(files.base)
        let pretrainer = Pretrainer(settings: settings, workers: Workers(count: threads.count))
        try pretrainer.requirePossible(for: base)
        if files.tokenizer == nil { _ = try base.tokenizerDirectory() }
        // A run that time ends can be resumed.
        let saving =
            checkpointing.saving ?? steps.maxMinutes.map { _ in TrainingOutput.Saving(every: nil, resumes: false) }
        let output = try TrainingOutput(files.out, base: base, saving: saving, isReplaced: files.force)
        try withExtendedLifetime(output) { try run(pretrainer, base, output) }
    }

    private func run(_ pretrainer: Pretrainer, _ base: Classifier.Base, _ output: TrainingOutput) throws {
        let notes = verbosity.notes("pretrain")
        let model = try PretrainedModel(
            base: base, tokenizerDirectory: files.tokenizer, seed: seed.seed, workers: pretrainer.workers)
        func corpus(_ path: String?) throws -> TokenCorpus {
            let corpus = try TokenCorpus(path: path, tokenizer: model.tokenizer)
            if corpus.isFormerFormat { notes.formerShards(corpus.source) }
            return corpus
        }
        // A small file first: what is wrong with it is told before a long one is read.
        let validation = try corpus(files.validation)
        let data = try PretrainingData(base: model, training: corpus(input.input), validation: validation)
        var pretrainer = pretrainer
        pretrainer.checkpoints = output.checkpoints(of: data.identity(settings, workers: pretrainer.workers))
        if try output.isFinished(pretrainer.checkpoints) {
            return notes.always("\(files.out) is what this run ended in: nothing to do")
        }
        let metrics = MetricsLog(settings: settings, base: files.base, notes: notes)
        var trained = try train(pretrainer, data, metrics)
        trained.provenance = Provenance(command: ["pretrain"] + CommandLine.arguments.dropFirst())
        try trained.write(directory: files.out, precision: files.weights)
        let isUnfinished = trained.results.reason == .maxMinutes
        if !isUnfinished { pretrainer.checkpoints?.remove() }
        notes.always(trained.results.text)
        if isUnfinished { notes.always("the time was up: continue with --resume and more --max-minutes") }
        notes.onTerminal("model written to \(files.out)")
        try metrics.close(model: files.out)
    }

    private func train(
        _ pretrainer: Pretrainer, _ data: PretrainingData, _ metrics: MetricsLog
    ) throws -> TrainedLanguageModel {
        let display = TrainingDisplay(quiet: verbosity.quiet)
        defer { display.finish() }
        return try SignalWatch.watching(verbosity.notes("pretrain"), stopped: display.finish) { signals in
            try pretrainer.train(data) { event in
                display.show(event)
                metrics.write(event)
                if pretrainer.checkpoints != nil { signals.follow(event) }
            }
        }
    }

    private var settings: PretrainingSettings {
        var settings = PretrainingSettings()
        steps.apply(to: &settings)
        optimizer.apply(to: &settings)
        settings.seed = seed.seed
        return settings
    }
}
