// Every way in which something can fail to arrive, or to be what was expected.

import Records

/// A failure of fetching.
public enum FetchError: DiagnosableError, Equatable {
    /// The address isn't one, or neither http nor https.
    case invalidAddress(String)
    /// No connection, no such host, a certificate that doesn't hold.
    case unreachable(address: String, reason: String)
    /// The server answered with a status that isn't success.
    case httpStatus(address: String, Int)
    /// The connection, or the part that the server has sent, ended before the file. `canResume`: what has come is kept.
    case cutShort(address: String, missing: Int?, canResume: Bool)
    /// Too little came for a while. `canResume`: what has come is kept.
    case stalled(address: String, bytes: Int, seconds: Int, canResume: Bool)
    /// It came, but would take too long. `canResume`: what has come is kept.
    case tooSlow(address: String, seconds: Int, canResume: Bool)
    /// The server's answer isn't one that HTTP allows.
    case badAnswer(address: String, problem: String)
    /// More bytes than are allowed.
    case tooLarge(source: String, maximum: Int)
    /// A redirect to something that isn't https, or isn't the web at all.
    case forbiddenRedirect(address: String, to: String)
    /// One redirect after another.
    case tooManyRedirects(address: String)
    /// The SHA-256 isn't the expected one.
    case wrongHash(source: String, expected: String, got: String)
    /// Reading or writing a file failed.
    case stream(StreamError)
    /// A table's row has fewer columns than were named, or than the header has.
    case tooFewColumns(source: String, line: Int, count: Int, expected: Int)
    /// A table's row has more columns than were named, or than the header has.
    case tooManyColumns(source: String, line: Int, count: Int, expected: Int)
    /// The first row has the names of the columns where records were expected.
    case namesAsRecord(source: String)
    /// A header doesn't name a column that is wanted.
    case noSuchColumn(source: String, column: String)
    /// A CSV field's quotes don't fit together.
    case misplacedQuote(source: String, line: Int)
    /// Bytes that aren't UTF-8.
    case invalidUTF8(source: String, line: Int)
    /// An entry that isn't in the archive, or none was named and there are several.
    case noSuchEntry(source: String, name: String?, available: [String])
    /// An entry is wanted of a file that isn't an archive.
    case notAnArchive(source: String, entry: String)
    /// A server has sent an HTML page.
    case page(source: String)
    /// A file that isn't what a model's file has to be.
    case notTheModel(source: String, problem: String)
    /// A directory that holds files of another model than the one that is wanted.
    case otherModel(directory: String, model: String)
    /// A directory with a file that the model has too, of which nothing says which version it is of.
    case unknownVersion(directory: String, file: String, model: String)
    /// Another run is writing the same directory.
    case locked(path: String)
    /// Files of a model that neither the mirror nor the network has given.
    case missingFiles(model: String, files: [String], mirror: String?, reason: String)

    /// Whether what has come isn't what it has to be, so that fetching it again may help.
    var isAboutContent: Bool {
        switch self {
        case .wrongHash, .stream(.damaged), .notAnArchive, .page: true
        default: false
        }
    }

