// What finetune reads and writes.

import ArgumentParser

struct FileOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Start from a model directory, or from random weights: random:gpt2, random:gpt2-medium, -large, -xl, or \
            random:CONFIG.json.
            """, valueName: "dir|random:…"))
    var base: String

    @Option(
        help: ArgumentHelp(
            "vocab.json and merges.txt, or tokenizer.json. (default: the base directory)", valueName: "dir"))
    var tokenizer: String?

    @Option(help: ArgumentHelp("The validation shards.", valueName: "shard"))
    var validation: String

    @Option(help: ArgumentHelp("Test shards, for the accuracy at the end.", valueName: "shard"))
    var test: String?

    @Option(help: ArgumentHelp("The model directory to write.", valueName: "dir"))
    var out: String

    @Flag(
        help: """
            Replace the model that --out holds. Otherwise only --resume does, with the model of the run that it resumes.
            """)
    var force = false

    @Option(
        help: ArgumentHelp(
            "Keep the output of the frozen blocks in this directory, and reuse it in the next run.",
            valueName: "dir"))
    var features: String?
}
