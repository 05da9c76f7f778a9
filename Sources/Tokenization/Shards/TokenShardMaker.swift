// The verb of tokenize-pad: records to token shards. Not here: options and files.

import Records

/// What can be wrong with records as rows of tokens.
public enum TokenShardMakerError: DiagnosableError, Equatable {
    /// A record's label isn't one of the given ones.
    case unknownLabel(source: String, line: Int, label: String, known: [String])
    /// A text is longer than the length, and nothing may be cut.
    case tooLong(source: String, line: Int, length: Int)

    public var diagnosis: Diagnosis {
        switch self {
        case .unknownLabel(let source, let line, let label, let known):
            Diagnosis(
                source: source, position: .line(line), problem: "unknown label '\(label)'",
                remedy: "the labels are \(known.joined(separator: ", "))", status: .badData)
        case .tooLong(let source, let line, let length):
            Diagnosis(
                source: source, position: .line(line), problem: "the text has more than \(length) tokens",
                remedy: "shorten the text", status: .badData, choice: .rowLength)
        }
    }
}

/// Tokenizes and pads records.
public struct TokenShardMaker {
    /// How T is found.
    public enum PaddedLength: Sendable, Equatable {
        /// As long as the longest text, but at most this. The whole input is held, compactly.
        case longest(maximum: Int)
        /// This many tokens.
        case fixed(Int)

        /// The most that T can be.
        public var maximum: Int {
            switch self {
            case .longest(let maximum): maximum
            case .fixed(let length): length
            }
        }
    }

    /// What was written.
    public struct Report: Sendable, Equatable {
        /// Rows: one for each record.
        public var rows: Int
        /// Rows whose text was cut.
        public var truncated: Int
        /// T, in tokens.
        public var paddedLength: Int
    }

    /// Makes the tokens.
    public var tokenizer: Tokenizer
    /// T, or how it is found.
    public var paddedLength: PaddedLength
    /// The classes; nil takes those that occur, for which the whole input is held. Order doesn't matter.
    public var labels: [String]?
    /// Whether a text that is too long is an error instead of being cut.
    public var isStrict: Bool
    /// The most rows that one shard has.
    public var rowsPerShard: Int

    /// By default labels are collected from the records, and texts that are too long are cut.
    public init(
        tokenizer: Tokenizer, paddedLength: PaddedLength, labels: [String]? = nil, isStrict: Bool = false,
        rowsPerShard: Int = 4096
    ) {
        self.tokenizer = tokenizer
        self.paddedLength = paddedLength
        self.labels = labels
        self.isStrict = isStrict
        self.rowsPerShard = rowsPerShard
    }

    /// Reads all records and writes their shards; the sink stays open.
    ///
    /// - Throws: `RecordError`, ``TokenShardMakerError`` or `StreamError`.
    public func make(_ reader: RecordReader, into sink: ByteSink) throws -> Report {
        if case .fixed(let length) = paddedLength, let labels {
            return try stream(reader, length: length, classes: Classes(labels), into: sink)
        }
        return try buffer(reader, into: sink)
    }

    private func stream(
        _ reader: RecordReader, length: Int, classes: Classes, into sink: ByteSink
    ) throws -> Report {
        var classes = classes
        var writer = ShardWriter(sink, description: description(length, classes.names), rowsPerShard: rowsPerShard)
        var report = Report(rows: 0, truncated: 0, paddedLength: length)
        try forEachRow(reader, maximum: length, classes: &classes) { ids, label, line, isCut in
            try writer.append(ids, label: label, line: line, isTruncated: isCut)
            report.rows += 1
            report.truncated += isCut ? 1 : 0
        }
        try writer.finish()
        return report
    }

    /// Bytes that everything else may need meanwhile.
    private static let reserve = 16 << 20

