// tokenize-pad: records to token shards.

import ArgumentParser
import FilterSupport
import Records
import Tokenization

@main
struct TokenizePad: Filter {
    static let leastMemory = 8 << 20

    static let configuration = CommandConfiguration.filter(
        "tokenize-pad", "Turn records into padded GPT-2 tokens.",
        discussion: """
            Reads NDJSON records with a text and perhaps a label. Texts are encoded with the byte-level BPE of \
            --tokenizer, cut to --length, and padded with <|endoftext|>; the word <|endoftext|> inside a text is \
            ordinary text. An empty text becomes one pad. Cut texts are counted on stderr.
            Writes a stream of token shards, but not to a terminal. A shard is a safetensors blob with the tokens, lengths, \
            labels and line numbers of up to --rows-per-shard texts.
            Streams with --pack, and with --length N, model or SHARD together with --labels or --labels-from. Otherwise \
            it buffers, because the longest text or the labels are known only at the end: 4 bytes for each token, and 20 \
            for each text.

            EXAMPLE
              split --part train < all.ndjson \\
                | tokenize-pad --tokenizer models/gpt2 > train.tokens
              tokenize-pad --tokenizer models/gpt2 --length train.tokens \\
                --labels-from train.tokens test.ndjson > test.tokens

            Rows for a language model, streamed:
              tokenize-pad --tokenizer models/gpt2 --pack --length 256 \\
                corpus.ndjson > corpus.tokens
            """,
        exits: ExitCodes([
            .badData: "bad record, unknown label, damaged SHARD, or (--strict) a text that is too long",
            .configuration: "not a GPT-2 tokenizer, or SHARD was made with another one",
        ]))

    @OptionGroup var input: InputArgument

    @Option(help: ArgumentHelp("The directory of vocab.json and merges.txt, or of tokenizer.json.", valueName: "dir"))
    var tokenizer: String

    @Option(
        help: ArgumentHelp(
            """
            The padded length: that of the longest text (at most what the model takes: n_positions of config.json, or \
            1024), N tokens, what the model takes, or that of another stream of shards.
            """, valueName: "longest|N|model|SHARD"))
    var length = "longest"

    @Option(
        help: ArgumentHelp(
            """
            The classes; another label is an error. For labels with a comma use --labels-from. (default: those that occur)
            """, valueName: "a,b"))
    var labels: String?

    @Option(help: ArgumentHelp("The classes of another stream of shards.", valueName: "SHARD"))
    var labelsFrom: String?

    @Flag(help: "A text that is too long is an error instead of being cut.")
    var strict = false

    @Flag(
        help: """
            Rows for a language model: as many whole texts as fit, each with <|endoftext|> at its end; longer texts are cut \
            into pieces. Labels are left out. "longest" means what the model takes.
            """)
    var pack = false

    @Option(
        help: ArgumentHelp("The most rows in one shard. (default: 4096)", valueName: "n"), transform: positiveInteger)
    var rowsPerShard = 4096

    @OptionGroup var records: RecordOptions
    @OptionGroup var verbosity: QuietOption

    func validate() throws {
        if labels != nil, labelsFrom != nil { throw ValidationError("--labels and --labels-from exclude each other") }
        if let number = Int(length), number < 1 { throw ValidationError("--length has to be at least 1") }
        if pack, strict || labels != nil || labelsFrom != nil {
            throw ValidationError(
                "--pack cuts long texts and leaves labels out: leave out --strict, --labels, --labels-from")
        }
        if pack, Int(length) == 1 { throw ValidationError("--pack needs a --length of at least 2") }
        if length.isEmpty { throw ValidationError("--length is empty") }
        _ = try labels.map(LabelList.parse)
    }

    func run() throws {
        let sink = try ByteSink.binaryStandardOutput(of: "tokenize-pad")
        let tokens = try Tokenizer(directory: tokenizer)
        let maker = TokenShardMaker(
            tokenizer: tokens, paddedLength: try rowLength(tokens), labels: try classes(tokens), isStrict: strict,
            rowsPerShard: rowsPerShard)
        if pack { return try pack(maker, into: sink) }
        let report = try maker.make(records.reader(try input.open()), into: sink)
        try sink.close()
        let notes = verbosity.notes("tokenize-pad")
        if report.truncated > 0 {
            notes.always("texts cut to \(report.paddedLength) tokens: \(report.truncated) of \(report.rows)")
        }
        notes.onTerminal("\(report.rows) rows of \(report.paddedLength) tokens")
    }

    private func pack(_ maker: TokenShardMaker, into sink: ByteSink) throws {
        let report = try maker.pack(records.reader(try input.open()), into: sink)
        try sink.close()
        verbosity.notes("tokenize-pad").onTerminal(
            "\(report.documents) texts in \(report.rows) rows of \(report.paddedLength) tokens, \(Int(100 * report.fill)) % full"
        )
    }

    private func rowLength(_ tokens: Tokenizer) throws -> TokenShardMaker.PaddedLength {
        let maximum = try ContextLength.ofModel(directory: tokenizer)
        switch length {
        case "longest": return .longest(maximum: maximum ?? 1024)
        case "model":
            guard let maximum else {
                throw UsageError(
                    "--length model needs a config.json in \(tokenizer)", remedy: "name the length in tokens")
            }
            return .fixed(maximum)
        default:
            let isNumber = length.utf8.allSatisfy { (0x30...0x39).contains($0) }
            guard isNumber else {
                let number = try description(of: length, tokens).paddedLength
                guard number <= maximum ?? number, !pack || number > 1 else {
                    throw UsageError(
                        "the shards of \(length) are padded to \(number) tokens, "
                            + (number == 1
                                ? "and --pack needs 2" : "more than the \(maximum ?? 0) that the model takes"),
                        remedy: "name the length in tokens")
                }
                return .fixed(number)
            }
            guard let number = Int(length), number <= maximum ?? 1 << 20 else {
                throw UsageError(
                    "--length \(length) is more than the \(maximum ?? 1 << 20) tokens that the model takes",
                    remedy: "choose a smaller one")
            }
            return .fixed(number)
        }
    }

    private func classes(_ tokens: Tokenizer) throws -> [String]? {
        if let labelsFrom { return try description(of: labelsFrom, tokens).labelNames }
        return try labels.map(LabelList.parse)
    }

    /// What the shards of the stream `path` have in common, all of them checked.
    private func description(of path: String, _ tokens: Tokenizer) throws -> TokenSetDescription {
        let (description, isFormer) = try ShardReader.readDescription(ByteSource(path: path), tokenizer: tokens)
        if isFormer { verbosity.notes("tokenize-pad").formerShards(path) }
        return description
    }
}
