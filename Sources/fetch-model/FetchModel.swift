// fetch-model: GPT-2's configuration, tokenizer and weights.

import ArgumentParser
import Fetching
import FilterSupport
import Records

@main
struct FetchModel: Filter {
    static let configuration = CommandConfiguration.filter(
        "fetch-model", "Get a GPT-2: configuration, tokenizer and weights.",
        discussion: """
            Reads nothing from stdin. Looks for NAME/FILE under --mirror first, then in Hugging Face's cache, then on the hub. \
            Writes config.json, vocab.json and merges.txt (or tokenizer.json) and model.safetensors, or its parts and their \
            index, into --out. Files that are already there and correct are kept, and a broken download is resumed. What \
            was fetched, and of which commit, stands in the file .fetched in --out, so that versions never mix: \
            another model, another --revision, an owner/name whose branch has moved, or weights of which nothing says \
            what they are end with 73. A download that is slower than 1,000 bytes a second for 30 s, or takes longer than 6 hours, ends \
            with 75.
            The revision of gpt2 (548 MB) is pinned, and its tokenizer and weights are checked by SHA-256. Of the others the \
            weights are checked by the hash that the hub names, and all files are of one commit.
            Streams: memory doesn't grow with the files.

            ENVIRONMENT
              HF_ENDPOINT     the hub (https://huggingface.co)
              HF_TOKEN        the token for a model that isn't public, or the
                              file token in HF_HOME; sent to the hub alone;
                              one that can't be sent is reported
              HF_HOME         where the cache is (~/.cache/huggingface)
              HF_HUB_CACHE    the cache itself (hub in HF_HOME)
              HF_HUB_OFFLINE  1: never ask the network

            EXAMPLES
              fetch-model gpt2 --out models/gpt2
              fetch-model gpt2 --out models/gpt2 --mirror ../mirror --tokenizer-only
              fetch-model owner/name --revision v2 --out models/name
              fetch-model --list
            """,
        exits: ExitCodes(
            [
                .badData: "wrong file",
                .unavailable: "neither mirror, cache nor network has a file",
                .cannotCreate: "--out can't be created, or has another model or version",
                .temporaryFailure: "cut short, stalled, or locked by another run: run again",
                .protocolError: "forbidden redirect, or not HTTP",
            ], cleansUp: true, opensFiles: false))

    @Argument(help: "gpt2, gpt2-medium, gpt2-large, gpt2-xl, distilgpt2, or owner/name of a GPT-2 on the hub.")
    var name: String?

    @Option(help: ArgumentHelp("The directory for the files.", valueName: "dir"))
    var out: String?

    @Option(
        help: ArgumentHelp(
            "A commit, tag or branch of the model. (default: the pinned one, or main)", valueName: "name"))
    var revision: String?

    @Option(help: ArgumentHelp("A folder to look into before downloading.", valueName: "dir"))
    var mirror: String?

    @Option(help: ArgumentHelp("Only these files, separated by commas.", valueName: "a,b"))
    var files: String?

    @Flag(help: "Everything but the weights; enough to start from random weights. Goes without --files.")
    var tokenizerOnly = false

    @Flag(help: "List the models that have a short name, and end.")
    var list = false

    @OptionGroup var verbosity: QuietOption

    func validate() throws {
        if list { return }
        guard name != nil else { throw ValidationError("Missing expected argument '<name>'") }
        guard out != nil else { throw ValidationError("Missing expected argument '--out <dir>'") }
    }

    func run() throws {
        if list { return try writeList() }
        guard let name, let model = CatalogueModel.named(name, revision: revision) else {
            let names = CatalogueModel.all.map(\.name).joined(separator: ", ")
            throw UsageError("no model \"\(name ?? "")\"", remedy: "give one of \(names), or owner/name")
        }
        let notes = verbosity.notes("fetch-model")
        var fetcher = ModelFetcher(model, into: out ?? ".")
        fetcher.mirror = mirror
        fetcher.hub = ModelHub.ofUser
        if let place = fetcher.hub.unusableToken {
            notes.always("\(place): the token has characters that no token has: the hub is asked without it")
        }
        fetcher.files = try wantedFiles()
        fetcher.downloader = { file in
            let bar = DownloadProgress(tool: "fetch-model", label: file, quiet: notes.quiet)
            return Downloader(maximumBytes: 16 << 30) { bar.update($0, $1) }
        }
        fetcher.note = { notes.onTerminal($0) }
        try fetcher.fetch()
    }

    private func writeList() throws {
        let sink = ByteSink.standardOutput()
        for model in CatalogueModel.all {
            try sink.write("\(model.name)\t\(model.parameters ?? "")\t\(model.repository)\t\(model.revision)\n")
        }
        try sink.close()
    }

    private func wantedFiles() throws -> [String]? {
        if tokenizerOnly, files != nil {
            throw UsageError("--tokenizer-only goes without --files", remedy: "give one of them")
        }
        if tokenizerOnly { return ["config.json", "vocab.json", "merges.txt"] }
        guard let files else { return nil }
        let wanted = files.split(separator: ",").map(String.init)
        let remedy = "give some of \(CatalogueModel.fileNames.joined(separator: ", "))"
        if wanted.isEmpty { throw UsageError("--files names no file", remedy: remedy) }
        for file in wanted where !CatalogueModel.fileNames.contains(file) {
            throw UsageError("no file \"\(file)\" in a model", remedy: remedy)
        }
        return wanted
    }
}
