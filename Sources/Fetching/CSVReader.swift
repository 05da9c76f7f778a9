// RFC 4180, strictly: a field either has no quotes at all or is quoted as a whole, with its own quotes doubled.
// Rows end with CR LF or LF; quoted fields may hold both.

import Records

/// Reads the rows of a CSV file one after another.
struct CSVReader {
    struct Row {
        /// The line on which the row begins, from 1.
        var line: Int
        /// The first of them, as many as are kept at most.
        var fields: [[UInt8]]
        /// How many fields the row has.
        var width = 0
    }

    private let source: ByteSource
    private let maximumRowLength: Int
    private let maximumWidth: Int
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    private var position = 0
    private var end = 0
    private var line = 1
    private var atStart = true

    /// - Parameters:
    ///   - source: the file, from its start.
    ///   - maximumRowLength: bytes; a longer row is an error.
    ///   - maximumWidth: the fields of a row that are kept; further ones are counted.
    init(_ source: ByteSource, maximumRowLength: Int, maximumWidth: Int) {
        self.source = source
        self.maximumWidth = maximumWidth
        self.maximumRowLength = maximumRowLength
    }

    /// The next row, or nil at the end.
    mutating func next() throws -> Row? {
        if atStart { try dropByteOrderMark() }
        guard try peek() != nil else { return nil }
        var row = Row(line: line, fields: [])
        var length = 0
        while true {
            var field: [UInt8] = []
            if try peek() == UInt8(ascii: "\"") {
                position += 1
                try count(&length, row)
                try quoted(into: &field, row: row, length: &length)
            } else {
                while let byte = try peek(), byte != UInt8(ascii: ","), byte != 0x0A {
                    if byte == UInt8(ascii: "\"") { throw FetchError.misplacedQuote(source: source.name, line: line) }
                    field.append(byte)
                    position += 1
                    try count(&length, row)
                }
                if try peek() != UInt8(ascii: ","), field.last == 0x0D { field.removeLast() }
            }
            if row.width < maximumWidth { row.fields.append(field) }
            row.width += 1
            guard let separator = try peek() else { return row }
            position += 1
            if separator == 0x0A {
                line += 1
                return row
            }
            try count(&length, row)
        }
    }

    /// The rest of a quoted field, up to the separator behind its closing quote.
    private mutating func quoted(into field: inout [UInt8], row: Row, length: inout Int) throws {
        while true {
            guard let byte = try peek() else { throw FetchError.misplacedQuote(source: source.name, line: row.line) }
            position += 1
            try count(&length, row)
            if byte != UInt8(ascii: "\"") {
                if byte == 0x0A { line += 1 }
                field.append(byte)
            } else if try peek() == UInt8(ascii: "\"") {
                position += 1
                try count(&length, row)
                field.append(byte)
            } else {
                break
            }
        }
        if try peek() == 0x0D { position += 1 }
        if let next = try peek(), next != UInt8(ascii: ","), next != 0x0A {
            throw FetchError.misplacedQuote(source: source.name, line: line)
        }
    }

    private func count(_ length: inout Int, _ row: Row) throws {
        length += 1
        if length > maximumRowLength {
            throw StreamError.lineTooLong(source: source.name, line: row.line, maximum: maximumRowLength)
        }
    }

    private mutating func peek() throws -> UInt8? {
        if position == end {
            end = try buffer.withUnsafeMutableBytes { try source.read(into: $0) }
            position = 0
            if end == 0 { return nil }
        }
        return buffer[position]
    }

    private mutating func dropByteOrderMark() throws {
        atStart = false
        while end < 3 {
            let more = try buffer.withUnsafeMutableBytes {
                try source.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[end...]))
            }
            if more == 0 { break }
            end += more
        }
        if end >= 3, buffer[..<3].elementsEqual([0xEF, 0xBB, 0xBF]) { position = 3 }
    }
}
