// Whether finetune saves itself, and resumes.

import ArgumentParser
import FilterSupport
import GPT2Kit
import Records
import TrainingSupport

struct CheckpointOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Save the run every n steps, and after the last one, into OUT.checkpoints. On INT, TERM or HUP the run then \
            finishes its step and saves before it ends (a second signal, a second later, ends it at once). Before the \
            first step there is nothing to save but what --features keeps. The newest two checkpoints are kept, and \
            removed when the model is written. Not with --search.
            """, valueName: "n"),
        transform: positiveInteger)
    var checkpointEvery: Int?

    @Flag(
        help: """
            Resume from the newest checkpoint, with the same data and settings (except --threads, --features and \
            --checkpoint-every), to the same model as without the interruption. Without a checkpoint the run starts \
            from the beginning.
            """)
    var resume = false

    /// nil where neither is asked for.
    var saving: TrainingOutput.Saving? {
        checkpointEvery != nil || resume ? TrainingOutput.Saving(every: checkpointEvery, resumes: resume) : nil
    }
}
