// A place for files that nobody sees: under $TMPDIR, removed when it isn't needed any more or the process is
// interrupted.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A directory of one's own that goes away with this object.
public final class TemporaryDirectory {
    public let path: String
    private var files: [String] = []

    public init() throws(StreamError) {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
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

    /// The path of a file in it, which is removed together with it.
    public func file(_ name: String) -> String {
        let file = "\(path)/\(name)"
        files.append(file)
        Interruption.add(file)
        return file
    }
}
