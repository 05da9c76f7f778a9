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

/// A column of a table, and the key that it gets in records.
public struct TableColumn: Sendable, Equatable {
    /// nil where the column is left out.
    public let key: String?
    /// What a header calls it.
    public let name: String

    /// - Parameter text: `text`, or `text=body` where the header calls it `body`; `_` for a column that is left out. nil
    ///   where a name is missing.
    public init?(_ text: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard !parts.contains(""), parts.count == 1 || parts[0] != "_" else { return nil }
        key = parts[0] == "_" ? nil : parts[0]
        name = parts[parts.count - 1]
    }

    /// Whether a header calls it otherwise.
    public var isRenamed: Bool { key != nil && key != name }

    /// The columns that a comma-separated list names; nil where one has no name, or two have the same key.
    public static func list(_ text: String) -> [TableColumn]? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let columns = parts.compactMap { TableColumn(String($0)) }
        let keys = columns.compactMap(\.key)
        return columns.count == parts.count && Set(keys).count == keys.count ? columns : nil
    }
}

/// Turns a table into records.
public struct TableConverter: Sendable {
    /// How the table is written.
    public var format: TableFormat
    /// The columns in order; with a header, those that are wanted, in any order.
    public var columns: [TableColumn]
    /// The first row names the columns.
    public var hasHeader: Bool
    /// What the ids begin with.
    public var name: String
    /// In bytes; of CSV, that of a row.
    public var maximumLineLength: Int
    /// The columns that a header may have. No table has so many; a row of separators isn't to take many times its size.
    fileprivate static let mostColumns = 1 << 16

    /// By default tab-separated `label` and `text`, without a header.
    public init(
        format: TableFormat = .tsv, columns: [TableColumn] = TableColumn.list("label,text") ?? [],
        hasHeader: Bool = false, name: String,
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
                let splits = hasHeader ? Self.mostColumns : columns.count - 1
                let fields = line.content.split(separator: 0x09, maxSplits: splits, omittingEmptySubsequences: false)
                try rows.write(fields, width: fields.count, line: line.number, to: sink)
            }
            return try atLeastOne(rows.count, source)
        case .csv:
            var reader = CSVReader(
                source, maximumRowLength: maximumLineLength,
                maximumWidth: hasHeader ? Self.mostColumns : columns.count)
            var rows = RowWriter(converter: self, source: source.name)
            while let row = try reader.next() {
                try rows.write(row.fields.map { $0[...] }, width: row.width, line: row.line, to: sink)
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
    /// How many columns every row has.
    private var expected: Int
    private(set) var count = 0
    private var writer = JSONWriter()

    init(converter: TableConverter, source: String) {
        self.converter = converter
        self.source = source
        expected = converter.columns.count
        if !converter.hasHeader {
            places = converter.columns.enumerated().compactMap { place, column in column.key.map { ($0, place) } }
        }
    }

    /// Writes a row of `width` fields, of which `fields` are those that were kept.
    mutating func write(_ fields: [ArraySlice<UInt8>], width: Int, line: Int, to sink: ByteSink) throws {
        guard let places else {
            expected = width
            if width > TableConverter.mostColumns {
                throw FetchError.tooManyColumns(
                    source: source, line: line, count: width, expected: TableConverter.mostColumns)
            }
            places = try converter.columns.compactMap { column in
                guard let key = column.key else { return nil }
                guard let place = fields.firstIndex(where: { $0.elementsEqual(column.name.utf8) }) else {
                    throw FetchError.noSuchColumn(source: source, column: column.name)
                }
                return (key, place)
            }
            return
        }
        if width < expected {
            throw FetchError.tooFewColumns(source: source, line: line, count: width, expected: expected)
        }
        if width > expected {
            throw FetchError.tooManyColumns(source: source, line: line, count: width, expected: expected)
        }
        if count == 0, !converter.hasHeader, places.allSatisfy({ fields[$0.place].elementsEqual($0.key.utf8) }) {
            throw FetchError.namesAsRecord(source: source)
        }
        count += 1
        writer.removeAll()
        writer.beginObject()
        if !places.contains(where: { $0.key == "id" }) {
            writer.key("id")
            writer.string("\(converter.name)-\(count)")
        }
        for (key, place) in places {
            guard UTF8.firstInvalidOffset(in: fields[place]) == nil else {
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
