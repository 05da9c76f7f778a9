// Where the bytes of a download go. Links are never followed, and a file with a second name is never written to: what
// lies in a directory that others may write to could lead anywhere.

import Platform
import Records

/// The place of one download while it comes.
enum DownloadTarget: Sendable {
    /// `PATH.part` until all is there. `PATH.part.etag` says which version of the file it is a part of.
    case file(path: String)
    /// A file without a name, which can't be resumed by another process.
    case unnamed(InputFile)

    /// What errors call it.
    var name: String {
        switch self {
        case .file(let path): path + ".part"
        case .unnamed: "a temporary file"
        }
    }

    /// The version and the size of the part that an earlier attempt has left, where it can be resumed.
    var resumable: (tag: String, size: Int)? {
        guard case .file(let path) = self, let size = ownSize(of: path + ".part"), size > 0,
            let file = InputFile.kept(path + ".part.etag")
        else { return nil }
        let tag = String(decoding: file.bytes(at: 0, count: 1024), as: UTF8.self)
        return tag.hasPrefix("\"") && tag.utf8.allSatisfy { (0x21...0x7E).contains($0) } ? (tag, size) : nil
    }

    /// A descriptor that writes behind the `size` bytes that are there, or nil where they aren't there any more.
    func resume(size: Int) -> Int32? {
        guard case .file(let path) = self else { return nil }
        let descriptor = SystemCall.openFile(path + ".part", O_WRONLY | O_APPEND | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        if ownSize(of: path + ".part") == size { return descriptor }
        close(descriptor)
        return nil
    }

    /// A descriptor that writes from the start, of the version `tag` where the server names it.
    func begin(tag: String?) throws(StreamError) -> Int32 {
        switch self {
        case .unnamed(let file):
            let descriptor = dup(file.descriptor)
            guard descriptor >= 0, ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
                throw .writeFailed(destination: name, errno: errno)
            }
            return descriptor
        case .file(let path):
            discard()
            // Weak tags say nothing about bytes.
            if let tag, tag.hasPrefix("\"") {
                let descriptor = SystemCall.openFile(path + ".part.etag", O_WRONLY | O_CREAT | O_EXCL, 0o666)
                if descriptor >= 0 {
                    // A tag that isn't whole fits no version, so that the next attempt begins anew.
                    _ = Array(tag.utf8).withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
                    close(descriptor)
                }
            }
            let descriptor = SystemCall.openFile(path + ".part", O_WRONLY | O_CREAT | O_EXCL, 0o666)
            guard descriptor >= 0 else { throw .cannotCreate(path: path + ".part", errno: errno) }
            return descriptor
        }
    }

    /// All is there: it gets its name.
    func publish() throws(StreamError) {
        guard case .file(let path) = self else { return }
        if rename(path + ".part", path) != 0 { throw .cannotPublish(path: path, errno: errno) }
        discard()
    }

    /// Removes the part.
    func discard() {
        guard case .file(let path) = self else { return }
        unlink(path + ".part")
        unlink(path + ".part.etag")
    }

    /// The size of a regular file that has no other name; nil for anything else.
    private func ownSize(of path: String) -> Int? {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_nlink == 1 else { return nil }
        return Int(status.st_size)
    }
}
