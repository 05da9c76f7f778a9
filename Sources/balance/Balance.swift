// balance: as many records of every class.

import ArgumentParser
import FilterSupport
import Records

@main
struct Balance: Filter {
    static let configuration = CommandConfiguration.filter(
        "balance", "Keep equally many records of every class.",
        discussion: """
            Reads NDJSON records with a label. Keeps as many of every class as the rarest has, or --per-class of \
            each; --seed draws which.
            Writes the kept lines, byte for byte and in their order, each with a line feed.
            Buffers: the whole input is held in memory, with about 50 bytes more for each record, because the rarest class is \
            known only at its end. --max-memory is for all of it.

            EXAMPLE
              fetch-unzip sms.zip --entry SMSSpamCollection | balance > balanced.ndjson
            """,
        exits: ExitCodes([
            .badData: "bad record, or too few of a class"
        ]))

    @OptionGroup var input: InputArgument

    @Option(
        help: ArgumentHelp("Records to keep of each class. (default: what the rarest has)", valueName: "n"),
        transform: positiveInteger)
    var perClass: Int?

    @Option(help: ArgumentHelp("Classes that must occur, separated by commas.", valueName: "a,b"))
    var labels: String?

    @OptionGroup var seed: SeedOption
    @OptionGroup var label: LabelOption
    @OptionGroup var lines: LineOptions
    @OptionGroup var memory: MemoryOption
    @OptionGroup var verbosity: QuietOption

    func validate() throws {
        _ = try labels.map(LabelList.parse)
    }

    func run() throws {
        let balancer = Balancer(
            perClass: perClass, expectedLabels: try labels.map(LabelList.parse) ?? [], seed: seed.seed,
            maximumMemory: memory.limit)
        let sink = ByteSink.standardOutput()
        let records = lines.reader(try input.open(), fields: RecordFields(label: label.labelField))
        let report = try balancer.balance(records, into: sink)
        try sink.close()
        let counts = report.counts.map { "\($0.label) \($0.count)" }.joined(separator: ", ")
        verbosity.notes("balance").onTerminal("\(counts): kept \(report.perClass) of each")
    }
}
