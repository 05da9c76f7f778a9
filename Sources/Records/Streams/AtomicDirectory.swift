// Several files that are published together: all of them or, when one can't be written, none.
//
// They are written into a directory beside the final one. Where nothing has that name yet, it is renamed. Where a
// directory has it, its other files are linked into the new one, and the two are exchanged: one step as well, so that
// whoever dies, and whenever, old and new files are never mixed.
//
// There are directories that can't be exchanged: the one that this process runs in (it would stay in the old one), a
// mount point, one that holds directories, one on a file system that doesn't know how. There the new files are renamed
// one after another, all of them complete by then.

import Platform

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
    /// Files of a directory that is there which belong to what is replaced: they go with it, if no new file has their name.
    public var superseded: Set<String> = []

    /// Creates the temporary; missing parents of `path` are created.
    public init(path: String) throws(StreamError) {
        self.path = path
        if path.isEmpty { throw .cannotCreate(path: "''", errno: ENOENT) }
        destination = try Path.destination(path)
        var status = stat()
        if stat(destination, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else { throw .notDirectory(path: path) }
            if access(destination, W_OK) != 0 { throw .cannotCreate(path: path, errno: errno) }
            var parent = stat()
            let isMountPoint = stat(Path.parent(of: destination), &parent) != 0 || parent.st_dev != status.st_dev
            if !isMountPoint, let beside = try? Temporary.create(for: destination, { mkdir($0, 0o777) }) {
                temporary = beside.path
            } else {
                temporary = try Temporary.create(for: "\(destination)/.") { mkdir($0, 0o777) }.path
            }
        } else {
            try Directory.create(Path.parent(of: destination))
            temporary = try Temporary.create(for: destination) { mkdir($0, 0o777) }.path
        }
    }

    deinit {
        cancel()
    }

    /// Fails where a directory can't be written to `path`: now rather than when the work is done.
    public static func requireWritable(_ path: String) throws(StreamError) {
        let output = try AtomicDirectory(path: path)
        _ = try output.file("probe")
        output.cancel()
    }

    /// A new file of the directory. It is closed and published by ``commit()``.
    public func file(_ name: String) throws(StreamError) -> ByteSink {
        let shown = "\(path)/\(name)"
        let descriptor = SystemCall.createFile("\(temporary)/\(name)")
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
            if SystemCall.renameFile(temporary, destination) == 0 {
                isPending = false
                forget()
                return try requireDurable(Path.parent(of: destination))
            }
            let code = errno
            // Somebody may have made a directory of that name meanwhile.
            guard [ENOTEMPTY, EEXIST].contains(code), stat(destination, &status) == 0 else {
                throw .cannotPublish(path: path, errno: code)
            }
        }
        if try completeFromOld(status), SystemCall.exchangeNames(temporary, destination) == 0 {
            for name in superseded { remember(name) }
            keepLatecomers()
            cancel()
        } else {
            for file in files
            where SystemCall.renameFile("\(temporary)/\(file.name)", "\(destination)/\(file.name)") != 0 {
                throw .cannotPublish(path: "\(path)/\(file.name)", errno: errno)
            }
            for name in superseded where !files.contains(where: { $0.name == name }) {
                unlink("\(destination)/\(name)")
            }
            cancel()
            try requireDurable(destination)
        }
        try requireDurable(Path.parent(of: destination))
    }

    private func synchronizeTemporary() throws(StreamError) {
        let code = Directory.synchronize(temporary)
        if code != 0 { throw .writeFailed(destination: path, errno: code) }
    }

    /// Synchronises `directory` after the files got their names.
    private func requireDurable(_ directory: String) throws(StreamError) {
        let code = Directory.synchronize(directory)
        if code != 0 { throw .notDurable(path: path, errno: code) }
    }

    /// Removes the temporaries of `path` whose processes were killed on this machine.
    public static func removeLeftovers(of path: String) {
        guard let destination = try? Path.destination(path) else { return }
        removeLeftovers(in: Path.parent(of: destination), prefix: Temporary.namePrefix(for: destination))
        removeLeftovers(in: destination, prefix: Temporary.namePrefix(for: "."))
    }

    private static func removeLeftovers(in directory: String, prefix: String) {
        for name in Temporary.leftovers(in: directory, prefix: prefix) {
            // A link of such a name must not choose whose files are removed.
            let leftover = SystemCall.openFile("\(directory)/\(name)", O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            guard leftover >= 0 else { continue }
            for file in Directory.entryNames(closing: dup(leftover)) ?? [] { unlinkat(leftover, file, 0) }
            _ = SystemCall.closeFile(leftover)
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
        let isBeside = Path.parent(of: temporary) == Path.parent(of: destination)
        guard isBeside, !Path.holdsWorkingDirectory(destination), let old = Directory.entryNames(of: destination) else {
            return false
        }
        // More are no directory of ours, and linking them all would take longer than anyone expects.
        guard old.count <= 100 else { return false }
        for name in old where !superseded.contains(name) && !files.contains(where: { $0.name == name }) {
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
        for name in Directory.entryNames(of: temporary) ?? [] where !names.contains(name) {
            _ = SystemCall.renameFile("\(temporary)/\(name)", "\(destination)/\(name)")
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
