// Records to packed rows: the texts of a language model, whose labels nobody needs.

import Records

extension TokenShardMaker {
    /// What was packed.
    public struct PackingReport: Sendable, Equatable {
        /// Texts that have a token.
        public var documents = 0
        /// Rows written.
        public var rows = 0
        /// Tokens of all rows, without pads.
        public var tokens = 0
        /// T, in tokens.
        public var paddedLength: Int

        /// Tokens per position of all rows, 0 ... 1.
        public var fill: Double { rows == 0 ? 0 : Double(tokens) / (Double(rows) * Double(paddedLength)) }
    }

    /// Reads all records and writes rows that hold as many whole documents as fit, without labels; the sink stays open.
    ///
    /// A document is a record's text and `<|endoftext|>`; an empty text is left out. A document of more than T tokens is
    /// cut into parts. Memory doesn't grow with the input.
    ///
    /// T is the most that ``paddedLength`` can be, at least 2.
    ///
    /// - Throws: `RecordError` or `StreamError`.
    public func pack(_ reader: RecordReader, into sink: ByteSink) throws -> PackingReport {
        var reader = reader
        let length = paddedLength.maximum
        var encoder = TokenEncoder(tokenizer)
        var packer = RowPacker(length: length, endOfText: tokenizer.endOfText)
        var writer = ShardWriter(
            sink,
            description: description(length, []), rowsPerShard: rowsPerShard)
        var report = PackingReport(paddedLength: length)
        func write(_ row: [Int32], _ line: Int64) throws {
            try writer.append(row, label: -1, line: line)
            report.rows += 1
            report.tokens += row.count
        }
        var ids: [Int32] = []
        var isEmpty = true
        while let record = try reader.next() {
            isEmpty = false
            ids.removeAll(keepingCapacity: true)
            try record.textBytes().withUnsafeBufferPointer { encoder.encode($0, into: &ids) }
            if ids.isEmpty { continue }
            report.documents += 1
            try packer.add(ids, line: Int64(record.line.number), emit: write)
        }
        if isEmpty { throw RecordError.noRecords(source: reader.lines.source.name) }
        try packer.finish(emit: write)
        try writer.finish()
        return report
    }
}
