// One writer at a time for an output that takes long to make: the second one is told at once, not after its work.
// The lock is a file beside the output, locked with flock, so that it ends with the process however that ends.

import Platform

/// Held as long as this object lives.
public final class OutputLock {
    private let file: String
    private let descriptor: Int32

    /// Locks the output at `path`, which needn't exist; missing parents are created. All names of one directory, through
    /// links or otherwise, share one lock.
    ///
    /// - Throws: ``StreamError/locked(path:holder:)`` where another process holds it, or what keeps the lock's file
    ///   from being created.
    public init(path: String) throws(StreamError) {
        try Directory.create(Path.parent(of: path))
        let file = Self.file(for: try Path.destination(path))
        while true {
            // The name is easy to guess. Whoever put something else there mustn't choose what is locked and written.
            let descriptor = open(file, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else {
                if [ELOOP, EMLINK, EISDIR, ENXIO].contains(errno) { throw .notALock(path: file) }
                throw .cannotCreate(path: path, errno: errno)
            }
            guard Self.isLock(descriptor) else {
                close(descriptor)
                throw .notALock(path: file)
            }
            // A file system without locks (ENOTSUP, ENOLCK) lets two runs write one output, where it would let none write.
            if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
                let holder = Self.holder(descriptor)
                close(descriptor)
                throw .locked(path: path, holder: holder)
            }
            // The holder before may have removed the file between our open and our flock: then it isn't the lock.
            var opened = stat()
            var named = stat()
            if fstat(descriptor, &opened) == 0, lstat(file, &named) == 0, opened.isSameFile(as: named) {
                self.file = file
                self.descriptor = descriptor
                break
            }
            close(descriptor)
        }
        Interruption.add(file)
        ftruncate(descriptor, 0)
        let text = Array("\(getpid())\n".utf8)
        _ = text.withUnsafeBytes { SystemCall.writeBytes(descriptor, $0) }
    }

    deinit {
        unlink(file)
        Interruption.remove(file)
        close(descriptor)
    }

    /// Beside the output; inside of it where only that is possible, as for ``AtomicDirectory``'s temporary.
    private static func file(for output: String) -> String {
        let parent = Path.parent(of: output)
        let name = Path.lastName(of: output) ?? ""
        var status = stat()
        let isDirectory = stat(output, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
        return name.isEmpty || isDirectory && access(parent, W_OK) != 0
            ? "\(output)/.lock" : "\(parent)/.\(name).lock"
    }

    /// Whether an open file can be a lock: one name, and nothing but the number of a process in it.
    private static func isLock(_ descriptor: Int32) -> Bool {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
        // The holder may be about to remove it: then it has no name any more.
        guard status.st_nlink <= 1, status.st_size < 20 else { return false }
        return content(descriptor).allSatisfy { (0x30...0x39).contains($0) || $0 == 0x0A }
    }

    private static func holder(_ descriptor: Int32) -> String {
        let number = content(descriptor).prefix { (0x30...0x39).contains($0) }
        return number.isEmpty ? "another run" : "process \(String(decoding: number, as: UTF8.self))"
    }

    /// The first bytes of the file.
    private static func content(_ descriptor: Int32) -> ArraySlice<UInt8> {
        var bytes = [UInt8](repeating: 0, count: 20)
        let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        return bytes.prefix(max(count, 0))
    }
}
