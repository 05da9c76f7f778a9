// Cuts an input into lines: at 0x0A and nowhere else. U+0085, U+2028 and a carriage return in the middle are
// ordinary text. Memory is bounded by the longest line that is allowed, not by the input.

import Platform

/// One line of an input.
public struct Line: Sendable, Equatable {
    /// Counts from 1.
    public let number: Int
    /// The line without its line feed. A carriage return before the line feed is kept.
    public let bytes: [UInt8]

    /// Line `number` of an input, without its line feed.
    public init(number: Int, bytes: [UInt8]) {
        self.number = number
        self.bytes = bytes
    }

    /// The line without its end, whether that is LF or CR LF.
    public var content: ArraySlice<UInt8> {
        bytes.last == 0x0D ? bytes.dropLast() : bytes[...]
    }
}

/// Reads lines one after another. A UTF-8 byte order mark at the start of the input is dropped; a last line
/// without a line feed counts.
public final class LineReader {
    /// 64 MiB.
    public static let defaultMaximumLineLength = 64 << 20

    /// Where the bytes come from.
    public let source: ByteSource
    /// Bytes; a longer line is an error.
    public let maximumLineLength: Int
    /// Lines begun so far: the number of the line that was returned or reported last.
    public private(set) var lineNumber: Int

    /// Memory of malloc, which can say no.
    private var buffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var start = 0
    private var end = 0
    private var atEnd = false
    private var atStart = true
    /// The rest of a line that was reported as too long is still to be skipped.
    private var skipping = false

    /// Reads the lines of `source` from where it stands.
    ///
    /// - Parameters:
    ///   - source: where the bytes come from.
    ///   - maximumLineLength: bytes; a longer line is an error.
    ///   - firstLine: the number of the first line, where `source` is a part of a longer text.
    public init(
        _ source: ByteSource, maximumLineLength: Int = LineReader.defaultMaximumLineLength, firstLine: Int = 1
    ) {
        self.source = source
        lineNumber = firstLine - 1
        self.maximumLineLength = maximumLineLength
    }

    deinit {
        free(buffer.baseAddress)
    }

    /// True where ``next()`` needs no read from the source: a whole line is in memory already.
    /// A filter that answers line by line flushes its output when this is false.
    public var hasBufferedLine: Bool {
        !skipping && lineFeed(from: start) != nil
    }

    /// The next line, or nil at the end.
    ///
    /// After `.lineTooLong` a further call skips the rest of that line and continues with the one after it.
    public func next() throws(StreamError) -> Line? {
        if atStart { try dropByteOrderMark() }
        if skipping { try skipLine() }
        var searched = start
        while true {
            if let feed = lineFeed(from: searched) {
                lineNumber += 1
                guard feed - start <= maximumLineLength else { throw tooLong(next: feed + 1) }
                defer { start = feed + 1 }
                return try line(upTo: feed)
            }
            if end - start > maximumLineLength {
                lineNumber += 1
                skipping = true
                throw tooLong(next: end)
            }
            if atEnd {
                if start == end { return nil }
                lineNumber += 1
                defer { start = end }
                return try line(upTo: end)
            }
            let pending = end - start
            try fill()
            searched = start + pending
        }
    }

    private func line(upTo lineEnd: Int) throws(StreamError) -> Line {
        // A long line is copied, and so is what is made of it: its text, folded or unescaped.
        if lineEnd - start > 1 << 16 { try requireMemory(4 * (lineEnd - start), line: lineNumber) }
        return Line(number: lineNumber, bytes: Array(UnsafeRawBufferPointer(rebasing: buffer[start..<lineEnd])))
    }

    private func requireMemory(_ bytes: Int, line: Int) throws(StreamError) {
        guard Memory.isAvailable(bytes) else { throw .outOfMemory(.input(source.name, line: line, bytes: bytes)) }
    }

    private func tooLong(next: Int) -> StreamError {
        start = next
        return .lineTooLong(source: source.name, line: lineNumber, maximum: maximumLineLength)
    }

    private func lineFeed(from position: Int) -> Int? {
        guard let base = buffer.baseAddress, position < end,
            let found = memchr(base + position, 0x0A, end - position)
        else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    private func skipLine() throws(StreamError) {
        while true {
            if let feed = lineFeed(from: start) {
                start = feed + 1
                break
            }
            start = end
            if atEnd { break }
            try fill()
        }
        skipping = false
    }

    private func dropByteOrderMark() throws(StreamError) {
        atStart = false
        while end < 3, !atEnd {
            try fill()
            if end > 0, buffer[0] != 0xEF { return }
        }
        if end >= 3, buffer[0] == 0xEF, buffer[1] == 0xBB, buffer[2] == 0xBF { start = 3 }
    }

    /// Reads once, after making room: moves what is pending to the front, and grows the buffer when that isn't enough.
    private func fill() throws(StreamError) {
        if atEnd { return }
        if start > 0, start == end || end == buffer.count {
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
            end -= start
            start = 0
        }
        if end == buffer.count {
            let size = max(1 << 17, buffer.count * 2)
            guard let larger = realloc(buffer.baseAddress, size) else {
                throw .outOfMemory(.input(source.name, line: lineNumber + 1, bytes: size))
            }
            buffer = UnsafeMutableRawBufferPointer(start: larger, count: size)
        }
        let count = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[end...]))
        if count == 0 { atEnd = true }
        end += count
    }
}
