// Several files that are published together: all of them or, when one can't be written, none.
//
// A directory that doesn't exist yet is written beside its final place and renamed: one step. In a directory that
// exists, its other files stay: the new files are all written and synchronised first and renamed one after another
// then. So only a crash within those renames, microseconds apart, can leave some old and some new.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An output directory that is published by ``commit()`` and removed without it.
public final class AtomicDirectory {
    /// The final path, as the user gave it.
    public let path: String
    /// The directory that is written and renamed, or nil where `path` exists and keeps its other files.
    private let temporary: String?
    /// Files inside of ``temporary``.
    private var newFiles: [(path: String, sink: ByteSink)] = []
    /// Files inside of an existing directory.
    private var replacedFiles: [AtomicFile] = []
    private var isPending = true

    /// Creates the temporary; missing parents of `path` are created.
    public init(path: String) throws(StreamError) {
        self.path = path
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else { throw .notDirectory(path: path) }
            temporary = nil
        } else {
            try createDirectories(parentDirectory(of: path))
            temporary = try createTemporary(for: path) { mkdir($0, 0o777) }.path
        }
    }

    deinit {
        cancel()
    }

    /// A new file of the directory. It is closed and published by ``commit()``.
    public func file(_ name: String) throws(StreamError) -> ByteSink {
        guard let temporary else {
            let file = try AtomicFile(path: "\(path)/\(name)")
            replacedFiles.append(file)
            return file.sink
        }
        let filePath = "\(temporary)/\(name)"
        let descriptor = systemCreate(filePath)
        guard descriptor >= 0 else { throw .cannotCreate(path: "\(path)/\(name)", errno: errno) }
        Interruption.add(filePath)
        let sink = ByteSink(descriptor: descriptor, name: "\(path)/\(name)")
        newFiles.append((filePath, sink))
        return sink
    }

    /// Makes every file durable and publishes all of them.
    public func commit() throws(StreamError) {
        if let temporary {
            for file in newFiles {
                try file.sink.synchronize()
                try file.sink.close()
            }
            try synchronizeDirectory(temporary)
            if systemRename(temporary, path) != 0 { throw .cannotPublish(path: path, errno: errno) }
            try synchronizeDirectory(parentDirectory(of: path))
            forget()
        } else {
            for file in replacedFiles { try file.finish() }
            for file in replacedFiles { try file.rename() }
            try synchronizeDirectory(path)
        }
        isPending = false
    }

    /// Removes what was written. Does nothing after ``commit()``.
    public func cancel() {
        guard isPending else { return }
        isPending = false
        for file in replacedFiles { file.cancel() }
        for file in newFiles { unlink(file.path) }
        if let temporary { rmdir(temporary) }
        forget()
    }

    private func forget() {
        for file in newFiles { Interruption.remove(file.path) }
        if let temporary { Interruption.remove(temporary) }
    }
}

/// Makes `path` and its missing parents, as `mkdir -p` does.
public func createDirectories(_ path: String) throws(StreamError) {
    var status = stat()
    if stat(path, &status) == 0 {
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .notDirectory(path: path) }
        return
    }
    let parent = parentDirectory(of: path)
    if parent != path, parent != ".", parent != "/" { try createDirectories(parent) }
    if mkdir(path, 0o777) != 0, errno != EEXIST { throw .cannotCreate(path: path, errno: errno) }
}
