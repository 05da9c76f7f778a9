// A place for files that nobody sees: under $TMPDIR, removed when it isn't needed any more or the process is
// interrupted.

import Platform

/// A directory of one's own that goes away with this object.
public final class TemporaryDirectory {
    /// Absolute, unless $TMPDIR isn't.
    public let path: String
    private var files: [String] = []

    /// Makes the directory in $TMPDIR, or in /tmp.
    public init() throws(StreamError) {
        let parent = Self.parent
        var template = Array("\(parent)/gpt2-filters-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw .cannotCreate(path: parent, errno: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        Interruption.add(path)
    }

    deinit {
        for file in files {
            unlink(file)
            Interruption.remove(file)
        }
        rmdir(path)
        Interruption.remove(path)
    }

    /// Where temporary directories are made.
    static var parent: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp" }

    /// A descriptor of a new file without a name, to be read and written: it goes away with the last descriptor or mapping
    /// of it, however the process ends.
    package static func unnamedFile() throws(StreamError) -> Int32 {
        let place = try TemporaryDirectory()
        let path = place.file("file")
        let descriptor = SystemCall.openFile(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
        // `place` removes the name.
        guard descriptor >= 0 else { throw .cannotCreate(path: path, errno: errno) }
        return descriptor
    }

    /// The path of a file in it, which is removed together with it.
    public func file(_ name: String) -> String {
        let file = "\(path)/\(name)"
        files.append(file)
        Interruption.add(file)
        return file
    }
}
