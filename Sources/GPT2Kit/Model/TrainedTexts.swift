// Which texts a classifier was trained on, as hashes of their tokens: what is fitted on its scores has to be fitted on others.

import Records
import Tokenization

/// Hashes of the texts of a training part.
public struct TrainedTexts: Sendable {
    /// The file of a model directory that holds them: 8 bytes for each different text, in ascending order, little-endian.
    static let fileName = "training-texts.hashes"

    private let hashes: [UInt64]

    /// The texts of `rows`.
    init(_ rows: TokenRows) {
        var hashes = Set<UInt64>()
        for row in 0..<rows.count { hashes.insert(Self.hash(rows[row])) }
        self.hashes = hashes.sorted()
    }

    /// Reads those of a model directory; nil where it has none.
    ///
    /// - Throws: `StreamError` where the file can't be read; ``ModelError/damagedHashes(file:)``.
    public init?(directory: String) throws {
        guard Directory.entryNames(of: directory)?.contains(Self.fileName) ?? false else { return nil }
        let file = "\(directory)/\(Self.fileName)"
        let bytes = try ByteSource(path: file).readAll(maximum: 1 << 33)
        hashes = stride(from: 0, to: bytes.count / 8 * 8, by: 8).map { start in
            (0..<8).reduce(0) { $0 | UInt64(bytes[start + $1]) << UInt64(8 * $1) }
        }
        guard bytes.count % 8 == 0, zip(hashes, hashes.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw ModelError.damagedHashes(file: file)
        }
    }

    /// The file's bytes.
    var bytes: [UInt8] { hashes.flatMap { hash in (0..<8).map { UInt8(truncatingIfNeeded: hash >> UInt64(8 * $0)) } } }

    /// Whether the model was trained on a text with these tokens, cut as the model cuts them; an empty text is one pad.
    public func contains(_ tokens: some Sequence<Int32>) -> Bool {
        let hash = Self.hash(tokens)
        var (low, high) = (0, hashes.count)
        while low < high {
            let middle = (low + high) / 2
            if hashes[middle] < hash { low = middle + 1 } else { high = middle }
        }
        return low < hashes.count && hashes[low] == hash
    }

    /// FNV-1a of the tokens' bytes, and a finalizer.
    private static func hash(_ tokens: some Sequence<Int32>) -> UInt64 {
        SplitMix64.mixed(tokens.reduce(FNV1a.basis) { FNV1a.extended($0, UInt64(UInt32(bitPattern: $1))) })
    }
}
