// Token shards as a corpus that may be larger than memory: it is checked once, from its start to its end, and then its rows
// are read where they lie on disk, in any order. Not here: what a row is used for.

import Hashing
import Records

/// A stream of token shards whose rows can be read in any order.
///
/// The stream is a file, which is mapped, or comes through a pipe and is kept in a file without a name in $TMPDIR. Memory:
/// some bytes for each shard; the system keeps as much of the file as it has room for.
public final class TokenCorpus: Sendable {
    /// Rows from `first` on.
    private struct Shard {
        let first: Int
        /// Where its tokens [n,T] and lengths [n] begin in the file.
        let tokens: Int, lengths: Int
    }

    /// The stream's name, for messages.
    public let source: String
    /// What all rows have in common.
    public let description: TokenSetDescription
    /// The number of rows.
    public let count: Int
    /// The number of tokens of all rows, without pads.
    public let tokens: Int
    /// The number of tokens that a language model predicts: all of a row but its first.
    public let predictions: Int
    /// The bytes of text that these tokens stand for. `<|endoftext|>` stands for none.
    public let predictedBytes: Int
    /// SHA-256, in hexadecimal, of all lengths and tokens, however they are spread over shards.
    public let sha256: String
    /// See ``ShardReader/isFormerFormat``.
    public let isFormerFormat: Bool

    private let shards: [Shard]
    private let vocabularySize: Int
    private let file: MappedFile

    /// Reads and checks a whole stream.
    ///
    /// - Parameters:
    ///   - path: that of a file or a pipe; nil and `-` mean stdin.
    ///   - tokenizer: the one that made the tokens.
    /// - Throws: ``ShardError``, ``OtherTokenizer``, `SafetensorsError` or `StreamError`.
    public init(path: String?, tokenizer: Tokenizer) throws {
        let input = try RereadableInput(path: path)
        let source = input.source
        var reader = ShardReader(source)
        var shards: [Shard] = []
        var tally = Tally(tokenizer)
        while let rows = try reader.next() {
            if shards.isEmpty { try Self.require(tokenizer, of: reader, source) }
            shards.append(
                Shard(first: reader.rowCount - rows.count, tokens: reader.place.tokens, lengths: reader.place.lengths))
            try tally.add(rows, of: source.name, shardAt: reader.place.shard)
        }
        guard let description = reader.description else { preconditionFailure("a stream without a shard") }
        let (file, start) = try withExtendedLifetime(input) { try input.map() }
        file.willReadAnywhere()
        self.source = source.name
        self.description = description
        self.file = file
        self.shards = shards.map { Shard(first: $0.first, tokens: start + $0.tokens, lengths: start + $0.lengths) }
        count = reader.rowCount
        tokens = tally.tokens
        predictions = tally.tokens - reader.rowCount
        predictedBytes = tally.predictedBytes
        sha256 = tally.sha256
        isFormerFormat = reader.isFormerFormat
        vocabularySize = tokenizer.vocabularySize
    }

    private static func require(
        _ tokenizer: Tokenizer, of reader: ShardReader, _ source: ByteSource
    ) throws(OtherTokenizer) {
        guard let made = reader.description, tokenizer.isIdentified(by: made.tokenizerSHA256),
            made.padToken == tokenizer.endOfText
        else { throw OtherTokenizer(source: source.name) }
    }

    /// The number of tokens of row `index`, without pads.
    public func length(_ index: Int) -> Int {
        let shard = shard(of: index)
        // A file that somebody writes to while it is used may say anything.
        return min(max(1, Int(number(shard.lengths, index - shard.first))), description.paddedLength)
    }

    /// Appends the tokens of row `index`, without pads, to `tokens`.
    ///
    /// - Throws: ``ShardError`` where the file has been changed since it was checked.
    public func append(_ index: Int, to tokens: inout [Int32]) throws(ShardError) {
        let shard = shard(of: index)
        let first = (index - shard.first) * description.paddedLength
        for position in first..<first + length(index) {
            let token = number(shard.tokens, position)
            guard token >= 0, token < vocabularySize else {
                throw ShardError(source: source, byte: 0, reason: .tokenOutOfRange(row: index, Int(token)))
            }
            tokens.append(token)
        }
    }

    /// The last shard that begins at `row` or before.
    ///
    /// - Complexity: O(log n) for n shards.
    private func shard(of row: Int) -> Shard {
        var (low, high) = (0, shards.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if shards[middle].first <= row { low = middle } else { high = middle }
        }
        return shards[low]
    }

    private func number(_ start: Int, _ index: Int) -> Int32 {
        Int32(littleEndian: file.bytes.loadUnaligned(fromByteOffset: start + 4 * index, as: Int32.self))
    }
}

/// What is counted while a corpus is read.
private struct Tally {
    private(set) var tokens = 0
    private(set) var predictedBytes = 0
    private let tokenizer: Tokenizer
    private let hashes = (lengths: SHA256(), tokens: SHA256())

    init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

    mutating func add(_ rows: TokenRows, of source: String, shardAt byte: Int) throws(ShardError) {
        tokens += rows.ids.count
        for row in 0..<rows.count {
            for (position, token) in rows[row].enumerated() {
                guard token < tokenizer.vocabularySize else {
                    throw ShardError(source: source, byte: byte, reason: .tokenOutOfRange(row: row, Int(token)))
                }
                if position > 0, token != tokenizer.endOfText { predictedBytes += tokenizer.length(token) }
            }
        }
        rows.lengths.map(Int32.init).withUnsafeBytes { hashes.lengths.update($0) }
        rows.ids.withUnsafeBytes { hashes.tokens.update($0) }
    }

    var sha256: String { SHA256.hexadecimal(of: Array((hashes.lengths.hexadecimal + hashes.tokens.hexadecimal).utf8)) }
}
