// fetch-unzip: one entry of a zip archive, from wherever it is, as records.

import ArgumentParser
import Fetching
import FilterSupport
import Records

extension TableFormat: ExpressibleByArgument {}

@main
struct FetchUnzip: Filter {
    static let configuration = CommandConfiguration.filter(
        "fetch-unzip", "Get a zip archive and write one of its entries as records.",
        discussion: """
            Reads an archive from an http(s) address, a file, or stdin (-). Where it is an address, --mirror is looked \
            into first, then --cache, then the network, with the --fallback addresses after it.
            Writes NDJSON records, {"id": "SMSSpamCollection-1", "label": …, "text": …}, one per row; with --format \
            raw the entry's bytes.
            The entry is read twice: first to check its CRC, its length and its SHA-256, then to write it, so nothing \
            of a damaged archive is written. Streams: memory is bounded by the longest row.
            A download that brings less than 1,000 bytes a second for 30 s, or takes longer than 6 hours, ends with 75; \
            with --cache the next run resumes it.

            EXAMPLE
              fetch-unzip --entry SMSSpamCollection \\
                https://archive.ics.uci.edu/static/public/228/sms+spam+collection.zip \\
                | head -1

            EXIT CODES
              64 usage, 65 damaged or wrong archive or row, 66 no such file, 69 server or network, 74 read or write \
            error, 75 cut short or stalled: run again, 76 forbidden redirect or no HTTP
            """)

    @Argument(help: ArgumentHelp("The archive: an address, a file, or - for stdin.", valueName: "url|file|-"))
    var archive: String

    @Option(help: ArgumentHelp("An address to try when the first fails. Can be given several times.", valueName: "url"))
    var fallback: [String] = []

    @Option(help: ArgumentHelp("A folder to look for the file's name in before downloading.", valueName: "dir"))
    var mirror: String?

    @Option(
        help: ArgumentHelp(
            "A folder to keep downloads in, each under its address, and to resume broken ones. Several runs may share it.",
            valueName: "dir"))
    var cache: String?

    @Option(name: .customLong("sha256"), help: ArgumentHelp("The archive's SHA-256.", valueName: "hex"))
    var archiveHash: SHA256Digits?

    @Option(help: ArgumentHelp("The entry. Not needed where there is only one.", valueName: "name"))
    var entry: String?

    @Option(
        name: .customLong("entry-sha256"),
        help: ArgumentHelp(
            "The entry's SHA-256. With it a mirror's archive may be zipped anew, so have another --sha256.",
            valueName: "hex"))
    var entryHash: SHA256Digits?

    @Option(help: "How the entry is written.")
    var format: TableFormat = .tsv

    @Option(help: ArgumentHelp("The keys for the columns; _ leaves one out.", valueName: "a,b"))
    var columns = "label,text"

    @Flag(help: "The first row names the columns, and --columns picks from them.")
    var header = false

    @Option(help: ArgumentHelp("The most to download, and to unzip.", valueName: "bytes"), transform: positiveInteger)
    var maxBytes = 1 << 30

    @OptionGroup var lines: LineOptions
    @OptionGroup var verbosity: QuietOption

    func run() throws {
        let names = columns.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        if names.contains("") || Set(names.filter { $0 != "_" }).count != names.filter({ $0 != "_" }).count {
            throw UsageError("--columns has an empty or repeated name", remedy: "give names such as label,text")
        }
        let notes = verbosity.notes("fetch-unzip")
        let bar = DownloadProgress(tool: "fetch-unzip", label: "download", quiet: notes.quiet)
        var fetcher = ArchiveFetcher(archive)
        fetcher.fallbacks = fallback
        fetcher.mirror = mirror
        fetcher.cache = cache
        fetcher.expectedHash = archiveHash?.text
        fetcher.entryName = entry
        fetcher.expectedEntryHash = entryHash?.text
        fetcher.downloader = Downloader(maximumBytes: maxBytes) { bar.update($0, $1) }
        fetcher.note = { notes.record($0) }
        let verified = try fetcher.fetch()
        bar.finish()

        let converter = TableConverter(
            format: format, columns: names, hasHeader: header, name: verified.stem, maximumLineLength: lines.maxLine)
        let sink = ByteSink.standardOutput()
        let count = try verified.withSource { try converter.convert($0, to: sink) }
        try sink.close()
        notes.summary("\(count) records from \(verified.entry.name)")
    }
}

/// 64 hexadecimal digits.
struct SHA256Digits: ExpressibleByArgument {
    let text: String

    init?(argument: String) {
        guard argument.utf8.count == 64, argument.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return nil }
        text = argument.lowercased()
    }
}
