// Several files that are published together: all of them or, when one can't be written, none.
//
// They are written into a directory beside the final one. Where nothing has that name yet, it is renamed. Where a
// directory has it, its other files are linked into the new one, and the two are exchanged: one step as well, so that
// whoever dies, and whenever, old and new files are never mixed.
//
// There are directories that can't be exchanged: the one that this process runs in (it would go on in the old one), a
// mount point, one that holds directories, one on a file system that doesn't know how. There the new files are renamed
// one after another, all of them complete by then.

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
    /// The final path without symbolic links, where it exists.
    private let destination: String
    /// The directory that is written, beside the final one or, where that is impossible, inside of it.
    private let temporary: String
    private var files: [(name: String, sink: ByteSink)] = []
    /// Names inside of ``temporary``, to be removed with it.
    private var names: [String] = []
    private var isPending = true

    /// Creates the temporary; missing parents of `path` are created.
    public init(path: String) throws(StreamError) {
        self.path = path
        if path.isEmpty { throw .cannotCreate(path: "''", errno: ENOENT) }
        destination = try finalPlace(path)
        var status = stat()
        if stat(destination, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else { throw .notDirectory(path: path) }
            if access(destination, W_OK) != 0 { throw .cannotCreate(path: path, errno: errno) }
            var parent = stat()
            let isMountPoint = stat(parentDirectory(of: destination), &parent) != 0 || parent.st_dev != status.st_dev
            if !isMountPoint, let beside = try? createTemporary(for: destination, { mkdir($0, 0o777) }) {
                temporary = beside.path
            } else {
                temporary = try createTemporary(for: "\(destination)/.") { mkdir($0, 0o777) }.path
            }
        } else {
            try createDirectories(parentDirectory(of: destination))
            temporary = try createTemporary(for: destination) { mkdir($0, 0o777) }.path
        }
    }

    deinit {
        cancel()
    }

    /// A new file of the directory. It is closed and published by ``commit()``.
    public func file(_ name: String) throws(StreamError) -> ByteSink {
        let shown = "\(path)/\(name)"
        let descriptor = systemCreate("\(temporary)/\(name)")
        guard descriptor >= 0 else { throw .cannotCreate(path: shown, errno: errno) }
        remember(name)
        let sink = ByteSink(descriptor: descriptor, name: shown)
        files.append((name, sink))
        return sink
    }

    /// Makes every file durable and publishes all of them.
    public func commit() throws(StreamError) {
        for file in files {
            try file.sink.synchronize()
            try file.sink.close()
        }
        var status = stat()
        if stat(destination, &status) != 0 {
            try synchronizeTemporary()
            if systemRename(temporary, destination) == 0 {
                isPending = false
                forget()
                return try requireDurable(parentDirectory(of: destination))
            }
            let code = errno
            // Somebody may have made a directory of that name meanwhile.
            guard [ENOTEMPTY, EEXIST].contains(code), stat(destination, &status) == 0 else {
                throw .cannotPublish(path: path, errno: code)
            }
        }
        if try completeFromOld(status), systemExchange(temporary, destination) == 0 {
            keepLatecomers()
            cancel()
        } else {
            for file in files where systemRename("\(temporary)/\(file.name)", "\(destination)/\(file.name)") != 0 {
                throw .cannotPublish(path: "\(path)/\(file.name)", errno: errno)
            }
            cancel()
            try requireDurable(destination)
        }
        try requireDurable(parentDirectory(of: destination))
    }

    private func synchronizeTemporary() throws(StreamError) {
        let code = synchronizeDirectory(temporary)
        if code != 0 { throw .writeFailed(destination: path, errno: code) }
    }

    /// Synchronises `directory` after the files got their names.
    private func requireDurable(_ directory: String) throws(StreamError) {
        let code = synchronizeDirectory(directory)
        if code != 0 { throw .notDurable(path: path, errno: code) }
    }

    /// Removes the temporaries of `path` whose processes were killed on this machine.
    public static func removeLeftovers(of path: String) {
        guard let destination = try? finalPlace(path) else { return }
        removeLeftovers(in: parentDirectory(of: destination), prefix: temporaryPrefix(destination))
        removeLeftovers(in: destination, prefix: temporaryPrefix("."))
    }

    private static func removeLeftovers(in directory: String, prefix: String) {
        for name in entries(of: directory) ?? [] where name.hasPrefix(prefix) && name.hasSuffix(".partial") {
            let numbers = name.dropFirst(prefix.count).dropLast(".partial".count).split(separator: "-")
            guard numbers.count == 2, let process = pid_t(numbers[0]), process > 0, Int(numbers[1]) != nil,
                kill(process, 0) != 0, errno == ESRCH
            else { continue }
            // A link of such a name must not choose whose files are removed.
            let leftover = systemOpen("\(directory)/\(name)", O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            guard leftover >= 0 else { continue }
            for file in entries(of: dup(leftover)) ?? [] { unlinkat(leftover, file, 0) }
            _ = systemClose(leftover)
            rmdir("\(directory)/\(name)")
        }
    }

    /// Removes what was written. Does nothing after ``commit()``.
    public func cancel() {
        guard isPending else { return }
        isPending = false
        for name in names { unlink("\(temporary)/\(name)") }
        rmdir(temporary)
        forget()
    }

    /// Links the old directory's other files into the new one. False where the two can't be exchanged.
    private func completeFromOld(_ status: stat) throws(StreamError) -> Bool {
        let isBeside = parentDirectory(of: temporary) == parentDirectory(of: destination)
        guard isBeside, !holdsWorkingDirectory(destination), let old = entries(of: destination) else { return false }
        // More are no directory of ours, and linking them all would take longer than anyone expects.
        guard old.count <= 100 else { return false }
        for name in old where !files.contains(where: { $0.name == name }) {
            guard linkat(AT_FDCWD, "\(destination)/\(name)", AT_FDCWD, "\(temporary)/\(name)", 0) == 0 else {
                return false
            }
            remember(name)
        }
        _ = chown(temporary, status.st_uid, status.st_gid)
        _ = chmod(temporary, status.st_mode & 0o7777)
        try synchronizeTemporary()
        return true
    }

    /// Moves what somebody put into the old directory while it was being replaced.
    private func keepLatecomers() {
        for name in entries(of: temporary) ?? [] where !names.contains(name) {
            _ = systemRename("\(temporary)/\(name)", "\(destination)/\(name)")
        }
    }

    private func remember(_ name: String) {
        names.append(name)
        Interruption.add("\(temporary)/\(name)")
    }

    private func forget() {
        for name in names { Interruption.remove("\(temporary)/\(name)") }
        Interruption.remove(temporary)
    }
}

