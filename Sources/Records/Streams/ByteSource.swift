// Where bytes come from: a file, stdin, or whatever a library hands over bit by bit.
// The one place that decides that a missing path and `-` mean stdin.

import Platform

/// An input that is read once, from its start to its end.
public final class ByteSource {
    /// `stdin`, or the path as the user gave it: the source of every diagnosis.
    public let name: String
    private let readBytes: (UnsafeMutableRawBufferPointer) throws(StreamError) -> Int
    private let ownedDescriptor: Int32?
    /// The descriptor that is read; nil where the bytes come from elsewhere.
    let descriptor: Int32?

    /// Opens the file at `path`; nil and `-` mean stdin.
    public init(path: String?) throws(StreamError) {
        let name: String
        let descriptor: Int32
        if let path, path != "-" {
            name = path
            descriptor = try Self.open(path)
            ownedDescriptor = descriptor
        } else {
            name = "stdin"
            descriptor = 0
            ownedDescriptor = nil
        }
        self.name = name
        self.descriptor = descriptor
        readBytes = { buffer throws(StreamError) in
            try Self.read(descriptor, into: buffer, source: name)
        }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            throw .isDirectory(source: name)
        }
    }

    /// A source whose bytes come from `read`, which fills a part of the buffer and gives its length, 0 at the end.
    public init(name: String, read: @escaping (UnsafeMutableRawBufferPointer) throws(StreamError) -> Int) {
        self.name = name
        readBytes = read
        ownedDescriptor = nil
        descriptor = nil
    }

    /// A source of bytes that are in memory already.
    public convenience init(bytes: [UInt8], name: String) {
        var position = 0
        self.init(name: name) { buffer throws(StreamError) in
            let count = min(buffer.count, bytes.count - position)
            bytes.withUnsafeBytes {
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[position..<position + count]))
            }
            position += count
            return count
        }
    }

    deinit {
        if let ownedDescriptor { _ = SystemCall.closeFile(ownedDescriptor) }
    }

    /// Fills a part of `buffer`, at least one byte of it unless the input has ended.
    ///
    /// - Returns: the number of bytes read; 0 at the end.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(StreamError) -> Int {
        try readBytes(buffer)
    }

    /// Everything up to the end; more than `maximum` bytes are an error.
    public func readAll(maximum: Int) throws(StreamError) -> [UInt8] {
        var result: [UInt8] = []
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { chunk.deallocate() }
        while true {
            let count = try read(into: chunk)
            if count == 0 { return result }
            if result.count + count > maximum {
                throw .memoryExceeded(source: name, line: 1, maximum: maximum)
            }
            result.append(contentsOf: chunk[..<count])
        }
    }

    /// The descriptor of the file at `path`, open for reading, with further `flags`; the caller closes it.
    package static func open(_ path: String, _ flags: Int32 = 0) throws(StreamError) -> Int32 {
        while true {
            let descriptor = SystemCall.openFile(path, O_RDONLY | flags)
            if descriptor >= 0 { return descriptor }
            let code = errno
            if code != EINTR { throw .opening(path, code) }
        }
    }

    private static func read(
        _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, source: String
    ) throws(StreamError) -> Int {
        while true {
            let count = SystemCall.readBytes(descriptor, buffer)
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EISDIR: throw .isDirectory(source: source)
            case let code: throw .readFailed(source: source, errno: code)
            }
        }
    }
}
