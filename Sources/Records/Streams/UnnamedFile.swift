// A file that nobody else sees and that goes away with the process, however that ends: for what doesn't fit into memory.

import Platform

/// Bytes, written anywhere and read by mapping them; in $TMPDIR.
package final class UnnamedFile: Sendable {
    private let descriptor: Int32
    /// For messages: the directory that it is in.
    package let directory: String
    /// What is mapped begins at multiples of this, which is one of every page size.
    package static let alignment = 1 << 16

    /// Makes the file, empty.
    package init() throws(StreamError) {
        directory = TemporaryDirectory.parent
        descriptor = try TemporaryDirectory.unnamedFile()
    }

    deinit { close(descriptor) }

    /// Writes `bytes` from `offset` on.
    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(StreamError) {
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done))
            if count < 0 {
                if errno == EINTR { continue }
                throw .writeFailed(destination: directory, errno: errno)
            }
            done += count
        }
    }

    /// The bytes of `range`, which begins at a multiple of ``alignment``, mapped.
    package func map(_ range: Range<Int>) throws(StreamError) -> MappedFile {
        try MappedFile(descriptor: descriptor, offset: range.lowerBound, count: range.count, name: directory)
    }
}
