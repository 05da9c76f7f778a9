// SHA-256 of files and streams, as 64 lower-case hexadecimal digits.

import Crypto
import Records

/// A SHA-256 in the making.
struct HashingStream {
    private var hash = SHA256()

    mutating func update(_ bytes: UnsafeRawBufferPointer) { hash.update(bufferPointer: bytes) }

    var hexadecimal: String {
        hash.finalize().reduce(into: "") { $0 += ($1 < 16 ? "0" : "") + String($1, radix: 16) }
    }
}

/// Reads `source` to its end. Constant memory.
func sha256(of source: ByteSource) throws(StreamError) -> (hash: String, count: Int) {
    var stream = HashingStream()
    var total = 0
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { buffer.deallocate() }
    while true {
        let count = try source.read(into: buffer)
        if count == 0 { return (stream.hexadecimal, total) }
        stream.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        total += count
    }
}

/// The SHA-256 of a text's UTF-8.
func sha256(of text: String) -> String {
    var stream = HashingStream()
    Array(text.utf8).withUnsafeBytes { stream.update($0) }
    return stream.hexadecimal
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
