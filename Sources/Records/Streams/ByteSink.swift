// Where bytes go. Every write and the close are checked: a full disk or a closed pipe is an error, never a shorter
// output. (`print` and `FileHandle.write` drop or trap on errors.)

import Platform

/// A buffered output. Nothing that wasn't flushed is written when it goes away: call ``close()``.
public final class ByteSink {
    /// `stdout`, or the path as the user gave it.
    public let name: String
    private let descriptor: Int32
    /// Takes the bytes instead of a descriptor; nil where there is one.
    private let take: ((UnsafeRawBufferPointer) throws(StreamError) -> Void)?
    private var buffer: [UInt8] = []
    private var isOpen = true
    private static let capacity = 1 << 16

    /// Takes over an open file descriptor.
    public init(descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
        take = nil
        buffer.reserveCapacity(Self.capacity)
    }

    /// An output whose bytes `take` gets, in pieces of any size.
    public init(name: String, take: @escaping (UnsafeRawBufferPointer) throws(StreamError) -> Void) {
        descriptor = -1
        self.name = name
        self.take = take
    }

    /// The process's standard output.
    public static func standardOutput() -> ByteSink {
        ByteSink(descriptor: 1, name: "stdout")
    }

    deinit {
        if isOpen, descriptor > 2 { _ = SystemCall.closeFile(descriptor) }
    }

    /// Writes `bytes`, now or with a later write.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(StreamError) {
        if buffer.count + bytes.count > Self.capacity {
            try flush()
            if bytes.count >= Self.capacity { return try writeThrough(bytes) }
        }
        buffer.append(contentsOf: bytes)
    }

    /// Writes `bytes`, now or with a later write.
    public func write(_ bytes: [UInt8]) throws(StreamError) {
        try write(bytes[...])
    }

    /// Writes `bytes`, now or with a later write.
    public func write(_ bytes: ArraySlice<UInt8>) throws(StreamError) {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(StreamError) in try self.write(buffer) }
        }
        try result.get()
    }

    /// Writes `text` as UTF-8, now or with a later write.
    public func write(_ text: String) throws(StreamError) {
        try write(Array(text.utf8))
    }

    /// A line and its line feed.
    public func writeLine(_ bytes: ArraySlice<UInt8>) throws(StreamError) {
        try write(bytes)
        try write([0x0A])
    }

    /// Hands everything that is buffered to the system.
    public func flush() throws(StreamError) {
        let pending = buffer
        buffer.removeAll(keepingCapacity: true)
        let result = pending.withUnsafeBytes { bytes in
            Result { () throws(StreamError) in try self.writeThrough(bytes) }
        }
        try result.get()
    }

    /// Flushes, and makes the bytes survive a power failure.
    public func synchronize() throws(StreamError) {
        try flush()
        guard take == nil else { return }
        // A pipe or a terminal can't be synchronised, which is no error.
        if fsync(descriptor) != 0, errno != EINVAL, errno != ENOTSUP, errno != EROFS {
            throw .writeFailed(destination: name, errno: errno)
        }
    }

    /// Flushes and closes. The output is complete only when this returned.
    public func close() throws(StreamError) {
        guard isOpen else { return }
        try flush()
        isOpen = false
        guard take == nil else { return }
        if SystemCall.closeFile(descriptor) != 0, errno != EINTR {
            throw .writeFailed(destination: name, errno: errno)
        }
    }

    private func writeThrough(_ bytes: UnsafeRawBufferPointer) throws(StreamError) {
        if let take { return bytes.isEmpty ? () : try take(bytes) }
        var rest = bytes
        while !rest.isEmpty {
            let count = SystemCall.writeBytes(descriptor, rest)
            if count < 0 {
                let code = errno
                // A reader that stalls doesn't keep a process from bringing its work to an end when it is asked to.
                if code == EINTR, Interruption.heldSignal == nil || takesBytes(within: 1000) { continue }
                throw .writeFailed(destination: name, errno: code)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Whether the reader takes something within so many milliseconds.
    private func takesBytes(within milliseconds: Int32) -> Bool {
        var output = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&output, 1, milliseconds) > 0
    }
}
