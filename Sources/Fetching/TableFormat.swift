// Tables to records. A row becomes {"id": "<table>-<row>", …columns}.

import Records

/// How the rows of an entry are written.
public enum TableFormat: String, Sendable, CaseIterable {
    /// Tabs between columns, no quoting; the last column keeps any further tabs.
    case tsv
    /// RFC 4180: commas, fields in quotes where they need it, line ends inside of quotes.
    case csv
    /// Records already: checked and passed on.
    case ndjson
    /// Any bytes: passed on.
    case raw
}

/// Turns a table into records.
public struct TableConverter: Sendable {
    public var format: TableFormat
    /// The keys for the columns, in order; with a header, the columns that are wanted. `_` leaves a column out.
    public var columns: [String]
    /// The first row names the columns.
    public var hasHeader: Bool
    /// What the ids begin with.
    public var name: String
    public var maximumLineLength: Int

    public init(
        format: TableFormat = .tsv, columns: [String] = ["label", "text"], hasHeader: Bool = false, name: String,
        maximumLineLength: Int = LineReader.defaultMaximumLineLength
    ) {
        self.format = format
        self.columns = columns
        self.hasHeader = hasHeader
        self.name = name
        self.maximumLineLength = maximumLineLength
    }

    /// Reads `source` to its end. Constant memory. The sink isn't closed.
    ///
    /// - Returns: the number of records, 0 for `raw`.
    /// - Throws: ``FetchError``, `RecordError`, `StreamError`.
    public func convert(_ source: ByteSource, to sink: ByteSink) throws -> Int {
        switch format {
        case .raw:
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
            defer { buffer.deallocate() }
            while true {
                let count = try source.read(into: buffer)
                if count == 0 { return 0 }
                try sink.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        case .ndjson:
            var reader = RecordReader(LineReader(source, maximumLineLength: maximumLineLength))
            var count = 0
            while let record = try reader.next() {
                try sink.writeLine(record.line.content)
                count += 1
            }
            return try atLeastOne(count, source)
        case .tsv:
            let lines = LineReader(source, maximumLineLength: maximumLineLength)
            var rows = RowWriter(converter: self, source: source.name)
            while let line = try lines.next() {
                let splits = hasHeader ? Int.max : columns.count - 1
                let fields = line.content.split(separator: 0x09, maxSplits: splits, omittingEmptySubsequences: false)
                try rows.write(fields, line: line.number, to: sink)
            }
            return try atLeastOne(rows.count, source)
        case .csv:
            var reader = CSVReader(source, maximumRowLength: maximumLineLength)
            var rows = RowWriter(converter: self, source: source.name)
            while let row = try reader.next() {
                try rows.write(row.fields.map { $0[...] }, line: row.line, to: sink)
            }
            return try atLeastOne(rows.count, source)
        }
    }

    private func atLeastOne(_ count: Int, _ source: ByteSource) throws -> Int {
        if count == 0 { throw RecordError.noRecords(source: source.name) }
        return count
    }
}

/// Writes rows as records, after the header has said which column is where.
private struct RowWriter {
    let converter: TableConverter
    let source: String
    /// For every wanted column, its place in the row.
    private var places: [(key: String, place: Int)]?
    private(set) var count = 0
    private var writer = JSONWriter()

    init(converter: TableConverter, source: String) {
        self.converter = converter
        self.source = source
        if !converter.hasHeader {
            places = converter.columns.enumerated().filter { $0.element != "_" }.map { ($0.element, $0.offset) }
        }
    }

    mutating func write(_ fields: [ArraySlice<UInt8>], line: Int, to sink: ByteSink) throws {
        guard let places else {
            places = try converter.columns.filter { $0 != "_" }.map { column in
                guard let place = fields.firstIndex(where: { $0.elementsEqual(column.utf8) }) else {
                    throw FetchError.noSuchColumn(source: source, column: column)
                }
                return (column, place)
            }
            return
        }
        let needed = converter.hasHeader ? (places.map(\.place).max() ?? 0) + 1 : converter.columns.count
        guard fields.count >= needed else {
            throw FetchError.tooFewColumns(source: source, line: line, count: fields.count, expected: needed)
        }
        count += 1
        writer.removeAll()
        writer.beginObject()
        if !converter.columns.contains("id") {
            writer.key("id")
            writer.string("\(converter.name)-\(count)")
        }
        for (key, place) in places {
            guard firstInvalidUTF8(fields[place]) == nil else {
                throw FetchError.invalidUTF8(source: source, line: line)
            }
            writer.key(key)
            writer.string(utf8: fields[place])
        }
        writer.endObject()
        writer.newline()
        try sink.write(writer.bytes)
    }
}
