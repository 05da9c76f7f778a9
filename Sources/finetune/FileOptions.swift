// What finetune reads and writes.

import ArgumentParser
import FilterSupport

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

    @Flag(help: "Write the files of --features, and end: nothing is trained, and --out stays as it is.")
    var featuresOnly = false

    @Option(
        help: ArgumentHelp(
            "With --features-only: the i-th of n shares of the files, so that n machines can compute them.",
            valueName: "i/n"))
    var featuresPart: String?

    func validate() throws {
        try InputArgument.requireOneStandardInput(["-", validation, test])
        guard features != nil || !featuresOnly else { throw ValidationError("--features-only goes with --features") }
        guard featuresPart == nil || featuresOnly else {
            throw ValidationError("--features-part goes with --features-only")
        }
        _ = try part()
    }

    /// Which files of features are computed; nil for all.
    func part() throws -> (number: Int, count: Int)? {
        guard let featuresPart else { return nil }
        let numbers = featuresPart.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 2, let number = numbers[0], let count = numbers[1], (1...100_000).contains(count),
            (1...count).contains(number)
        else { throw ValidationError("'\(featuresPart)' is not i/n: write it like --features-part 2/8") }
        return (number - 1, count)
    }
}
