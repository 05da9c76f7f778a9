// One token shard: a safetensors blob of some rows of a stream. docs/formats.md describes it.
// Not here: the order of shards in a stream (ShardReader, ShardWriter).

import Hashing
import Records
import Safetensors

/// Some rows of a stream, and what the shard says about itself.
struct TokenShard {
    static let format = "gpt2kit.tokens/2"
    /// Read all the same. It may lack the checksum of the metadata.
    static let formerFormat = "gpt2kit.tokens/1"
    /// The longest header that is believed.
    static let maximumHeader = 1 << 24
    /// The most tokens, padding included, that one shard may have: 1 GiB of them.
    static let maximumTokens = 1 << 28

    var description: TokenSetDescription
    var rows: TokenRows
    var truncated: Int
    /// Number of this shard, from 0.
    var index: Int
    /// The rows of all shards, in the last one alone.
    var rowsTotal: Int?
    /// Whether it was read from ``formerFormat``.
    private(set) var isFormerFormat = false

    // MARK: - Writing

    /// The blob.
    func write(to sink: ByteSink) throws {
        let count = rows.count
        let length = description.paddedLength
        var ids = [Int32](repeating: description.padToken, count: count * length)
        for row in 0..<count { ids.replaceSubrange(row * length..<row * length + rows.length(row), with: rows[row]) }
        let lengths = rows.lengths.map(Int32.init)

        var crc = CRC32()
        rows.lines.withUnsafeBytes { crc.update($0) }
        ids.withUnsafeBytes { crc.update($0) }
        lengths.withUnsafeBytes { crc.update($0) }
        rows.labels.withUnsafeBytes { crc.update($0) }

        var names = JSONWriter()
        names.beginArray()
        for name in description.labelNames { names.string(name) }
        names.endArray()
        var metadata = [
            "format": Self.format,
            "pad_token_id": "\(description.padToken)",
            "label_names": String(decoding: names.bytes, as: UTF8.self),
            "tokenizer_sha256": description.tokenizerSHA256,
            "truncated": "\(truncated)",
            "shard": "\(index)",
            "last": rowsTotal == nil ? "false" : "true",
            "crc32": crc.hexadecimal,
        ]
        if let rowsTotal { metadata["rows_total"] = "\(rowsTotal)" }
        metadata["metadata_crc32"] = CRC32.hexadecimal(ofMetadata: metadata)

        var writer = SafetensorsWriter(metadata: metadata)
        writer.add("lines", type: .int64, shape: [count], values: rows.lines)
        writer.add("input_ids", type: .int32, shape: [count, length], values: ids)
        writer.add("lengths", type: .int32, shape: [count], values: lengths)
        writer.add("labels", type: .int32, shape: [count], values: rows.labels)
        try writer.write { try sink.write($0) }
    }

    // MARK: - Reading

    /// Checks a blob whose header has been parsed.
    ///
    /// - Parameters:
    ///   - data: the data section.
    ///   - vocabularySize: tokens from this on are refused; nil where it isn't known.
    init(
        _ header: SafetensorsHeader, data: UnsafeRawBufferPointer, vocabularySize: Int?
    ) throws(ShardError.Reason) {
        let fields = ShardFields(header.metadata)
        isFormerFormat = try fields.checkFormat()
        let (count, length) = try Self.shape(header)

        var crc = CRC32()
        crc.update(data)
        guard try fields.text("crc32") == crc.hexadecimal else { throw .dataChecksum }

        description = TokenSetDescription(
            paddedLength: length, padToken: Int32(try fields.number("pad_token_id", in: 0...Int(Int32.max))),
            labelNames: try fields.labelNames(), tokenizerSHA256: try fields.sha256("tokenizer_sha256"))
        truncated = try fields.number("truncated", in: 0...count)
        index = try fields.number("shard", in: 0...Int(Int32.max))
        rowsTotal = try fields.isLast() ? try fields.number("rows_total", in: count...Int.max) : nil
        rows = TokenRows()
        try readRows(header, data, count: count, vocabularySize: vocabularySize ?? Int(Int32.max))
    }

    /// n and T of the four tensors, of which none may be missing and no other be there.
    private static func shape(_ header: SafetensorsHeader) throws(ShardError.Reason) -> (count: Int, length: Int) {
        guard let ids = header.tensors.first(where: { $0.name == "input_ids" }), ids.type == .int32,
            ids.shape.count == 2, ids.shape[1] >= 1
        else { throw .wrongTensor("input_ids") }
        let (tokens, overflow) = ids.shape[0].multipliedReportingOverflow(by: ids.shape[1])
        guard !overflow, tokens <= maximumTokens, ids.shape[1] <= maximumTokens else { throw .tooLarge }
        let types: [String: ElementType] = [
            "input_ids": .int32, "lengths": .int32, "labels": .int32, "lines": .int64,
        ]
        for name in types.keys.sorted() where !header.tensors.contains(where: { $0.name == name }) {
            throw .wrongTensor(name)
        }
        for tensor in header.tensors {
            guard let type = types[tensor.name], tensor.type == type else { throw .wrongTensor(tensor.name) }
            guard tensor.name == "input_ids" || tensor.shape == [ids.shape[0]] else {
                throw .wrongTensor(tensor.name)
            }
        }
        return (ids.shape[0], ids.shape[1])
    }

