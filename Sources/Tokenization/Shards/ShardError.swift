// Every way in which a stream of token shards can be wrong, one case each.

import Records

/// A stream that isn't token shards, or not all of them.
public struct ShardError: DiagnosableError, Equatable {
    /// What is wrong.
    public enum Reason: Sendable, Equatable {
        /// The input ended before the shard that is marked as the last: its writer died, or it was cut.
        case endedEarly
        /// Nothing came at all.
        case noRecords
        /// It begins like text: records that no `tokenize-pad` has seen.
        case textInsteadOfShards
        /// Bytes follow the last shard.
        case trailingBytes
        /// `format` is missing or another one.
        case foreignFormat(String)
        /// A metadata entry is missing.
        case missingField(String)
        /// A metadata entry has a value that it can't have.
        case wrongField(String, value: String)
        /// A tensor is missing, of another type or shape, or one too many is there.
        case wrongTensor(String)
        /// More rows or tokens than one shard may have.
        case tooLarge
        /// The checksum of the metadata doesn't agree.
        case metadataChecksum
        /// The checksum of the data doesn't agree.
        case dataChecksum
        /// Shards of two streams, or out of order.
        case outOfOrder(expected: Int, found: Int)
        /// Shards of two streams: they differ in this entry.
        case mixed(String)
        /// `rows_total` isn't the number of rows.
        case rowsTotal(claimed: Int, found: Int)
        /// A length is below 1 or above the padded one.
        case lengthOutOfRange(row: Int, Int)
        /// A token is negative, or not in the vocabulary.
        case tokenOutOfRange(row: Int, Int)
        /// Something else than padding follows a row's tokens.
        case paddingBroken(row: Int)
        /// A label is below -1 or has no name.
        case labelOutOfRange(row: Int, Int)
        /// A line number is below 1.
        case lineOutOfRange(row: Int, Int)
    }

    /// The stream's name.
    public let source: String
    /// Where the shard starts.
    public let byte: Int
    /// What is wrong.
    public let reason: Reason

    /// That `reason` is wrong with the shard that starts at `byte`.
    public init(source: String, byte: Int, reason: Reason) {
        self.source = source
        self.byte = byte
        self.reason = reason
    }

    public var diagnosis: Diagnosis {
        Diagnosis(source: source, position: .byte(byte), problem: problem, remedy: remedy, status: .badData)
    }

    private var remedy: String {
        switch reason {
        case .endedEarly: "look for the error of the program that wrote it, and run that again"
        case .noRecords: "check what writes the shards"
        case .textInsteadOfShards: "pipe records through tokenize-pad first"
        case .trailingBytes, .outOfOrder, .mixed: "give one stream of tokenize-pad, whole"
        case .foreignFormat: "make the shards with this version's tokenize-pad"
        default: "the shard is damaged; run tokenize-pad again"
        }
    }

    private var problem: String {
        switch reason {
        case .endedEarly: "the shards ended before their end mark"
        case .noRecords: "no records, the input is empty"
        case .textInsteadOfShards: "it begins like NDJSON, not like token shards"
        case .trailingBytes: "bytes follow the last shard"
        case .foreignFormat(let format): "its format is '\(format)', not \(TokenShard.format)"
        case .missingField(let field): "\(field) is missing"
        case .wrongField(let field, let value): "\(field) is '\(value.prefix(80))'"
        case .wrongTensor(let name): "tensor '\(name)' is missing, unknown or misshapen"
        case .tooLarge: "the shard claims more than \(TokenShard.maximumTokens) tokens"
        case .metadataChecksum: "the checksum of the metadata doesn't agree"
        case .dataChecksum: "the checksum of the data doesn't agree"
        case .outOfOrder(let expected, let found): "shard \(found) came where \(expected) should be"
        case .mixed(let field): "\(field) is another one than in the first shard"
        case .rowsTotal(let claimed, let found): "the end mark counts \(claimed) rows, \(found) came"
        case .lengthOutOfRange(let row, let value): "row \(row) has the length \(value)"
        case .tokenOutOfRange(let row, let value): "row \(row) has the token \(value)"
        case .paddingBroken(let row): "row \(row) has tokens after its end"
        case .labelOutOfRange(let row, let value): "row \(row) has the label \(value)"
        case .lineOutOfRange(let row, let value): "row \(row) has the line number \(value)"
        }
    }
}

/// Shards whose tokens another tokenizer made.
public struct OtherTokenizer: DiagnosableError, Equatable {
    /// The stream's name.
    public let source: String

    public var diagnosis: Diagnosis {
        Diagnosis(
            source: source, problem: "its tokens were made with another tokenizer",
            remedy: "use the same tokenizer for both", status: .configuration)
    }
}
