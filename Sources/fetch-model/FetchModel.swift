// fetch-model: GPT-2's configuration, tokenizer and weights.

import ArgumentParser
import Fetching
import FilterSupport

@main
struct FetchModel: Filter {
    static let configuration = CommandConfiguration.filter(
        "fetch-model", "Get GPT-2: configuration, tokenizer and weights.",
        discussion: """
            Reads nothing from stdin. Looks for DIR/NAME/FILE under --mirror first, then on huggingface.co.
            Writes config.json, vocab.json, merges.txt and model.safetensors (gpt2: 548 MB) into --out. Files that are \
            already there and correct are kept, and a broken download is resumed. A download that is slower than 1,000 \
            bytes a second for 30 s, or takes longer than 6 hours, ends with 75.
            The revision of gpt2 is pinned, and its tokenizer and weights are checked by SHA-256. Of the larger models \
            only the tokenizer is checked.
            Streams: memory doesn't grow with the files.

            EXAMPLES
              fetch-model gpt2 --out models/gpt2
              fetch-model gpt2 --out models/gpt2 --mirror ../mirror --tokenizer-only
            """,
        exits: ExitCodes(
            [
                .badData: "wrong file",
                .unavailable: "neither mirror nor network has a file",
                .cannotCreate: "--out can't be created",
                .temporaryFailure: "cut short, stalled, or locked by another run: run again",
                .protocolError: "forbidden redirect, or not HTTP",
            ], cleansUp: true, opensFiles: false))

    @Argument(help: "gpt2 (124M), gpt2-medium, gpt2-large or gpt2-xl.")
    var name: String

    @Option(help: ArgumentHelp("The directory for the files.", valueName: "dir"))
    var out: String

    @Option(help: ArgumentHelp("A folder to look into before downloading.", valueName: "dir"))
    var mirror: String?

    @Option(help: ArgumentHelp("Only these files, separated by commas.", valueName: "a,b"))
    var files: String?

    @Flag(help: "Everything but the weights; enough to start from random weights.")
    var tokenizerOnly = false

    @OptionGroup var verbosity: QuietOption

    func run() throws {
        guard let model = CatalogueModel.named(name) else {
            let names = CatalogueModel.all.map(\.name).joined(separator: ", ")
            throw UsageError("no model \"\(name)\"", remedy: "give one of: \(names)")
        }
        let notes = verbosity.notes("fetch-model")
        var fetcher = ModelFetcher(model, into: out)
        fetcher.mirror = mirror
        fetcher.files = try wantedFiles(of: model)
        fetcher.downloader = { file in
            let bar = DownloadProgress(tool: "fetch-model", label: file, quiet: notes.quiet)
            return Downloader(maximumBytes: 16 << 30) { bar.update($0, $1) }
        }
        fetcher.note = { notes.onTerminal($0) }
        if !model.isPinned, fetcher.files?.contains("model.safetensors") ?? true {
            notes.always("the weights of \(name) aren't pinned: they are fetched by name, unchecked")
        }
        try fetcher.fetch()
    }

    private func wantedFiles(of model: CatalogueModel) throws -> [String]? {
        let known = model.files.map(\.name)
        if tokenizerOnly { return known.filter { !$0.hasSuffix(".safetensors") } }
        guard let files else { return nil }
        let wanted = files.split(separator: ",").map(String.init)
        for file in wanted where !known.contains(file) {
            throw UsageError(
                "no file \"\(file)\" in \(model.name)", remedy: "give some of: \(known.joined(separator: ", "))")
        }
        return wanted
    }
}
