// Whether finetune saves itself, and goes on from where it was.

import ArgumentParser
import FilterSupport
import GPT2Kit
import Records

struct CheckpointOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Save the run every so many steps, into OUT.checkpoints; INT and TERM then finish the step and save before \
            they end it. The newest two are kept, and removed when the model is written.
            """, valueName: "n"),
        transform: positiveInteger)
    var checkpointEvery: Int?

    @Flag(
        help: """
            Go on from the newest checkpoint, with the same data and settings: the model is the one that the run would \
            have ended in. Without any checkpoint it starts from the beginning.
            """)
    var resume = false

    var isUsed: Bool { checkpointEvery != nil || resume }
}

/// How signals and checkpoints go together: while steps are made, a signal is noted and leads to a last checkpoint;
/// before and after that it ends the process as ever.
struct SignalWatch {
    private var isHolding = false

    mutating func note(_ event: TrainingEvent) {
        switch event {
        case .step where !isHolding:
            isHolding = true
            Interruption.hold()
        case .end where isHolding: Interruption.release()
        default: break
        }
    }
}
