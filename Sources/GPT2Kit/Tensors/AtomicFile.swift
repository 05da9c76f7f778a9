// A file that is there completely or not at all: written to a temporary sibling, fsynced, renamed over the old
// one, and the directory fsynced. Not here: directories that have to appear as a whole.

import Records

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Writes one file. Whatever is not committed is removed.
public struct AtomicFile: ~Copyable {
    public let path: String
    private let temporaryPath: String
    private var descriptor: Int32

    /// Creates the temporary sibling of `path`.
    public init(path: String) throws(FileError) {
        self.path = path
        temporaryPath = "\(path).tmp-\(getpid())"
        descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw .cannotCreate(path: path, reason: String(cString: strerror(errno)))
        }
    }

    deinit {
        if descriptor >= 0 {
            close(descriptor)
            unlink(temporaryPath)
        }
    }

    /// Appends all of `bytes`.
    public mutating func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            // Linux writes at most 2 GiB - 4 KiB at a time and says so by a short count.
            let written = systemWrite(descriptor, UnsafeRawBufferPointer(rebasing: rest))
            if written < 0 {
                if errno == EINTR { continue }
                throw failure()
            }
            rest = rest.dropFirst(written)
        }
    }

    /// Makes the file appear under its name.
    public consuming func commit() throws(FileError) {
        guard fsync(descriptor) == 0 else { throw failure() }
        let closed = close(descriptor)
        descriptor = -1
        guard closed == 0, rename(temporaryPath, path) == 0 else {
            let error = failure()
            unlink(temporaryPath)
            throw error
        }
        var end = path.utf8.endIndex
        if let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) { end = slash } else { end = path.startIndex }
        let parent = end == path.startIndex ? (path.hasPrefix("/") ? "/" : ".") : String(path[..<end])
        let directory = open(parent, O_RDONLY | O_CLOEXEC)
        guard directory >= 0 else { throw failure() }
        defer { close(directory) }
        // Some file systems can't fsync a directory and say EINVAL; the file itself is safe.
        guard fsync(directory) == 0 || errno == EINVAL else { throw failure() }
    }

    private borrowing func failure() -> FileError {
        .unwritable(path: path, reason: String(cString: strerror(errno)))
    }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    write(descriptor, bytes.baseAddress, bytes.count)
}
