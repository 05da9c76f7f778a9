// Whether finetune saves itself, and goes on from where it was.

import ArgumentParser
import FilterSupport
import GPT2Kit
import Records

struct CheckpointOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Save the run every so many steps, and after the last one, into OUT.checkpoints. INT, TERM and HUP then \
            finish the step and save before they end it (a second one, a second later, ends it at once); before the \
            first step there is nothing to save but what --features keeps. The newest two are kept, and removed when \
            the model is written. Not with --search.
            """, valueName: "n"),
        transform: positiveInteger)
    var checkpointEvery: Int?

    @Flag(
        help: """
            Go on from the newest checkpoint, with the same data and settings (but --threads, --features and \
            --checkpoint-every): the model is the one that the run would have ended in. Without any checkpoint it starts \
            from the beginning.
            """)
    var resume = false

    var isUsed: Bool { checkpointEvery != nil || resume }
}

/// How signals and checkpoints go together: while steps are made, a signal is noted and leads to a checkpoint; before
/// them, and after the checkpoint of the last one, it ends the process as ever.
struct SignalWatch {
    private var isHolding = false

    mutating func note(_ event: TrainingEvent) {
        switch event {
        case .step where !isHolding:
            isHolding = true
            Interruption.hold()
        case .checkpoint(_, isLast: true): Interruption.release()
        default: break
        }
    }
}
