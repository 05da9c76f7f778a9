// A file's bytes in memory, without reading them: the one place that calls mmap.
// Not here: any knowledge of what the bytes mean. Whoever truncates a mapped file kills its readers with SIGBUS;
// files are therefore replaced by rename only (see AtomicFile), which leaves a mapping as it was.

import Records

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Why a file couldn't be opened or written.
public enum FileError: DiagnosableError, Equatable {
    case missing(path: String)
    case forbidden(path: String)
    case isDirectory(path: String)
    /// `open`, `fstat`, `mmap` or `read` failed.
    case unreadable(path: String, reason: String)
    /// The file or its temporary sibling couldn't be created.
    case cannotCreate(path: String, reason: String)
    /// `write`, `fsync`, `close` or `rename` failed.
    case unwritable(path: String, reason: String)

    public var diagnosis: Diagnosis {
        switch self {
        case .missing(let path):
            Diagnosis(source: path, problem: "no such file", remedy: "check the path", status: .noInput)
        case .forbidden(let path):
            Diagnosis(
                source: path, problem: "permission denied", remedy: "make it readable for this user",
                status: .noPermission)
        case .isDirectory(let path):
            Diagnosis(source: path, problem: "is a directory", remedy: "name a file", status: .ioError)
        case .unreadable(let path, let reason):
            Diagnosis(source: path, problem: "cannot be read (\(reason))", remedy: "check the disk", status: .ioError)
        case .cannotCreate(let path, let reason):
            Diagnosis(
                source: path, problem: "cannot be created (\(reason))",
                remedy: "check that its directory exists and is writable", status: .cannotCreate)
        case .unwritable(let path, let reason):
            Diagnosis(
                source: path, problem: "cannot be written (\(reason))", remedy: "check the free space of the disk",
                status: .ioError)
        }
    }

    static func reading(_ path: String, _ code: Int32) -> FileError {
        switch code {
        case ENOENT, ENOTDIR: .missing(path: path)
        case EACCES, EPERM: .forbidden(path: path)
        case EISDIR: .isDirectory(path: path)
        default: .unreadable(path: path, reason: String(cString: strerror(code)))
        }
    }
}

/// A read-only view of a whole file, or of bytes that stand in for one, alive as long as this object is.
///
/// `@unchecked Sendable`: the bytes never change after `init`, and are released in `deinit` alone.
public final class MappedFile: @unchecked Sendable {
    /// The name for messages: the path, or what the caller called the bytes.
    public let name: String
    /// Page-aligned for a file, 64-byte aligned for copied bytes. Valid while this object is alive.
    public let bytes: UnsafeRawBufferPointer
    private let isMapped: Bool

    /// Maps the file at `path`.
    public init(path: String) throws(FileError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .reading(path, errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .reading(path, errno) }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw .isDirectory(path: path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .unreadable(path: path, reason: "not a regular file")
        }
        name = path
        guard let size = Int(exactly: status.st_size), size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            isMapped = false
            return
        }
        guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            throw .reading(path, errno)
        }
        bytes = UnsafeRawBufferPointer(start: start, count: size)
        isMapped = true
    }

    /// Copies `contents`, so that what came through a pipe is read like a file.
    public init(copying contents: [UInt8], name: String) {
        self.name = name
        isMapped = false
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: contents.count, alignment: 64)
        copy.copyBytes(from: contents)
        bytes = UnsafeRawBufferPointer(copy)
    }

    deinit {
        if isMapped {
            munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
        } else {
            bytes.deallocate()
        }
    }
}
