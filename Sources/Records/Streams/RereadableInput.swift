// An input that is checked in one pass and used in another, whatever it is: a file is mapped where it lies, and what comes
// through a pipe is kept in a file without a name. Memory doesn't grow with it.

import Platform

/// An input that is read once from its start to its end, and then mapped.
package final class RereadableInput {
    /// The input, to be read to its end.
    package private(set) var source: ByteSource
    private let origin: ByteSource
    /// Where the input begins in the file, and how many of its bytes were read.
    private var start = 0
    private var count = 0
    /// What a pipe's bytes go to.
    private var copy: UnnamedFile?

    /// Opens the file at `path`; nil and `-` mean stdin.
    package init(path: String?) throws(StreamError) {
        origin = try ByteSource(path: path)
        source = origin
        var status = stat()
        if let descriptor = origin.descriptor, fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
            start = max(0, Int(lseek(descriptor, 0, SEEK_CUR)))
        } else {
            copy = try UnnamedFile()
        }
        source = ByteSource(name: origin.name) { [unowned self] buffer throws(StreamError) in
            try read(into: buffer)
        }
    }

    private func read(into buffer: UnsafeMutableRawBufferPointer) throws(StreamError) -> Int {
        let got = try origin.read(into: buffer)
        try copy?.write(UnsafeRawBufferPointer(rebasing: buffer[..<got]), at: count)
        count += got
        return got
    }

    /// What was read, mapped, and where it begins in the mapping. At least one byte has to have been read.
    package func map() throws(StreamError) -> (file: MappedFile, start: Int) {
        if let copy { return (try copy.map(0..<count), 0) }
        guard let descriptor = origin.descriptor else { preconditionFailure("an input without a file") }
        return (
            try MappedFile(descriptor: descriptor, offset: 0, count: start + count, name: origin.name), start
        )
    }
}
