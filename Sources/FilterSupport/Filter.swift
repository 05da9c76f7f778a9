// What every executable is: options, a `run()`, and one place that turns whatever went wrong into one line on stderr
// and an exit code.

import ArgumentParser
import Platform
import Records

/// A command of the pipeline. Conform, mark with `@main`, and throw whatever goes wrong.
public protocol Filter: ParsableCommand {
    /// Bytes of memory without which the filter doesn't begin: for threads, libraries and tables, not for its input.
    static var leastMemory: Int { get }
}

extension Filter {
    /// 1 MiB.
    public static var leastMemory: Int { 1 << 20 }

    /// Parses the command line, runs, and leaves the process with 0 or the error's exit code.
    public static func main() {
        protectStandardDescriptors()
        // Without the signal a write beyond `ulimit -f` fails with EFBIG, which is told and cleaned up like a full disk.
        signal(SIGXFSZ, SIG_IGN)
        let tool = configuration.commandName ?? "filter"
        Interruption.reportLostMappings(tool: tool)
        Interruption.reportLostMemory(tool: tool)
        if Platform.addressSpaceLimit != nil { Platform.useOneArena() }
        do {
            try OutOfMemory.checkBeginning(leastMemory)
            try TooFewDescriptors.checkBeginning()
            try checkArguments()
            var command = try parseAsRoot()
            try command.run()
            endProcess(0)
        } catch {
            leave(tool, with: error)
        }
    }

    /// Swift reads arguments as UTF-8, and puts U+FFFD for whatever isn't: another file would be read or written than was named.
    private static func checkArguments() throws(UsageError) {
        for argument in CommandLine.arguments.indices.dropFirst() {
            guard let bytes = CommandLine.unsafeArgv[argument], String(validatingCString: bytes) == nil else {
                continue
            }
            throw UsageError(
                "'\(CommandLine.arguments[argument])' isn't UTF-8",
                remedy: "give it in UTF-8; a file can be renamed, linked to, or given on stdin")
        }
    }

    private static func leave(_ tool: String, with error: any Error) -> Never {
        if let known = error as? any DiagnosableError {
            fail(tool, withOption(known.diagnosis))
        }
        if exitCode(for: error) == .success {
            // --help or --version: output like any other, so a full disk matters.
            let message = fullMessage(for: error)
            let note = message == configuration.version ? FilterVersion.commitNote : ""
            do throws(StreamError) {
                let sink = ByteSink.standardOutput()
                try sink.write(message + note + "\n")
                try sink.close()
                endProcess(0)
            } catch {
                fail(tool, error.diagnosis)
            }
        }
        if exitCode(for: error) == .validationFailure {
            fail(tool, usage(oneLine(message(for: error)), help: "see '\(tool) --help'"))
        }
        fail(
            tool,
            Diagnosis(
                source: "internal", problem: oneLine("\(error)"), remedy: "please report this", status: .software))
    }

    /// `diagnosis` with the option that helps, where the filter has one.
    private static func withOption(_ diagnosis: Diagnosis) -> Diagnosis {
        // Where memory is out, say, no more is done than has to be.
        guard diagnosis.choice != nil else { return diagnosis }
        return CommandLineOptions(of: Self.self).complete(diagnosis)
    }

    private static func usage(_ problem: String, help: String) -> Diagnosis {
        let options = CommandLineOptions(of: Self.self)
        guard let unknown = options.firstUnknown(in: CommandLine.arguments.dropFirst()) else {
            return UsageError(problem, remedy: help).diagnosis
        }
        let meant = options.nearest(to: unknown).map { "did you mean \($0)? " } ?? ""
        return UsageError("unknown option '\(unknown)'", remedy: meant + help).diagnosis
    }

    private static func fail(_ tool: String, _ diagnosis: Diagnosis) -> Never {
        var diagnosis = diagnosis
        if diagnosis.source == nil { diagnosis.source = "-" }
        writeToStandardError("\(tool): \(diagnosis.message)\n")
        endProcess(diagnosis.status.rawValue)
    }

    /// ArgumentParser's messages come without a full stop but sometimes on several lines.
    private static func oneLine(_ message: String) -> String {
        message.split(whereSeparator: \.isNewline).map { $0.drop(while: { $0 == " " }) }.joined(separator: "; ")
    }
}

/// Ends the process with a status that isn't an error's: an answer. The system takes its memory back faster than libraries
/// free theirs one piece after another; what filters write they have written.
public func endProcess(_ status: Int32) -> Never {
    fflush(nil)
    _exit(status)
}

extension CommandConfiguration {
    /// A filter's name, one line about it, what it reads, writes, keeps in memory, with an example, and its exit codes.
    public static func filter(
        _ name: String, _ abstract: String, discussion: String, exits: ExitCodes
    ) -> CommandConfiguration {
        CommandConfiguration(
            commandName: name, abstract: abstract, discussion: "\(discussion)\n\n\(exits.section)",
            version: "\(name) \(FilterVersion.number)")
    }
}

/// An error in the values of options that only shows once they are seen together.
public struct UsageError: DiagnosableError, Equatable {
    /// What is wrong, without a full stop.
    public var problem: String
    /// What to do about it, without a full stop.
    public var remedy: String

    /// Exits with `ExitStatus/usage`.
    public init(_ problem: String, remedy: String) {
        self.problem = problem
        self.remedy = remedy
    }

    /// A label that isn't one of the model's.
    public static func unknownLabel(_ name: String, of labels: [String]) -> UsageError {
        UsageError("the model has no label '\(name)'", remedy: "use one of \(labels.joined(separator: ", "))")
    }

    public var diagnosis: Diagnosis {
        Diagnosis(source: "arguments", problem: problem, remedy: remedy, status: .usage)
    }
}

/// One line, or several, to stderr. Failing to write them is no reason to fail.
public func writeToStandardError(_ text: String) {
    let bytes = Array(text.utf8)
    var start = 0
    while start < bytes.count {
        let count = bytes[start...].withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
        if count < 0 {
            if errno == EINTR { continue }
            return
        }
        start += count
    }
}

/// A closed stdin, stdout or stderr is a free number that the next file to be opened would get: an output written to
/// "stdout" would end up in it. So closed ones are occupied, in a mode in which their use still fails with EBADF.
private func protectStandardDescriptors() {
    for (descriptor, mode) in [(Int32(0), O_WRONLY), (1, O_RDONLY), (2, O_WRONLY)] {
        if fcntl(descriptor, F_GETFD) == -1, errno == EBADF {
            let opened = open("/dev/null", mode)
            if opened >= 0, opened != descriptor { close(opened) }
        }
    }
}