    public var diagnosis: Diagnosis {
        func at(
            _ source: String, line: Int? = nil, _ problem: String, _ remedy: String, _ status: ExitStatus,
            _ choice: Diagnosis.Choice? = nil
        ) -> Diagnosis {
            Diagnosis(
                source: source, position: line.map { .line($0) }, problem: problem, remedy: remedy, status: status,
                choice: choice)
        }
        func unfinished(_ address: String, _ problem: String, _ canResume: Bool) -> Diagnosis {
            at(
                WebAddress.redacted(address), problem, canResume ? "run it again to resume" : "run it again",
                .temporaryFailure)
        }
        switch self {
        case .invalidAddress(let address):
            return at(WebAddress.redacted(address), "not an http or https address", "check the address", .usage)
        case .unreachable(let address, let reason):
            return at(
                WebAddress.redacted(address), "can't be reached (\(reason))",
                "check the network", .unavailable, .mirror)
        case .httpStatus(let address, let status):
            return at(
                WebAddress.redacted(address), "the server answered \(status)", "check the address", .unavailable,
                .fallback)
        case .cutShort(let address, let missing, let canResume):
            let amount = missing.map { "short by \($0) bytes" } ?? "short by an unknown number of bytes"
            return unfinished(address, "the download is \(amount)", canResume)
        case .stalled(let address, let bytes, let seconds, let canResume):
            let amount = bytes == 0 ? "nothing" : "only \(bytes) bytes"
            return unfinished(address, "stalled: \(amount) came in \(seconds) s", canResume)
        case .tooSlow(let address, let seconds, let canResume):
            let time = seconds < 3600 ? "\(seconds) s" : "\(seconds / 3600) hours"
            return unfinished(address, "not complete after \(time)", canResume)
        case .badAnswer(let address, let problem):
            return at(
                WebAddress.redacted(address), "the server \(problem)", "check the address and its port", .protocolError)
        case .tooLarge(let source, let maximum):
            return at(
                WebAddress.redacted(source), "more than \(maximum) bytes", "check that it is the right file", .badData,
                .downloadLimit)
        case .forbiddenRedirect(let address, let target):
            return at(
                WebAddress.redacted(address), "redirects to \(WebAddress.redacted(target)), which isn't allowed",
                "check the address",
                .protocolError)
        case .tooManyRedirects(let address):
            return at(WebAddress.redacted(address), "redirects without end", "check the address", .protocolError)
        case .wrongHash(let source, let expected, let got):
            return at(
                WebAddress.redacted(source), "wrong SHA-256, expected \(expected) got \(got)",
                "get the right file, or correct the hash", .badData)
        case .stream(let error):
            return error.diagnosis
        case .tooFewColumns(let source, let line, let count, let expected):
            return at(
                source, line: line, "\(count) column\(count == 1 ? "" : "s") instead of \(expected)",
                "give every row the same columns", .badData, .columns)
        case .tooManyColumns(let source, let line, let count, let expected):
            return at(
                source, line: line, "\(count) columns instead of \(expected)",
                "quote fields that hold the separator", .badData, .columns)
        case .namesAsRecord(let source):
            return at(source, line: 1, "names the columns, and isn't a record", "remove that line", .badData, .header)
        case .noSuchColumn(let source, let column):
            return at(
                source, line: 1, "the header has no column \"\(column)\"",
                "check the names of the columns", .badData, .columnSource)
        case .misplacedQuote(let source, let line):
            return at(
                source, line: line, "a quote out of place", "quote the whole field and double quotes in it", .badData)
        case .invalidUTF8(let source, let line):
            return at(source, line: line, "not valid UTF-8", "convert it to UTF-8, for instance with iconv", .badData)
        case .noSuchEntry(let source, let name, let available):
            let list = available.prefix(8).joined(separator: ", ") + (available.count > 8 ? ", …" : "")
            return at(
                source, name.map { "no entry \"\($0)\"" } ?? "\(available.count) entries, and none was named",
                available.isEmpty ? "check the archive" : "name one of its entries (\(list))", .badData,
                available.isEmpty ? nil : .entry)
        case .notAnArchive(let source, let entry):
            return at(
                source, "isn't a zip archive, so it has no entry \"\(entry)\"",
                "give the archive", .badData, .noEntry)
        case .page(let source):
            return at(
                source, "an HTML page, neither an archive nor a table",
                "check the address: it may ask for a login, or be the page about the file", .badData)
        case .notTheModel(let source, let problem):
            return at(source, problem, "get the right file", .badData)
        case .otherModel(let directory, let model):
            return at(
                directory, "holds another model than \(model), or another version of it", "empty it", .cannotCreate,
                .output)
        case .unknownVersion(let directory, let file, let model):
            return at(
                directory, "it isn't known which version of \(model) its \(file) is of", "empty it", .cannotCreate,
                .output)
        case .locked(let path):
            return at(path, "locked by another run", "wait for it to end", .temporaryFailure)
        case .missingFiles(let model, let files, let mirror, let reason):
            let place = mirror.map { "\($0)/\(model)" } ?? "a folder \(model)"
            return at(
                model, "missing \(files.joined(separator: ", ")) (\(reason))",
                "connect to the network and run again, or put \(files.count == 1 ? "it" : "them") into \(place)",
                .unavailable, mirror == nil ? .mirrorOfModels : nil)
        }
    }
}

/// Runs `body`, telling a stream's failure as a fetch error.
func fetching<Value>(_ body: () throws(StreamError) -> Value) throws(FetchError) -> Value {
    do {
        return try body()
    } catch {
        throw .stream(error)
    }
}
