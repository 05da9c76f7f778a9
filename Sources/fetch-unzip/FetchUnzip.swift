// fetch-unzip: a table, or one in a zip archive, from wherever it is, as records.

import ArgumentParser
import Fetching
import FilterSupport
import Records

extension TableFormat: ExpressibleByArgument {}

@main
struct FetchUnzip: Filter {
    static let configuration = CommandConfiguration.filter(
        "fetch-unzip", "Get a table, plain or in a zip archive, and write it as records.",
        discussion: """
            Reads from an http(s) address, a file, or stdin (-). A zip archive is recognised by its first bytes, not by its \
            name; anything else is the table itself. An address is looked for in --mirror first, then in --cache, then on \
            the network, then at the --fallback addresses; with a file or stdin these options are usage errors.
            Writes NDJSON records, {"id": "SMSSpamCollection-1", "label": …, "text": …}, one for each line of the \
            table; with --format raw the bytes. Every line must have as many columns as --columns names or, with \
            --header, as the header has. Without a header, the last column of a tab-separated line keeps further tabs. A \
            line of a CSV table may have line breaks in quoted fields. ndjson and raw have no columns: they take neither \
            --columns nor --header.
            The table is read twice: first to check its SHA-256 and an entry's CRC and length, then to write it. So \
            nothing of a damaged archive is written. Streams: holds the longest line of the table.
            A download that is slower than 1,000 bytes a second for 30 s, or takes longer than 6 hours, ends with 75; \
            with --cache the next run resumes it.

            EXAMPLES
              fetch-unzip tickets.csv --format csv --header \\
                --columns label=category,text=body
              fetch-unzip --entry SMSSpamCollection \\
                https://archive.ics.uci.edu/static/public/228/sms+spam+collection.zip \\
                | head -1
            """,
        exits: ExitCodes(
            [
                .badData: "damaged or wrong archive, or bad table",
                .unavailable: "server or network not available",
                .cannotCreate: "--cache or a temporary file can't be created",
                .temporaryFailure: "cut short, stalled, or locked by another run: run again",
                .protocolError: "forbidden redirect, or not HTTP",
            ], cleansUp: true))

    @Argument(help: ArgumentHelp("The archive or table: an address, a file, or - for stdin.", valueName: "url|file|-"))
    var archive: String

    @Option(help: ArgumentHelp("An address to try when the first fails. Repeatable.", valueName: "url"))
    var fallback: [String] = []

    @Option(help: ArgumentHelp("A folder to look for the file in before downloading.", valueName: "dir"))
    var mirror: String?

    @Option(
        help: ArgumentHelp(
            "A folder that keeps downloads, and resumes broken ones. Several runs may share it.",
            valueName: "dir"))
    var cache: String?

    @Option(
        name: .customLong("sha256"),
        help: ArgumentHelp("The SHA-256 of the archive, or of the plain file.", valueName: "hex"))
    var archiveHash: SHA256Digits?

    @Option(help: ArgumentHelp("The entry of the archive. Not needed if there is only one.", valueName: "name"))
    var entry: String?

    @Option(
        name: .customLong("entry-sha256"),
        help: ArgumentHelp(
            "The entry's SHA-256. If it is right, the archive of a mirror may have another --sha256.",
            valueName: "hex"))
    var entryHash: SHA256Digits?

    @Option(help: "The format of the table.")
    var format: TableFormat = .tsv

    @Option(
        help: ArgumentHelp(
            "The keys for the columns; _ leaves one out. With --header, text=body writes the column body under the key text."
                + " (default: label,text)",
            valueName: "a,b"))
    var columns: String?

    @Flag(help: "The first line of a tsv or csv names the columns, and --columns chooses from them.")
    var header = false

    @Option(
        help: ArgumentHelp("The most to download, and to unzip. (default: 1 GiB)", valueName: "bytes"),
        transform: positiveInteger)
    var maxBytes = 1 << 30

    @OptionGroup var lines: LineOptions
    @OptionGroup var verbosity: QuietOption

    func run() throws {
        if let (option, partner) = uselessOption {
            throw UsageError("\(option) goes with \(partner)", remedy: "leave it out, or give that")
        }
        guard let wanted = TableColumn.list(columns ?? "label,text") else {
            throw UsageError("--columns has an empty or repeated name", remedy: "give names such as label,text")
        }
        if !header, let column = wanted.first(where: \.isRenamed) {
            throw UsageError(
                "--columns renames \(column.name), but no header names the columns",
                remedy: "give --header, or the keys alone, in the order of the columns")
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
        fetcher.note = { notes.always($0) }
        let verified = try fetcher.fetch()
        bar.finish()

        let converter = TableConverter(
            format: format, columns: wanted, hasHeader: header, name: verified.stem, maximumLineLength: lines.maxLine)
        let sink = ByteSink.standardOutput()
        let count = try verified.withSource { try converter.convert($0, to: sink) }
        try sink.close()
        notes.onTerminal("\(count) records from \(verified.name)")
    }

    /// An option that was given and would change nothing, and what it goes with.
    private var uselessOption: (option: String, partner: String)? {
        let isTable = format == .tsv || format == .csv
        let hasLimit = lines.maxLine != LineReader.defaultMaximumLineLength
        let isAddress = archive.contains("://")
        let options: [(option: String, partner: String, isUseless: Bool)] = [
            ("--header", "--format tsv or csv", header && !isTable),
            ("--columns", "--format tsv or csv", columns != nil && !isTable),
            ("--max-line", "a --format other than raw", hasLimit && format == .raw),
            ("--fallback", "an http(s) address", !fallback.isEmpty && !isAddress),
            ("--mirror", "an http(s) address", mirror != nil && !isAddress),
            ("--cache", "an http(s) address", cache != nil && !isAddress),
        ]
        return options.first { $0.isUseless }.map { ($0.option, $0.partner) }
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