    private mutating func readRows(
        _ header: SafetensorsHeader, _ data: UnsafeRawBufferPointer, count: Int, vocabularySize: Int
    ) throws(ShardError.Reason) {
        var starts: [String: Int] = [:]
        for tensor in header.tensors { starts[tensor.name] = tensor.range.lowerBound }
        guard let idStart = starts["input_ids"], let lengthStart = starts["lengths"],
            let labelStart = starts["labels"], let lineStart = starts["lines"]
        else { throw .wrongTensor("input_ids") }
        func value(_ start: Int, _ index: Int) -> Int32 {
            Int32(littleEndian: data.loadUnaligned(fromByteOffset: start + 4 * index, as: Int32.self))
        }
        guard description.padToken < vocabularySize else {
            throw .wrongField("pad_token_id", value: "\(description.padToken)")
        }
        var tokens: [Int32] = []
        for row in 0..<count {
            let length = Int(value(lengthStart, row))
            guard length >= 1, length <= description.paddedLength else { throw .lengthOutOfRange(row: row, length) }
            let label = value(labelStart, row)
            guard label >= -1, Int(label) < description.labelNames.count else {
                throw .labelOutOfRange(row: row, Int(label))
            }
            let line = Int64(
                littleEndian: data.loadUnaligned(fromByteOffset: lineStart + 8 * row, as: Int64.self))
            guard line >= 1 else { throw .lineOutOfRange(row: row, Int(line)) }
            tokens.removeAll(keepingCapacity: true)
            for position in 0..<description.paddedLength {
                let token = value(idStart, row * description.paddedLength + position)
                guard token >= 0, Int(token) < vocabularySize else {
                    throw .tokenOutOfRange(row: row, Int(token))
                }
                if position < length {
                    tokens.append(token)
                } else if token != description.padToken {
                    throw .paddingBroken(row: row)
                }
            }
            rows.append(tokens, label: label, line: line)
        }
    }
}

extension ShardError.Reason: Error {}

/// The metadata of a shard, entry by entry.
private struct ShardFields {
    private let metadata: [String: String]

    init(_ metadata: [String: String]) {
        self.metadata = metadata
    }

    /// Whether it is the former one.
    func checkFormat() throws(ShardError.Reason) -> Bool {
        guard let format = metadata["format"] else { throw .foreignFormat("none") }
        let isFormer = format == TokenShard.formerFormat
        guard isFormer || format == TokenShard.format else { throw .foreignFormat(format) }
        let crc = metadata["metadata_crc32"]
        if crc == nil, !isFormer { throw .missingField("metadata_crc32") }
        if let crc, crc != CRC32.hexadecimal(ofMetadata: metadata) { throw .metadataChecksum }
        return isFormer
    }

    func text(_ name: String) throws(ShardError.Reason) -> String {
        guard let value = metadata[name] else { throw .missingField(name) }
        return value
    }

    func number(_ name: String, in range: ClosedRange<Int>) throws(ShardError.Reason) -> Int {
        let text = try text(name)
        guard let value = Int(text), "\(value)" == text, range.contains(value) else {
            throw .wrongField(name, value: text)
        }
        return value
    }

    func sha256(_ name: String) throws(ShardError.Reason) -> String {
        let text = try text(name)
        guard SHA256.isHexadecimal(text) else { throw .wrongField(name, value: text) }
        return text
    }

    func isLast() throws(ShardError.Reason) -> Bool {
        let text = try text("last")
        guard text == "true" || text == "false" else { throw .wrongField("last", value: text) }
        if text == "false", let total = metadata["rows_total"] { throw .wrongField("rows_total", value: total) }
        return text == "true"
    }

    func labelNames() throws(ShardError.Reason) -> [String] {
        let text = try text("label_names")
        guard case .array(let values)? = try? JSONValue(parsing: Array(text.utf8)) else {
            throw .wrongField("label_names", value: text)
        }
        var names: [String] = []
        for value in values {
            guard let name = value.string, !name.isEmpty else { throw .wrongField("label_names", value: text) }
            if let last = names.last, Label(last) >= Label(name) {
                throw .wrongField("label_names", value: text)
            }
            names.append(name)
        }
        return names
    }
}