/// `path` without symbolic links: all of it where it exists, otherwise the directory that will hold it, where that
/// exists. A link that leads nowhere is refused.
func finalPlace(_ path: String) throws(StreamError) -> String {
    if let resolved = resolvedPath(path) { return resolved }
    var status = stat()
    // Anything else that is here now was made since.
    if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK { throw .notDirectory(path: path) }
    guard let name = path.split(separator: "/").last, let parent = resolvedPath(parentDirectory(of: path)) else {
        return path
    }
    return parent == "/" ? "/\(name)" : "\(parent)/\(name)"
}

/// The absolute path without links, `.` and `..`; nil where there is nothing.
package func resolvedPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
}

/// Whether the process runs in `directory` (an absolute path without links), or below it.
private func holdsWorkingDirectory(_ directory: String) -> Bool {
    guard let current = resolvedPath(".") else { return true }
    let working = Array(current.utf8) + [UInt8(ascii: "/")]
    return working.starts(with: directory == "/" ? [UInt8(ascii: "/")] : Array(directory.utf8) + [UInt8(ascii: "/")])
}

/// The names in a directory, `.` and `..` left out; nil where it can't be read.
package func entries(of directory: String) -> [String]? {
    entries(of: systemOpen(directory, O_RDONLY | O_DIRECTORY))
}

/// The same of an open directory, which is closed.
private func entries(of descriptor: Int32) -> [String]? {
    guard let stream = fdopendir(descriptor) else {
        _ = systemClose(descriptor)
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

/// Makes sure that files can be created in `path`; a missing directory is made.
///
/// - Throws: a ``StreamError`` that names the directory.
package func requireWritableDirectory(_ path: String) throws(StreamError) {
    if path.isEmpty { throw .cannotCreate(path: "''", errno: ENOENT) }
    try createDirectories(path)
    do throws(StreamError) {
        try AtomicFile(path: "\(path)/probe").cancel()
    } catch .cannotCreate(_, let code) {
        throw .cannotCreate(path: path, errno: code)
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
