// What went wrong, where, and what to do about it: the shape that every error of this project can be told in.
// One filter prints it as one line (FilterSupport); a library's user may show it in any other way.

/// Exit codes after BSD's `sysexits.h`, and the two that a shell reports for interrupted programs.
public enum ExitStatus: Int32, Sendable {
    /// The command line is wrong.
    case usage = 64
    /// The input was read and is not what it has to be.
    case badData = 65
    /// An input file doesn't exist or can't be opened.
    case noInput = 66
    /// A service (a server, a certificate) isn't available.
    case unavailable = 69
    /// A defect of the program itself.
    case software = 70
    /// The system has no more of something: memory, file descriptors, threads.
    case osLimit = 71
    /// An output file can't be created.
    case cannotCreate = 73
    /// Reading or writing failed.
    case ioError = 74
    /// Trying again later may succeed: a stalled download, a lock held by another run.
    case temporaryFailure = 75
    /// The other side broke the protocol.
    case protocolError = 76
    /// Permission denied.
    case noPermission = 77
    /// Model, tokenizer, shards or configuration don't belong together.
    case configuration = 78
    /// Ended by SIGINT.
    case interrupted = 130
    /// Ended by SIGTERM.
    case terminated = 143
}

/// One failure in the words of the user: `tool: source:position: problem: remedy`.
public struct Diagnosis: Sendable, Equatable {
    /// A place within ``source``: lines count from 1, bytes from 0.
    public enum Position: Sendable, Equatable {
        /// From 1.
        case line(Int)
        /// Bytes before the place.
        case byte(Int)
    }

    /// A choice that the user has, and that helps here. What it is called, an option's name, say, only the program knows.
    public enum Choice: Sendable, Equatable {
        /// Which key of a record holds the text, the label, the expected or the predicted label.
        case textField, labelField, expectedField, predictedField
        /// How long a line may be.
        case lineLength
        /// How many tokens a row has, and whether what is longer is cut.
        case rowLength
        /// How much memory the input may take.
        case memory
        /// Where the output goes.
        case output
        /// How many records of each class are kept.
        case perClass
        /// Which classes there have to be.
        case labels
        /// Which folder, or which folder's folder, or which other address a download may come from.
        case mirror, mirrorOfModels, fallback
        /// How much may be downloaded.
        case downloadLimit
        /// Which columns a table has, which of them are taken under which keys, and whether its first row names them.
        case columns, columnSource, header
        /// Which entry of an archive is taken, and that none is.
        case entry, noEntry
        /// That a run is resumed.
        case resume
        /// The tokenizer's directory.
        case tokenizer
        /// How many heads a model has, which model an adapter belongs to, how long texts are.
        case heads, base, length
        /// That a model is replaced.
        case replacing
        /// Choices of whoever made the token shards: their tokenizer, the labels' numbers, the padded length.
        case tokenizerOfShards, labelsOfShards, lengthOfShards
    }

    /// A file's name as the user gave it, `stdin` for a pipe, or an address; nil where no input is to blame.
    public var source: String?
    /// Where in ``source``; nil where the whole of it is meant.
    public var position: Position?
    /// What is wrong, without a full stop.
    public var problem: String
    /// What to do about it, without a full stop.
    public var remedy: String
    /// The exit code of a program that ends because of it.
    public var status: ExitStatus
    /// What may help besides ``remedy``, where the program lets the user choose it.
    public var choice: Choice?

    /// An error without a source is the program's own.
    public init(
        source: String? = nil, position: Position? = nil, problem: String, remedy: String, status: ExitStatus,
        choice: Choice? = nil
    ) {
        self.source = source
        self.position = position
        self.problem = problem
        self.remedy = remedy
        self.status = status
        self.choice = choice
    }

    /// The text after `tool: `, on one line.
    public var message: String {
        var place = ""
        if let source {
            switch position {
            case .line(let line): place = "\(source):\(line): "
            case .byte(let byte): place = "\(source):@\(byte): "
            case nil: place = "\(source): "
            }
        }
        return "\(place)\(problem): \(remedy)".printable
    }
}

/// An error that knows how to be told. Every error thrown in this project is one.
public protocol DiagnosableError: Error, CustomStringConvertible {
    var diagnosis: Diagnosis { get }
}

extension DiagnosableError {
    public var description: String { diagnosis.message }
}

extension String {
    /// This text with control characters (escape sequences, line feeds) shown as `\u{1B}`, so that what came from
    /// a file can't move the cursor of whoever reads the message.
    public var printable: String {
        var result = ""
        for scalar in unicodeScalars {
            switch scalar.value {
            case 0x0A: result += "\\n"
            case 0x0D: result += "\\r"
            case 0x09: result += "\\t"
            case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069:
                result += scalar.escaped(asASCII: true)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// This text as it can stand in Markdown: without control characters, and without HTML, emphasis, links or code of its own.
    package var markdownEscaped: String { escapingScalars("\\<*_[`") }

    /// This text as it can stand in a cell of a Markdown table.
    package var tableCell: String { escapingScalars("\\<*_[`|") }

    /// A bar before a combining character is a bar all the same: so scalars are compared, not characters.
    private func escapingScalars(_ escaped: String) -> String {
        var result = ""
        for scalar in printable.unicodeScalars {
            if escaped.unicodeScalars.contains(scalar) { result += "\\" }
            result.unicodeScalars.append(scalar)
        }
        return result
    }
}
