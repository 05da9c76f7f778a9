// Writes a stream of shards: as many rows as a shard holds are kept, no more. Not here: tokenizing.

import Records

/// Writes rows as a stream of token shards. Without ``finish()`` the stream has no end mark, and no reader takes it.
public struct ShardWriter {
    /// What all shards of the stream have in common.
    public let description: TokenSetDescription
    private let sink: ByteSink
    private let rowsPerShard: Int
    private var rows = TokenRows()
    private var truncated = 0
    private var index = 0
    private var rowsTotal = 0

    /// - Parameters:
    ///   - sink: gets the stream, and stays open.
    ///   - description: what all rows have in common.
    ///   - rowsPerShard: the most rows of a shard, bounded further so that it has at most 2²⁸ tokens.
    public init(_ sink: ByteSink, description: TokenSetDescription, rowsPerShard: Int = 4096) {
        precondition(description.paddedLength >= 1 && rowsPerShard >= 1)
        self.sink = sink
        self.description = description
        self.rowsPerShard = max(1, min(rowsPerShard, TokenShard.maximumTokens / description.paddedLength))
    }

    /// Adds a row of 1 … T tokens. A row that was cut to fit counts as truncated.
    ///
    /// - Throws: `StreamError`.
    public mutating func append(
        _ row: some Collection<Int32>, label: Int32, line: Int64, isTruncated: Bool = false
    ) throws {
        precondition(!row.isEmpty && row.count <= description.paddedLength, "a row has 1 to T tokens")
        precondition(label >= -1 && Int(label) < description.labelNames.count && line >= 1)
        // Only when one more row is there, a full shard is known not to be the last.
        if rows.count == rowsPerShard { try writeShard(rowsTotal: nil) }
        rows.append(row, label: label, line: line)
        truncated += isTruncated ? 1 : 0
        rowsTotal += 1
    }

    /// Writes the last shard. The sink stays open.
    ///
    /// - Throws: `StreamError`.
    public mutating func finish() throws {
        try writeShard(rowsTotal: rowsTotal)
    }

    private mutating func writeShard(rowsTotal: Int?) throws {
        let shard = TokenShard(
            description: description, rows: rows, truncated: truncated, index: index, rowsTotal: rowsTotal)
        try shard.write(to: sink)
        index += 1
        truncated = 0
        rows.removeAll()
    }
}

extension TokenShard {
    init(description: TokenSetDescription, rows: TokenRows, truncated: Int, index: Int, rowsTotal: Int?) {
        self.description = description
        self.rows = rows
        self.truncated = truncated
        self.index = index
        self.rowsTotal = rowsTotal
    }
}
