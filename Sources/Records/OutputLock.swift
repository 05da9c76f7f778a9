// One writer at a time for an output that takes long to make: the second one is told at once, not after its work.
// The lock is a file beside the output, locked with flock, so that it ends with the process however that ends.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Held as long as this object lives.
public final class OutputLock {
    private let file: String
    private let descriptor: Int32

    /// Locks the output at `path`, which needn't exist; missing parents are created.
    ///
    /// - Throws: ``StreamError/locked(path:holder:)`` where another process holds it, or what keeps the lock's file
    ///   from being created.
    public init(path: String) throws(StreamError) {
        try createDirectories(parentDirectory(of: path))
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        let isPlain = !["", ".", ".."].contains(name)
        let file = isPlain ? "\(parentDirectory(of: path))/.\(name).lock" : "\(path)/.lock"
        while true {
            let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else { throw .cannotCreate(path: path, errno: errno) }
            if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
                let holder = Self.holder(descriptor)
                close(descriptor)
                throw .locked(path: path, holder: holder)
            }
            // The holder before may have removed the file between our open and our flock: then it isn't the lock.
            var opened = stat()
            var named = stat()
            if fstat(descriptor, &opened) == 0, stat(file, &named) == 0, opened.st_ino == named.st_ino {
                self.file = file
                self.descriptor = descriptor
                break
            }
            close(descriptor)
        }
        Interruption.add(file)
        ftruncate(descriptor, 0)
        let text = Array("\(getpid())\n".utf8)
        _ = text.withUnsafeBytes { systemWrite(descriptor, $0) }
    }

    deinit {
        unlink(file)
        Interruption.remove(file)
        close(descriptor)
    }

    private static func holder(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 20)
        let count = bytes.withUnsafeMutableBytes { systemRead(descriptor, $0) }
        let number = bytes.prefix(max(count, 0)).prefix { (0x30...0x39).contains($0) }
        return number.isEmpty ? "another run" : "process \(String(decoding: number, as: UTF8.self))"
    }
}
