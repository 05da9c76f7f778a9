// Features in files, for later runs. A file is a safetensors file (docs/formats.md). Its name is the hash of everything
// that its contents depend on: another base, other texts, another depth or precision give another file, other
// hyperparameters don't. Files appear whole, so runs can share a directory.

import Hashing
import Platform
import Records
import Safetensors

/// What features depend on, apart from the texts.
package struct FeatureOrigin: Sendable {
    /// ``GPT2Parameters/sha256(_:of:)`` of the parameters that are read.
    package var parametersSHA256: String
    /// The sizes of the model, and its attention mask.
    package var config: GPT2Config
    /// How many blocks the texts have gone through.
    package var blocks: Int
    /// The position whose state alone is kept, after the final LayerNorm; nil for all positions.
    package var pooling: Pooling?
    /// The number type of the blocks' matrix products.
    package var precision: Precision

    /// As metadata of a file.
    fileprivate var metadata: [String: String] {
        [
            "format": FeatureDirectory.format, "base_sha256": parametersSHA256, "blocks": "\(blocks)",
            "heads": "\(config.heads)", "layer_norm_epsilon": "\(config.epsilon)", "precision": precision.rawValue,
            "states": pooling?.rawValue ?? "hidden", "causal_mask": "\(config.isCausal)",
        ]
    }
}

/// A directory of feature files.
package struct FeatureDirectory: Sendable {
    static let format = "gpt2kit.features/1"
    /// Bytes of states in a file: work for many cores, and little to hold.
    static let pieceSize = 1 << 26

    /// The directory's path.
    package let path: String
    private let origin: FeatureOrigin
    private let width: Int

    /// The directory `path` for features of `origin`. Nothing is read or created yet.
    package init(path: String, origin: FeatureOrigin) {
        self.path = path
        self.origin = origin
        width = origin.config.width
    }

    /// Some texts, and the file of their states.
    struct Entry: Sendable {
        let path: String
        fileprivate let metadata: [String: String]
        fileprivate let tokens: ArraySlice<Int32>
        fileprivate let lengths: [Int32]
        /// Rows of the states.
        fileprivate let rows: Int
    }

    /// The file of a part of `texts`.
    ///
    /// - Parameter rows: the rows of states of all `texts`.
    func entry(_ piece: Range<Int>, of texts: DistinctTexts, rows: TextLayout) -> Entry {
        let offsets = texts.layout.offsets
        let tokens = texts.tokens[offsets[piece.lowerBound]..<offsets[piece.upperBound]]
        let lengths = piece.map { Int32(texts.layout.length($0)) }
        let hash = SHA256()
        lengths.withUnsafeBytes { hash.update($0) }
        tokens.withUnsafeBytes { hash.update($0) }
        var metadata = origin.metadata
        metadata["tokens_sha256"] = hash.hexadecimal
        let name = SHA256.hexadecimal(of: Array(listing(metadata).utf8)).prefix(32)
        return Entry(
            path: "\(path)/\(name).safetensors", metadata: metadata, tokens: tokens, lengths: lengths,
            rows: rows.offsets[piece.upperBound] - rows.offsets[piece.lowerBound])
    }

    // MARK: - Reading

    /// The states [rows,C] of an entry, mapped; nil where no such file exists.
    ///
    /// - Parameter checksum: whether the data are compared with their checksum too, for which all of them are read.
    /// - Throws: ``DamagedFeatures``; `StreamError` where the file exists but can't be read.
    func states(_ entry: Entry, checksum: Bool) throws -> Tensor? {
        let mapping: MappedFile
        do throws(StreamError) {
            mapping = try MappedFile(path: entry.path)
        } catch {
            if case .notFound = error { return nil }
            throw error
        }
        do {
            let file = try SafetensorsFile(mapping)
            var metadata = file.metadata
            let expected = (metadata.removeValue(forKey: "crc32"), metadata.removeValue(forKey: "metadata_crc32"))
            guard metadata == entry.metadata, expected.1 == CRC32.hexadecimal(ofMetadata: file.metadata) else {
                throw DamagedFeatures(path: entry.path, problem: "its metadata don't match its name")
            }
            guard let states = try file.float32("states", shape: [entry.rows, width])?.baseAddress else {
                throw DamagedFeatures(path: entry.path, problem: "its states aren't F32")
            }
            if checksum {
                mapping.willRead()
                var crc = CRC32()
                for tensor in file.header.tensors { crc.update(file.bytes(of: tensor)) }
                guard expected.0 == crc.hexadecimal else {
                    throw DamagedFeatures(path: entry.path, problem: "its data don't match their checksum")
                }
            }
            return Tensor(
                shape: [entry.rows, width], reading: states, owner: mapping)
        } catch let error as SafetensorsError {
            throw DamagedFeatures(path: entry.path, problem: error.diagnosis.problem)
        }
    }

    // MARK: - Writing

    /// Writes the states [rows,C] of an entry. The file appears whole.
    func write(_ states: UnsafeBufferPointer<Float>, _ entry: Entry) throws {
        var crc = CRC32()
        crc.update(UnsafeRawBufferPointer(states))
        entry.tokens.withUnsafeBytes { crc.update($0) }
        entry.lengths.withUnsafeBytes { crc.update($0) }
        var metadata = entry.metadata
        metadata["crc32"] = crc.hexadecimal
        metadata["metadata_crc32"] = CRC32.hexadecimal(ofMetadata: metadata)
        var writer = SafetensorsWriter(metadata: metadata)
        writer.add("states", type: .float32, shape: [entry.rows, width]) { try $0(UnsafeRawBufferPointer(states)) }
        writer.add("input_ids", type: .int32, shape: [entry.tokens.count], values: Array(entry.tokens))
        writer.add("lengths", type: .int32, shape: [entry.lengths.count], values: entry.lengths)
        try writer.write(path: entry.path)
    }
}

/// A feature file that isn't what its name says.
package struct DamagedFeatures: DiagnosableError, Equatable {
    /// The feature file.
    package let path: String
    /// What is wrong with it, in words.
    package let problem: String

    package var diagnosis: Diagnosis {
        Diagnosis(source: path, problem: problem, remedy: "run again, which computes it again", status: .badData)
    }

    /// The warning where the file is computed again at once.
    var replacing: Diagnosis {
        var diagnosis = diagnosis
        diagnosis.remedy = "it is computed again and replaced"
        return diagnosis
    }
}

/// `key=value` and a line feed for every entry, in the order of the keys' bytes.
private func listing(_ metadata: [String: String]) -> String {
    metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { "\($0)=\($1)\n" }.joined()
}
