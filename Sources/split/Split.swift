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
            With --stable a hash of a record's text decides instead, so that records which are appended to the input later never \
            move one: the sizes are near the shares, and records keep their order.
            Buffers: the whole input is held in memory, with about 100 bytes more for each record; with --group-by text about \
            130 more for each text, with near-duplicates the texts and about 570 bytes for each. --max-memory is for all of it.

            EXAMPLES
              balance sms.ndjson | split --out parts
              balance sms.ndjson | split --part test --group-by text \\
                | score --model model --input ndjson | evaluate
              split --group-by near-duplicates --stable --out parts inbox.ndjson
            """,
        exits: ExitCodes(
            [
                .badData: "bad record",
                .cannotCreate: "--out can't be created",
                .temporaryFailure: "another run is writing the same --out",
            ], cleansUp: true))

    enum GroupKey: String, CaseIterable, ExpressibleByArgument {
        case text
        case nearDuplicates = "near-duplicates"
    }

    @OptionGroup var input: InputArgument

    @Option(help: ArgumentHelp("The directory for the three files.", valueName: "dir"))
    var out: String?

    @Option(help: "The one part to write to stdout.")
    var part: Part?

    @Option(help: ArgumentHelp("Shares of train, validation and test, which add up to 1.", valueName: "a,b,c"))
    var fractions: Fractions = .standard

    @Flag(help: "Give every part the same shares of all classes.")
    var stratify = false

    @Option(
        help: ArgumentHelp(
            """
            Keep records together that have the same text (letter case and white space aside), or with near-duplicates \
            nearly the same one: an edited copy.
            """, valueName: "text|near-duplicates"))
    var groupBy: GroupKey?

    @Option(
        help: ArgumentHelp(
            """
            Near duplicates have at least this share of their runs of five characters in common (Jaccard similarity). \
            (default: 0.8)
            """, valueName: "share"),
        transform: NumberArgument.factor)
    var similarity: Double?

    @Flag(
        help: """
            Never move a record because of records that come after it. A record that is a copy of records in several \
            parts joins the first of those records.
            """)
    var stable = false

    @OptionGroup var seed: SeedOption
    @OptionGroup var records: RecordOptions
    @OptionGroup var memory: MemoryOption
    @OptionGroup var verbosity: QuietOption

    func validate() throws {
        guard (out == nil) != (part == nil) else { throw ValidationError("give either --out or --part") }
        guard similarity == nil || groupBy == .nearDuplicates else {
            throw ValidationError("--similarity goes with --group-by near-duplicates")
        }
        guard similarity.map({ $0 >= 0.3 }) ?? true else {
            throw ValidationError("--similarity has to be at least 0.3: less is no copy")
        }
        guard !(stable && stratify) else {
            throw ValidationError("give either --stable or --stratify: stable parts leave the classes to chance")
        }
    }

    func run() throws {
        let grouping: Splitter.Grouping =
            switch groupBy {
            case nil: .none
            case .text: .equalTexts
            case .nearDuplicates: .nearCopies(similarity: similarity ?? 0.8)
            }
        let splitter = Splitter(
            fractions: fractions, isStratified: stratify, grouping: grouping, isStable: stable, seed: seed.seed,
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
        if split.separated > 0 {
            verbosity.notes("split").always(
                "\(split.separated) records are near duplicates of records in more than one part"
            )
        }
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
