// A file that stays the same while it is checked and read, whatever happens to its name meanwhile: it is opened once.

import Platform
import Records

/// An open regular file that is read from its start as often as needed.
final class InputFile: Sendable {
    let descriptor: Int32

    /// Takes over an open file descriptor.
    private init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Opens the file at `path`. What can be read only once (a pipe, a device) is copied first, at most `maximum` bytes.
    static func open(path: String, maximum: Int) throws(FetchError) -> InputFile {
        if path != "-", Path.isRegularFile(path) {
            let descriptor = try fetching { () throws(StreamError) in try ByteSource.open(path) }
            return InputFile(descriptor: descriptor)
        }
        let source = try fetching { () throws(StreamError) in try ByteSource(path: path) }
        let file = try fetching { () throws(StreamError) in try unnamed() }
        try source.copy(to: ByteSink(descriptor: dup(file.descriptor), name: "a temporary file"), maximum: maximum)
        return file
    }

    /// The file in a directory of downloads; nil where there is none, or something else: links aren't followed.
    static func kept(_ path: String) -> InputFile? {
        // A pipe of that name isn't waited for.
        let descriptor = SystemCall.openFile(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        let file = InputFile(descriptor: descriptor)
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG ? file : nil
    }

    /// A new file in $TMPDIR without a name: it goes away with the process, however that ends.
    static func unnamed() throws(StreamError) -> InputFile {
        InputFile(descriptor: try TemporaryDirectory.unnamedFile())
    }

    /// All bytes, from the start. `name` is what errors call it.
    func source(named name: String) -> ByteSource {
        var offset = 0
        return ByteSource(name: name) { [self] buffer throws(StreamError) in
            while true {
                let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
                if count >= 0 {
                    offset += count
                    return count
                }
                guard errno == EINTR else { throw .readFailed(source: name, errno: errno) }
            }
        }
    }

    /// The bytes from `offset` on, at most `count`; none where they can't be read.
    func bytes(at offset: Int, count: Int) -> [UInt8] {
        guard offset >= 0, count > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = max(0, pread(descriptor, buffer.baseAddress, count, off_t(offset)))
        }
    }
}