    private func buffer(_ reader: RecordReader, into sink: ByteSink) throws -> Report {
        var classes = Classes(labels)
        var rows = TokenRows()
        var isTruncated: [Bool] = []
        try forEachRow(reader, maximum: paddedLength.maximum, classes: &classes) { ids, label, line, isCut in
            // Where an array grows by itself and gets no memory, the process ends.
            let growth = rows.bytesToGrow(adding: ids.count)
            guard growth < 1 << 16 || Memory.isAvailable(growth + Self.reserve) else {
                throw OutOfMemory.input(reader.lines.source.name, line: Int(line), bytes: growth)
            }
            rows.append(ids, label: label, line: line)
            isTruncated.append(isCut)
        }
        let length = if case .fixed(let length) = paddedLength { length } else { rows.longest }
        let (names, order) = classes.sorted()
        var writer = ShardWriter(sink, description: description(length, names), rowsPerShard: rowsPerShard)
        for row in 0..<rows.count {
            let label = rows.labels[row] < 0 ? -1 : order[Int(rows.labels[row])]
            try writer.append(rows[row], label: label, line: rows.lines[row], isTruncated: isTruncated[row])
        }
        try writer.finish()
        return Report(rows: rows.count, truncated: isTruncated.count { $0 }, paddedLength: length)
    }

    func description(_ length: Int, _ names: [String]) -> TokenSetDescription {
        TokenSetDescription(
            paddedLength: length, padToken: tokenizer.endOfText, labelNames: names, tokenizerSHA256: tokenizer.sha256)
    }

    private func forEachRow(
        _ reader: RecordReader, maximum: Int, classes: inout Classes,
        _ body: (ArraySlice<Int32>, _ label: Int32, _ line: Int64, _ isCut: Bool) throws -> Void
    ) throws {
        var reader = reader
        var encoder = TokenEncoder(tokenizer)
        let source = reader.lines.source.name
        var ids: [Int32] = []
        var isEmpty = true
        while let record = try reader.next() {
            isEmpty = false
            ids.removeAll(keepingCapacity: true)
            // One more token than a row has tells whether the text is cut.
            try record.textBytes().withUnsafeBufferPointer { encoder.encode($0, into: &ids, limit: maximum + 1) }
            // An empty text is one pad: every row has a token whose logits can be read.
            if ids.isEmpty { ids.append(tokenizer.endOfText) }
            var label: Int32 = -1
            if let name = try record.labelIfPresent() {
                guard let index = classes.index(of: name) else {
                    throw TokenShardMakerError.unknownLabel(
                        source: source, line: record.line.number, label: String(decoding: name, as: UTF8.self),
                        known: classes.names)
                }
                label = index
            }
            if ids.count > maximum, isStrict {
                throw TokenShardMakerError.tooLong(source: source, line: record.line.number, length: maximum)
            }
            try body(ids.prefix(maximum), label, Int64(record.line.number), ids.count > maximum)
        }
        if isEmpty { throw RecordError.noRecords(source: source) }
    }
}

/// Labels, compared as bytes, and their class indices.
private struct Classes {
    private(set) var names: [String] = []
    private var indices: [[UInt8]: Int32] = [:]
    private let isClosed: Bool

    /// Given labels are sorted at once and no other is accepted; nil collects them as they come.
    init(_ labels: [String]?) {
        isClosed = labels != nil
        for label in Set((labels ?? []).map { Array($0.utf8) }).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            add(label)
        }
    }

    mutating func index(of label: [UInt8]) -> Int32? {
        if let index = indices[label] { return index }
        if isClosed { return nil }
        add(label)
        return Int32(names.count - 1)
    }

    /// The names in the order of their bytes, and by old index the new one.
    func sorted() -> (names: [String], order: [Int32]) {
        let permutation = names.indices.sorted { Label(names[$0]) < Label(names[$1]) }
        var order = [Int32](repeating: 0, count: names.count)
        for (new, old) in permutation.enumerated() { order[old] = Int32(new) }
        return (permutation.map { names[$0] }, order)
    }

    private mutating func add(_ label: [UInt8]) {
        indices[label] = Int32(names.count)
        names.append(String(decoding: label, as: UTF8.self))
    }
}
