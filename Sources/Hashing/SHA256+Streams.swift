// SHA-256 of files and streams, in constant memory.

import Records

extension SHA256 {
    /// Reads `source` to its end.
    ///
    /// - Returns: 64 lower-case hexadecimal digits.
    package static func hexadecimal(of source: ByteSource) throws(StreamError) -> String {
        let hash = SHA256()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try source.read(into: buffer)
            if count == 0 { return hash.hexadecimal }
            hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    /// The same of the file at `path`.
    package static func hexadecimal(ofFile path: String) throws(StreamError) -> String {
        try hexadecimal(of: ByteSource(path: path))
    }
}
