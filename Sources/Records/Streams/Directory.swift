// Directories as such: made, listed, synchronised.

import Platform

/// What is done with directories.
public enum Directory {
    /// Makes `path` and its missing parents, as `mkdir -p` does.
    ///
    /// - Throws: ``StreamError/notDirectory(path:)``, ``StreamError/cannotCreate(path:errno:)``.
    public static func create(_ path: String) throws(StreamError) {
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else { throw .notDirectory(path: path) }
            return
        }
        let parent = Path.parent(of: path)
        if parent != path, parent != ".", parent != "/" { try create(parent) }
        if mkdir(path, 0o777) != 0, errno != EEXIST { throw .cannotCreate(path: path, errno: errno) }
    }

    /// Makes sure that files can be created in `path`; a missing directory is made.
    ///
    /// - Throws: a ``StreamError`` that names the directory.
    package static func requireWritable(_ path: String) throws(StreamError) {
        if path.isEmpty { throw .cannotCreate(path: "''", errno: ENOENT) }
        try create(path)
        do throws(StreamError) {
            try AtomicFile(path: "\(path)/probe").cancel()
        } catch .cannotCreate(_, let code) {
            throw .cannotCreate(path: path, errno: code)
        }
    }

    /// The names in a directory, `.` and `..` left out; nil where it can't be read.
    package static func entryNames(of path: String) -> [String]? {
        entryNames(closing: SystemCall.openFile(path, O_RDONLY | O_DIRECTORY))
    }

    /// The same of an open directory, which is closed.
    static func entryNames(closing descriptor: Int32) -> [String]? {
        guard let stream = fdopendir(descriptor) else {
            _ = SystemCall.closeFile(descriptor)
            return nil
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let length = MemoryLayout.size(ofValue: entry.pointee.d_name)
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: length) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Makes a rename in the directory at `path` survive a power failure.
    ///
    /// - Returns: 0, or the number of the error.
    static func synchronize(_ path: String) -> Int32 {
        let descriptor = SystemCall.openFile(path, O_RDONLY)
        guard descriptor >= 0 else { return 0 }  // A directory that may be written but not read.
        defer { _ = SystemCall.closeFile(descriptor) }
        return fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP ? 0 : errno
    }
}
