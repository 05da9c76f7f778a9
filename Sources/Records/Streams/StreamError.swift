// Everything that can go wrong between this process and a file, a pipe or a terminal.

import Platform

/// A failure of reading or writing bytes.
public enum StreamError: DiagnosableError, Equatable {
    /// The input's path names a directory.
    case isDirectory(source: String)
    /// The input doesn't exist.
    case notFound(source: String)
    /// The file has more bytes than one of its kind.
    case fileTooLarge(source: String, maximum: Int)
    /// The input's path names a device, a pipe or a socket where only a regular file can be read.
    case notRegularInput(source: String)
    /// The input may not be read.
    case unreadable(source: String)
    /// Opening the input failed in another way.
    case cannotOpen(source: String, errno: Int32)
    /// The system reported an error while reading.
    case readFailed(source: String, errno: Int32)
    /// A line has more bytes than the reader holds.
    case lineTooLong(source: String, line: Int, maximum: Int)
    /// What is read is damaged, or can't be what it says it is: a checksum, a length or a name doesn't fit.
    case damaged(source: String, problem: String)
    /// Writing, flushing or closing an output failed: disk full, reader gone.
    case writeFailed(destination: String, errno: Int32)
    /// An output can't be created beside its final place.
    case cannotCreate(path: String, errno: Int32)
    /// The output's path names something that isn't a regular file: a device, a directory, a pipe.
    case notRegularFile(path: String)
    /// The output's path names the file that stdout or stderr is, or leads to it.
    case isStandardStream(path: String)
    /// The output's path names something that isn't a directory.
    case notDirectory(path: String)
    /// A finished output can't be moved to its final place.
    case cannotPublish(path: String, errno: Int32)
    /// A finished output is in its final place, but the directory that has its name can't be synchronised.
    case notDurable(path: String, errno: Int32)
    /// Another run is writing the same output.
    case locked(path: String, holder: String)
    /// Something else has the name of the lock of an output: a link, another file.
    case notALock(path: String)
    /// The input doesn't fit into the memory that the user allowed.
    case memoryExceeded(source: String, line: Int, maximum: Int)
    /// The system doesn't give the memory that the input takes.
    case outOfMemory(OutOfMemory)

    public var diagnosis: Diagnosis {
        switch self {
        case .isDirectory(let source):
            return Diagnosis(
                source: source, problem: "is a directory", remedy: "name a file, or - for stdin", status: .ioError)
        case .notFound(let source):
            return Diagnosis(
                source: source, problem: "no such file", remedy: "check the path", status: .noInput)
        case .notRegularInput(let source):
            return Diagnosis(
                source: source, problem: "isn't a regular file", remedy: "name a file that is one", status: .noInput)
        case .unreadable(let source):
            return Diagnosis(
                source: source, problem: "permission denied", remedy: "make it readable for this user",
                status: .noPermission)
        case .cannotOpen(let source, let code):
            let limits = [EMFILE, ENFILE, ENOMEM].contains(code)
            return Diagnosis(
                source: source, problem: "can't be opened (\(systemMessage(code)))",
                remedy: code == ENOMEM
                    ? Memory.remedy
                    : limits ? "raise the limit (ulimit -n)" : "check the path",
                status: limits ? .osLimit : .noInput)
        case .fileTooLarge(let source, let maximum):
            return Diagnosis(
                source: source,
                problem: "the file is larger than \(Memory.text(maximum)), the most that is read of such a file",
                remedy: "check that it is the right one", status: .badData)
        case .readFailed(let source, let code):
            return Diagnosis(
                source: source, problem: "can't be read (\(systemMessage(code)))",
                remedy: code == EBADF ? "give a file, or connect stdin" : "check the disk or the other end of the pipe",
                status: .ioError)
        case .lineTooLong(let source, let line, let maximum):
            return Diagnosis(
                source: source, position: .line(line), problem: "the line is longer than \(maximum) bytes",
                remedy: "check that the input has line ends", status: .badData, choice: .lineLength)
        case .damaged(let source, let problem):
            return Diagnosis(
                source: source, problem: problem, remedy: "get it again, from a source that you trust",
                status: .badData)
        case .writeFailed(let destination, let code):
            return Diagnosis(
                source: destination, problem: "can't be written (\(systemMessage(code)))",
                remedy: writeRemedy(code), status: .ioError)
        case .cannotCreate(let path, let code):
            let limits = [EMFILE, ENFILE].contains(code)
            return Diagnosis(
                source: path, problem: "can't be created (\(systemMessage(code)))",
                remedy: limits ? "raise the limit (ulimit -n)" : "choose a directory that exists and can be written",
                status: limits ? .osLimit : (code == ENOSPC || code == EIO ? .ioError : .cannotCreate))
        case .notRegularFile(let path):
            return Diagnosis(
                source: path, problem: "can't be created (exists and isn't a regular file)",
                remedy: "choose another name", status: .cannotCreate)
        case .isStandardStream(let path):
            return Diagnosis(
                source: path, problem: "can't be created (stdout or stderr goes there)", remedy: "choose another name",
                status: .cannotCreate)
        case .notDirectory(let path):
            return Diagnosis(
                source: path, problem: "can't be created (exists and isn't a directory)",
                remedy: "choose another name", status: .cannotCreate)
        case .cannotPublish(let path, let code):
            return Diagnosis(
                source: path, problem: "can't be put in place (\(systemMessage(code)))",
                remedy: "check the directory's permissions and its disk",
                status: [EACCES, EPERM, EROFS, ENOTEMPTY, EEXIST].contains(code) ? .cannotCreate : .ioError)
        case .notDurable(let path, let code):
            return Diagnosis(
                source: path, problem: "is written, but may not survive a power failure (\(systemMessage(code)))",
                remedy: "check the disk, and run again", status: .ioError)
        case .locked(let path, let holder):
            return Diagnosis(
                source: path, problem: "locked by \(holder), which is going to write it",
                remedy: "wait for that run", status: .temporaryFailure, choice: .output)
        case .notALock(let path):
            return Diagnosis(
                source: path, problem: "can't be used as a lock (it is a link, or holds something else)",
                remedy: "move it away, if nobody needs it there", status: .cannotCreate)
        case .memoryExceeded(let source, let line, let maximum):
            return Diagnosis(
                source: source, position: .line(line),
                problem: "the input takes more memory than the \(Memory.text(maximum)) allowed",
                remedy: "work on a part of the input", status: .osLimit, choice: .memory)
        case .outOfMemory(let error):
            return error.diagnosis
        }
    }

    /// That `source` can't be opened, for the reason that `code` of `errno` gives.
    static func opening(_ source: String, _ code: Int32) -> StreamError {
        switch code {
        case ENOENT, ENOTDIR: .notFound(source: source)
        case EACCES, EPERM: .unreadable(source: source)
        default: .cannotOpen(source: source, errno: code)
        }
    }

    private func writeRemedy(_ code: Int32) -> String {
        switch code {
        case ENOSPC, EDQUOT: "free some space"
        case EPIPE: "the reader has closed its end: run again with one that reads on"
        case EBADF: "connect stdout"
        case EFBIG: "raise the file size limit (ulimit -f)"
        default: "check the disk or the other end of the pipe"
        }
    }
}

/// The system's own words for an error number, as `strerror` has them in the C locale.
public func systemMessage(_ code: Int32) -> String {
    if code == EPIPE { return "Broken pipe, closed by its reader" }
    return String(cString: strerror(code))
}
