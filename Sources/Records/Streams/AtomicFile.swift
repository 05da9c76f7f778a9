// A file that appears whole or not at all: written to a sibling, synchronised, renamed, and the directory
// synchronised after it. A reader never sees half of it, and a failure leaves what was there before.

import Platform

/// An output file that is published by ``commit()`` and removed without it.
public final class AtomicFile {
    /// The final path, as the user gave it.
    public let path: String
    /// Where the bytes go.
    public let sink: ByteSink
    private let temporary: String
    private var isPending = true
    private var isFinished = false

    /// Creates the temporary beside `path`.
    public init(path: String) throws(StreamError) {
        self.path = path
        if path.isEmpty { throw .cannotCreate(path: "''", errno: ENOENT) }
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegularFile(path: path) }
            // A name of stdout or stderr, such as /dev/stdout, would be replaced itself.
            if [1, 2].contains(where: { Self.isOpen($0, status) }) { throw .isStandardStream(path: path) }
        } else if path.utf8.last == UInt8(ascii: "/") {
            throw .cannotCreate(path: path, errno: errno)
        }
        let created = try Temporary.create(for: path) { SystemCall.createFile($0) }
        temporary = created.path
        sink = ByteSink(descriptor: created.result, name: path)
    }

    deinit {
        cancel()
    }

    /// Removes the temporaries of `path` whose processes were killed on this machine.
    package static func removeLeftovers(of path: String) {
        let directory = Path.parent(of: path)
        for name in Temporary.leftovers(in: directory, prefix: Temporary.namePrefix(for: path)) {
            unlink("\(directory)/\(name)")
        }
    }

    /// Makes the file durable and gives it its name.
    public func commit() throws(StreamError) {
        try finish()
        try rename()
        let code = Directory.synchronize(Path.parent(of: path))
        if code != 0 { throw .notDurable(path: path, errno: code) }
    }

    /// Removes what was written. Does nothing after ``commit()``.
    public func cancel() {
        guard isPending else { return }
        isPending = false
        unlink(temporary)
        Interruption.remove(temporary)
    }

    /// The first half of ``commit()``: after it only the name is missing.
    package func finish() throws(StreamError) {
        guard !isFinished else { return }
        try sink.synchronize()
        try sink.close()
        isFinished = true
    }

    /// Whether the descriptor is open on the file of this status.
    private static func isOpen(_ descriptor: Int32, _ status: stat) -> Bool {
        var other = stat()
        return fstat(descriptor, &other) == 0 && other.isSameFile(as: status)
    }

    /// The second half of ``commit()``, but for the directory's own synchronisation.
    func rename() throws(StreamError) {
        if SystemCall.renameFile(temporary, path) != 0 { throw .cannotPublish(path: path, errno: errno) }
        isPending = false
        Interruption.remove(temporary)
    }
}

/// Temporaries beside their final place.
enum Temporary {
    /// Creates something with a free name beside `path`, to be removed if the process is interrupted.
    /// `create` returns a negative number when it fails.
    static func create(
        for path: String, _ create: (String) -> Int32
    ) throws(StreamError) -> (path: String, result: Int32) {
        let directory = Path.parent(of: path)
        var attempt = 0
        while true {
            let candidate = "\(directory)/\(namePrefix(for: path))\(getpid())-\(attempt).partial"
            let result = create(candidate)
            if result >= 0 {
                Interruption.add(candidate)
                return (candidate, result)
            }
            guard errno == EEXIST, attempt < 10_000 else { throw .cannotCreate(path: path, errno: errno) }
            attempt += 1
        }
    }

    /// The names in `directory` that are temporaries of processes that were killed on this machine.
    static func leftovers(in directory: String, prefix: String) -> [String] {
        (Directory.entryNames(of: directory) ?? []).filter { name in
            guard name.hasPrefix(prefix), name.hasSuffix(".partial") else { return false }
            let numbers = name.dropFirst(prefix.count).dropLast(".partial".count).split(separator: "-")
            guard numbers.count == 2, let process = pid_t(numbers[0]), process > 0, Int(numbers[1]) != nil else {
                return false
            }
            return kill(process, 0) != 0 && errno == ESRCH
        }
    }

    /// How the name of a temporary of `path` begins: with the name that it will get, unless that is very long.
    static func namePrefix(for path: String) -> String {
        let name = Path.lastName(of: path) ?? ""
        return ["", ".", ".."].contains(name) || name.utf8.count > 100 ? "." : ".\(name)."
    }
}
