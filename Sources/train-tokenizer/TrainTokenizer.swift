// train-tokenizer: records to a byte-level BPE tokenizer of their own.

import ArgumentParser
import FilterSupport
import Records
import Safetensors
import Tokenization

@main
struct TrainTokenizer: Filter {
    static let leastMemory = 8 << 20

    static let configuration = CommandConfiguration.filter(
        "train-tokenizer", "Learn a GPT-2 tokenizer from texts.",
        discussion: """
            Reads NDJSON records with a text. Learns byte-level BPE merges, the most frequent pair first; of pairs \
            that tie, the one with the lowest ids. So the same texts give the same files.
            Writes vocab.json and merges.txt in GPT-2's format to --out: 256 bytes, merges, and <|endoftext|> last. \
            There are fewer tokens than --vocab-size if the texts have no more pairs that occur twice.
            Memory: the distinct words of the texts, not the texts.

            EXAMPLE
              train-tokenizer --vocab-size 1024 --out build/tokenizer < train.ndjson
            """,
        exits: ExitCodes(
            [
                .badData: "bad record",
                .cannotCreate: "--out can't be created, or holds a model",
                .temporaryFailure: "another run is writing the same --out",
            ], cleansUp: true))

    @OptionGroup var input: InputArgument

    @Option(help: ArgumentHelp("The number of tokens, at least 257.", valueName: "n"), transform: positiveInteger)
    var vocabSize: Int

    @Option(help: ArgumentHelp("The directory for vocab.json and merges.txt.", valueName: "dir"))
    var out: String

    @OptionGroup var text: TextOption
    @OptionGroup var lines: LineOptions
    @OptionGroup var verbosity: QuietOption

    func validate() throws {
        if vocabSize < 257 { throw ValidationError("--vocab-size has to be at least 257") }
    }

    func run() throws {
        let source = try input.open()
        try ModelExists.requireNoWeights(in: out)
        let lock = try OutputLock(path: out)
        AtomicDirectory.removeLeftovers(of: out)
        try withExtendedLifetime(lock) { try train(source) }
    }

    private func train(_ source: ByteSource) throws {
        var reader = lines.reader(source, fields: RecordFields(text: text.textField))
        var trainer = BPETrainer()
        var count = 0
        while let record = try reader.next() {
            try trainer.add(try record.textBytes())
            count += 1
        }
        if count == 0 { throw RecordError.noRecords(source: source.name) }
        let merges = try trainer.train(vocabularySize: vocabSize)
        let directory = try AtomicDirectory(path: out)
        directory.superseded = ["tokenizer.json", "tokenizer_config.json"]
        try directory.file("vocab.json").write(merges.vocabulary)
        try directory.file("merges.txt").write(merges.mergeLines)
        try directory.commit()
        verbosity.notes("train-tokenizer").onTerminal("\(merges.tokens.count + 1) tokens from \(count) texts")
    }
}
