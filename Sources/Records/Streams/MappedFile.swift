// A file's bytes in memory, without reading them: the one place that calls mmap.
// Not here: any knowledge of what the bytes mean. Whoever truncates a mapped file sends its readers SIGBUS, which the
// filters tell as an error (see Interruption). Our own files are replaced by rename only (see AtomicFile), which leaves a
// mapping as it was.

import Platform

/// A read-only view of a whole file, or of bytes that stand in for one, alive as long as this object is.
///
/// `@unchecked Sendable`: the bytes never change after `init`, and are released in `deinit` alone.
public final class MappedFile: @unchecked Sendable {
    /// The name for messages: the path, or what the caller called the bytes.
    public let name: String
    /// Page-aligned for a file, 64-byte aligned for copied bytes. Valid while this object is alive,
    /// which Swift guarantees only up to its last use: keep it in a property, or use `withExtendedLifetime`.
    public let bytes: UnsafeRawBufferPointer
    /// Size and time of the last change, in words: others where the file was changed since. nil for copied bytes.
    package let stamp: String?
    private let isMapped: Bool

    /// Maps the file at `path`.
    ///
    /// - Parameters:
    ///   - path: of the file.
    ///   - maximum: bytes; a larger file is refused.
    public init(path: String, maximum: Int = .max) throws(StreamError) {
        // A named pipe isn't waited for.
        let descriptor = try ByteSource.open(path, O_NONBLOCK)
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .opening(path, errno) }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw .isDirectory(source: path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegularInput(source: path) }
        name = path
        let time = Platform.lastChange(status)
        stamp = "\(status.st_size) bytes of \(time.tv_sec) s \(time.tv_nsec) ns"
        guard status.st_size <= maximum else { throw .fileTooLarge(source: path, maximum: maximum) }
        guard let size = Int(exactly: status.st_size), size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            isMapped = false
            return
        }
        guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            throw .opening(path, errno)
        }
        bytes = UnsafeRawBufferPointer(start: start, count: size)
        isMapped = true
    }

    /// Maps `count` bytes of an open file from `offset` on, which is a multiple of the page size. The descriptor stays
    /// its owner's.
    init(descriptor: Int32, offset: Int, count: Int, name: String) throws(StreamError) {
        self.name = name
        stamp = nil
        guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, off_t(offset)), start != MAP_FAILED
        else { throw .opening(name, errno) }
        bytes = UnsafeRawBufferPointer(start: start, count: count)
        isMapped = true
    }

    /// Tells the system that all of it is about to be read, from its start to its end.
    package func willRead() {
        if isMapped { madvise(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count, MADV_WILLNEED) }
    }

    /// Tells the system that parts of it are about to be read in no order, so that nothing is read ahead.
    package func willReadAnywhere() {
        if isMapped { madvise(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count, MADV_RANDOM) }
    }

    /// Copies `contents`, so that what came through a pipe is read like a file.
    public init(copying contents: [UInt8], name: String) {
        self.name = name
        stamp = nil
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
