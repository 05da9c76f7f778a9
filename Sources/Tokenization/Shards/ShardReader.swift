// Reads a stream of shards and believes nothing: every field of every shard, their order, and the end mark.
// Memory grows with the bytes that came, not with those that a header promises.

import Records
import Safetensors

/// Reads a stream of token shards, one shard at a time.
public struct ShardReader {
    /// What all shards have in common; nil before the first one was read.
    public private(set) var description: TokenSetDescription?
    /// Rows that were cut, in the shards so far.
    public private(set) var truncated = 0
    /// Rows of the shards so far.
    public private(set) var rowCount = 0
    /// Whether a shard so far has the format's version 1, in which damage of the metadata can go unnoticed.
    public private(set) var isFormerFormat = false

    /// Where the shard that was read last begins, and where it has its tokens [n,T] and its lengths [n], in bytes from
    /// the stream's start.
    private(set) var place = (shard: 0, tokens: 0, lengths: 0)

    private let source: ByteSource
    private let vocabularySize: Int?
    private var buffer: [UInt8] = []
    /// Where the shard in work starts in the stream.
    private var position = 0
    private var index = 0
    private var isFinished = false

    /// - Parameters:
    ///   - source: the stream, from its start.
    ///   - vocabularySize: tokens from this on are refused; nil where it isn't known.
    public init(_ source: ByteSource, vocabularySize: Int? = nil) {
        self.source = source
        self.vocabularySize = vocabularySize
    }

    /// Reads a whole stream.
    ///
    /// - Throws: ``ShardError``, `SafetensorsError` or `StreamError`.
    public static func readAll(_ source: ByteSource, vocabularySize: Int? = nil) throws -> TokenizedTexts {
        var reader = ShardReader(source, vocabularySize: vocabularySize)
        var rows = TokenRows()
        while let shard = try reader.next() { rows.append(contentsOf: shard) }
        guard let description = reader.description else { throw reader.error(.endedEarly) }
        return TokenizedTexts(
            description: description, rows: rows, truncated: reader.truncated, isFormerFormat: reader.isFormerFormat)
    }

    /// Reads and checks a whole stream, of which nothing but what all shards have in common is kept.
    ///
    /// - Throws: ``ShardError``, `SafetensorsError` or `StreamError`; ``OtherTokenizer`` where `tokenizer` isn't
    ///   the one that made the tokens.
    public static func readDescription(
        _ source: ByteSource, tokenizer: Tokenizer
    ) throws -> (description: TokenSetDescription, isFormerFormat: Bool) {
        var reader = ShardReader(source)
        while try reader.next() != nil {}
        guard let description = reader.description else { throw reader.error(.endedEarly) }
        guard tokenizer.isIdentified(by: description.tokenizerSHA256) else { throw OtherTokenizer(source: source.name) }
        return (description, reader.isFormerFormat)
    }

    /// The rows of the next shard; nil after the last one, once nothing follows it.
    ///
    /// - Throws: ``ShardError``, `SafetensorsError` or `StreamError`.
    public mutating func next() throws -> TokenRows? {
        buffer.removeAll(keepingCapacity: true)
        if isFinished {
            guard try !fill(to: 1) else { throw error(.trailingBytes) }
            return nil
        }
        let shard = try readShard()
        try check(shard)
        position += buffer.count
        index += 1
        rowCount += shard.rows.count
        truncated += shard.truncated
        if shard.isFormerFormat { isFormerFormat = true }
        if let total = shard.rowsTotal {
            guard total == rowCount else { throw error(.rowsTotal(claimed: total, found: rowCount)) }
            isFinished = true
        }
        return shard.rows
    }

    private mutating func readShard() throws -> TokenShard {
        guard try fill(to: 8) else { throw error(position == 0 && buffer.isEmpty ? .noRecords : .endedEarly) }
        // As a header's length, eight printable characters would be more than 10¹⁸ bytes.
        if buffer[0] == UInt8(ascii: "{"), buffer[7] != 0 { throw error(.textInsteadOfShards) }
        let length = try buffer.withUnsafeBytes { try SafetensorsHeader.length($0, source: source.name) }
        guard length <= TokenShard.maximumHeader else {
            throw SafetensorsError(source: source.name, reason: .headerTooLong(UInt64(length)))
        }
        guard try fill(to: 8 + length) else { throw error(.endedEarly) }
        let header = try buffer.withUnsafeBytes {
            try SafetensorsHeader(
                header: UnsafeRawBufferPointer(rebasing: $0[8...]), dataSize: nil, source: source.name)
        }
        // 16 bytes and T tokens for each row.
        guard header.dataSize <= 8 * TokenShard.maximumTokens else { throw error(.tooLarge) }
        guard try fill(to: header.fileSize) else { throw error(.endedEarly) }
        place = (position, start(of: "input_ids", header), start(of: "lengths", header))
        do {
            return try buffer.withUnsafeBytes {
                try TokenShard(
                    header, data: UnsafeRawBufferPointer(rebasing: $0[header.dataStart...]),
                    vocabularySize: vocabularySize)
            }
        } catch let reason as ShardError.Reason {
            throw error(reason)
        }
    }

    /// Where a tensor begins; meaningless where the shard lacks it, which it is refused for.
    private func start(of tensor: String, _ header: SafetensorsHeader) -> Int {
        let range = header.tensors.first { $0.name == tensor }?.range
        return position + header.dataStart + (range?.lowerBound ?? 0)
    }

    private mutating func check(_ shard: TokenShard) throws(ShardError) {
        guard shard.index == index else { throw error(.outOfOrder(expected: index, found: shard.index)) }
        guard let first = description else {
            description = shard.description
            return
        }
        if shard.description.paddedLength != first.paddedLength { throw error(.mixed("the padded length")) }
        if shard.description.padToken != first.padToken { throw error(.mixed("pad_token_id")) }
        if !shard.description.labelNames.areSameLabels(as: first.labelNames) {
            throw error(.mixed("label_names"))
        }
        if shard.description.tokenizerSHA256 != first.tokenizerSHA256 { throw error(.mixed("tokenizer_sha256")) }
    }

    /// Reads until `buffer` has `count` bytes; false where the input ends before.
    private mutating func fill(to count: Int) throws(StreamError) -> Bool {
        var filled = buffer.count
        defer { buffer.removeLast(buffer.count - filled) }
        while filled < count {
            // Room for as much as has come, made once and filled by however many reads that takes.
            if filled == buffer.count {
                buffer.append(contentsOf: repeatElement(0, count: min(count - filled, max(1 << 16, filled))))
            }
            var got = 0
            var failure: StreamError?
            buffer.withUnsafeMutableBytes { bytes in
                do throws(StreamError) {
                    got = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[filled...]))
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            if got == 0 { return false }
            filled += got
        }
        return true
    }

    private func error(_ reason: ShardError.Reason) -> ShardError {
        ShardError(source: source.name, byte: position, reason: reason)
    }
}
