// Whether finetune searches for hyperparameters, and where.

import ArgumentParser
import FilterSupport
import GPT2Kit

struct SearchOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Try random hyperparameters, and keep the model with the lowest validation loss. Names are those of the \
            options: lr and batch (every factor equally likely); epochs, weight-decay, dropout, word-dropout and label-smoothing \
            (every number equally likely).
            """, valueName: "name=low..high,…"),
        transform: Search.init)
    var search: Search?

    @Option(help: ArgumentHelp("Trials of a search. (default: 50)", valueName: "n"), transform: positiveInteger)
    var trials: Int?

    /// Trials of a search; nil without one.
    var count: Int? { search == nil ? nil : trials ?? 50 }

    /// - Throws: ``UsageError`` for options that a search has no use for.
    func check(_ settings: TrainingSettings, _ checkpointing: CheckpointOptions) throws(UsageError) {
        if search == nil {
            if trials != nil { throw UsageError("--trials is of a search", remedy: "add --search, or leave it out") }
            return
        }
        if checkpointing.saving != nil {
            throw UsageError(
                "--checkpoint-every and --resume don't go with --search", remedy: "leave them out")
        }
        if settings.dependsOnEvaluations {
            throw UsageError(
                "--patience and --keep don't go with --search",
                remedy: "leave them out: a search compares trials itself")
        }
        if settings.averageDecay != nil {
            throw UsageError("--ema doesn't go with --search", remedy: "leave it out")
        }
        if settings.maxMinutes != nil {
            throw UsageError(
                "--max-minutes doesn't go with --search, whose result doesn't depend on time",
                remedy: "leave it out, or lower --trials")
        }
    }
}

/// A search space, and the text that it was read from.
struct Search {
    let space: SearchSpace
    let text: String

    @Sendable init(_ text: String) throws {
        do throws(SearchSpaceError) {
            space = try SearchSpace(text)
        } catch {
            throw ValidationError(error.problem)
        }
        self.text = text
    }
}
