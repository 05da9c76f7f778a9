// Copies of what can be read only once, or lies elsewhere.

import Records

extension ByteSource {
    /// Copies all of it to a new file at `path`; more than `maximum` bytes are an error.
    func copy(toFile path: String, maximum: Int) throws(FetchError) {
        let file = try fetching { () throws(StreamError) in try AtomicFile(path: path) }
        try copy(to: file.sink, maximum: maximum)
        try fetching { () throws(StreamError) in try file.commit() }
    }

    /// Copies all of it to `sink` and flushes that; more than `maximum` bytes are an error.
    func copy(to sink: ByteSink, maximum: Int) throws(FetchError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { buffer.deallocate() }
        var total = 0
        while true {
            let count = try fetching { () throws(StreamError) in try read(into: buffer) }
            if count == 0 { break }
            total += count
            if total > maximum { throw .tooLarge(source: name, maximum: maximum) }
            try fetching { () throws(StreamError) in
                try sink.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
        try fetching { () throws(StreamError) in try sink.flush() }
    }
}
