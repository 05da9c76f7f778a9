// split: train, validation and test.

import ArgumentParser
import FilterSupport
import Records

extension Part: ExpressibleByArgument {}

@main
struct Split: Filter {
    static let configuration = CommandConfiguration.filter(
        "split", "Deal records out to train, validation and test.",
        discussion: """
            Reads NDJSON records. A shuffle with --seed decides which part each record goes to. The sizes of train and \
            validation are their shares, rounded down; test gets the rest (of 1,494 records: 1,045, 149, 300).
            Writes train.ndjson, validation.ndjson and test.ndjson into --out, all or none; or, with --part, one part to \
            stdout. Lines keep their bytes. Within a part they are in the shuffled order, not in that of the input.
            Buffers: the whole input is held in memory.

            EXAMPLES
              balance sms.ndjson | split --out parts
              balance sms.ndjson | split --part test --group-by text \\
                | score --model model --input ndjson | evaluate
            """,
        exits: ExitCodes(
            [
                .badData: "bad record",
                .cannotCreate: "--out can't be created",
                .temporaryFailure: "another run is writing the same --out",
            ], cleansUp: true))

    enum GroupKey: String, ExpressibleByArgument { case text }

    @OptionGroup var input: InputArgument

    @Option(help: ArgumentHelp("The directory for the three files.", valueName: "dir"))
    var out: String?

    @Option(help: "The one part to write to stdout.")
    var part: Part?

    @Option(help: ArgumentHelp("Shares of train, validation and test.", valueName: "a,b,c"))
    var fractions: Fractions = .standard

    @Flag(help: "Give every part the same shares of all classes.")
    var stratify = false

    @Option(
        help: ArgumentHelp(
            "--group-by text keeps records with the same text (letter case and white space aside) in the same part.",
            valueName: "key"))
    var groupBy: GroupKey?

    @OptionGroup var seed: SeedOption
    @OptionGroup var records: RecordOptions
    @OptionGroup var memory: MemoryOption
    @OptionGroup var verbosity: QuietOption

    func validate() throws {
        guard (out == nil) != (part == nil) else { throw ValidationError("give either --out or --part") }
    }

    func run() throws {
        let splitter = Splitter(
            fractions: fractions, isStratified: stratify, groupsByText: groupBy == .text, seed: seed.seed,
            maximumMemory: memory.limit)
        for part in Part.allCases {
            if let out { try input.requireDistinct(from: "\(out)/\(part.rawValue).ndjson") }
        }
        let source = try input.open()
        let lock = try out.map { try OutputLock(path: $0) }
        if let out { AtomicDirectory.removeLeftovers(of: out) }
        let split = try splitter.split(records.reader(source))
        try withExtendedLifetime(lock) { try write(split) }
        let counts = Part.allCases.map { "\($0.rawValue) \(split.count(of: $0))" }.joined(separator: ", ")
        verbosity.notes("split").onTerminal(counts)
    }

    private func write(_ split: Splitter.Split) throws {
        if let part {
            let sink = ByteSink.standardOutput()
            try split.write(part, to: sink)
            try sink.close()
        } else if let out {
            let directory = try AtomicDirectory(path: out)
            for part in Part.allCases { try split.write(part, to: directory.file("\(part.rawValue).ndjson")) }
            try directory.commit()
        }
    }
}

extension Fractions: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
    public var defaultValueDescription: String { "0.7,0.1,0.2" }
}
