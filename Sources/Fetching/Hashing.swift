// SHA-256 of files and streams, as 64 lower-case hexadecimal digits.

import Hashing
import Records

/// Reads `source` to its end. Constant memory.
func sha256(of source: ByteSource) throws(StreamError) -> (hash: String, count: Int) {
    let hash = SHA256()
    var total = 0
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { buffer.deallocate() }
    while true {
        let count = try source.read(into: buffer)
        if count == 0 { return (hash.hexadecimal, total) }
        hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        total += count
    }
}

/// The SHA-256 of a file.
public func sha256(ofFile path: String) throws(StreamError) -> String {
    try sha256(of: ByteSource(path: path)).hash
}

/// Copies `source` to a new file at `path`.
func copy(_ source: ByteSource, to path: String, maximum: Int) throws(FetchError) {
    let file = try fetching { () throws(StreamError) in try AtomicFile(path: path) }
    try copy(source, to: file.sink, maximum: maximum)
    try fetching { () throws(StreamError) in try file.commit() }
}

/// Copies `source` to `sink` and flushes it; more than `maximum` bytes are an error.
func copy(_ source: ByteSource, to sink: ByteSink, maximum: Int) throws(FetchError) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { buffer.deallocate() }
    var total = 0
    while true {
        let count = try fetching { () throws(StreamError) in try source.read(into: buffer) }
        if count == 0 { break }
        total += count
        if total > maximum { throw .tooLarge(source: source.name, maximum: maximum) }
        try fetching { () throws(StreamError) in
            try sink.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }
    try fetching { () throws(StreamError) in try sink.flush() }
}
