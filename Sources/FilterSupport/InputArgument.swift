// The input that a filter reads.

import ArgumentParser
import Platform
import Records

/// The optional input file.
public struct InputArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The file to read; - or nothing means stdin.", valueName: "file"))
    public var input: String?

    public init() {}

    /// Opens the file, or stdin.
    ///
    /// - Throws: `StreamError`.
    public func open() throws -> ByteSource { try ByteSource(path: input) }

    /// Refuses stdin in the place of more than one of `inputs`; nil is one that isn't there.
    ///
    /// - Throws: `ValidationError`.
    public static func requireOneStandardInput(_ inputs: [String?]) throws {
        guard inputs.count(where: { $0 == "-" }) < 2 else { throw ValidationError("only one file can be stdin") }
    }

    /// Refuses an output that is the input.
    ///
    /// - Throws: ``UsageError``.
    public func requireDistinct(from output: String) throws {
        var a = stat()
        var b = stat()
        let found = if let input, input != "-" { stat(input, &a) == 0 } else { fstat(0, &a) == 0 }
        guard found, stat(output, &b) == 0, a.st_mode & S_IFMT == S_IFREG else { return }
        if a.isSameFile(as: b) {
            throw UsageError("the output \(output) is the input", remedy: "choose another output")
        }
    }
}
