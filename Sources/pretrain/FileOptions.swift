// What pretrain reads and writes, and whether it saves itself.

import ArgumentParser
import FilterSupport
import GPT2Kit
import TrainingSupport

struct FileOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Start from random weights: random:gpt2, random:gpt2-medium, -large, -xl, or random:CONFIG.json; or from the \
            weights of a model directory.
            """, valueName: "random:…|dir"))
    var base: String

    @Option(
        help: ArgumentHelp(
            "vocab.json and merges.txt, or tokenizer.json. (default: the base directory)", valueName: "dir"))
    var tokenizer: String?

    @Option(help: ArgumentHelp("The validation shards.", valueName: "shard"))
    var validation: String

    @Option(help: ArgumentHelp("The model directory to write.", valueName: "dir"))
    var out: String

    @Option(help: "The number type of the weights in the file; bf16 is half as large.")
    var weights = StoredPrecision.float32

    @Flag(
        help: """
            Replace the model that --out holds. Otherwise only --resume does, with the model of the run that it resumes.
            """)
    var force = false
}

extension StoredPrecision: ExpressibleByArgument {}

struct CheckpointOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Save the run every n steps, and after the last one, into OUT.checkpoints. On INT, TERM or HUP the run then \
            leaves its step and saves before it ends (a second signal, a second later, ends it at once). Before the \
            first step there is nothing to save. The newest two checkpoints are kept, and removed when the model is \
            written, unless --max-minutes has ended the run.
            """, valueName: "n"),
        transform: positiveInteger)
    var checkpointEvery: Int?

    @Flag(
        help: """
            Resume from the newest checkpoint, with the same data and settings (except --threads, --max-minutes, \
            --validate-every, --weights and --checkpoint-every), to the same model as without the interruption. Without \
            a checkpoint the run starts from the beginning.
            """)
    var resume = false

    /// nil where neither is asked for.
    var saving: TrainingOutput.Saving? {
        checkpointEvery != nil || resume ? TrainingOutput.Saving(every: checkpointEvery, resumes: resume) : nil
    }
}
