// GPT-2's byte-level BPE: text to token ids and back.
// `<|endoftext|>` inside text is ordinary text; its id comes from `endOfText` alone.
// Not here: truncation and padding (Shards), learning merges (BPETrainer), checking that text is UTF-8 (Records).

import Hashing
import Records
import Synchronization

/// A tokenizer as its directory defines it. Immutable; encode with one ``TokenEncoder`` per thread.
public final class Tokenizer: Sendable {
    /// The token that ends and pads texts.
    public static let endOfTextName = "<|endoftext|>"
    /// What a tokenizer can be read from.
    package static let fileNames: Set = ["vocab.json", "merges.txt", "tokenizer.json", "encoder.json", "vocab.bpe"]

    /// Number of tokens; ids are 0 ..< this.
    public let vocabularySize: Int
    /// The id of `<|endoftext|>`, GPT-2's padding.
    public let endOfText: Int32
    /// SHA-256, in lower-case hexadecimal, of vocab.json followed by merges.txt as GPT-2 was published with them: the
    /// same for the same tokens and merges, whatever files they were read from.
    public var sha256: String {
        identity.withLock { identity in
            if let known = identity { return known }
            let sha256 = contents.vocabulary.withUnsafeBytes { vocabulary in
                contents.mergeLines.withUnsafeBytes { Self.hash(vocabulary, $0) }
            }
            identity = sha256
            return sha256
        }
    }
    /// ``sha256`` once it is known. Making it takes as long as reading the files.
    private let identity = Mutex<String?>(nil)
    private let contents: TokenizerFiles
    /// vocab.json and merges.txt as they are; nil where it was read from tokenizer.json.
    private let read: (vocabulary: MappedFile, merges: MappedFile)?

    let preTokenizer = PreTokenizer()
    let byteTokens: [UInt32]
    let merges: MergeTable
    private let tokenBytes: [UInt8]
    /// Where each id's bytes start in ``tokenBytes``, and the end of the last.
    private let tokenStarts: [Int]
    /// The bytes of the longest token.
    package let longestToken: Int

    /// Reads `vocab.json` and `merges.txt` of `directory`, or, as OpenAI calls them, its `encoder.json` and `vocab.bpe`, or its
    /// `tokenizer.json` where it has none of these.
    ///
    /// - Throws: `StreamError` or ``TokenizerError``.
    public convenience init(directory: String) throws {
        if let json = try Self.json(directory: directory) {
            self.init(try withExtendedLifetime(json) { try TokenizerFiles(json: json) }, read: nil)
        } else {
            let names = Self.names(directory: directory)
            try self.init(
                vocabulary: MappedFile(path: "\(directory)/\(names.vocabulary)", maximum: TokenizerFiles.mostBytes),
                merges: MappedFile(path: "\(directory)/\(names.merges)", maximum: TokenizerFiles.mostBytes))
        }
    }

    /// Reads the two files from memory.
    public convenience init(vocabulary: MappedFile, merges: MappedFile) throws(TokenizerError) {
        let files = try TokenizerFiles(vocabulary: vocabulary, merges: merges)
        self.init(files, read: (vocabulary, merges))
    }

    /// - Parameter read: vocab.json and merges.txt, where it is they that were read.
    private init(_ files: TokenizerFiles, read: (vocabulary: MappedFile, merges: MappedFile)?) {
        vocabularySize = files.tokens.count
        endOfText = Int32(files.endOfText)
        byteTokens = files.byteTokens
        merges = files.merges
        var bytes: [UInt8] = []
        bytes.reserveCapacity(files.tokens.bytes.count)
        var starts = [0]
        starts.reserveCapacity(files.tokens.count + 1)
        for index in files.indexOfID {
            bytes.append(contentsOf: files.tokens[index])
            starts.append(bytes.count)
        }
        tokenBytes = bytes
        tokenStarts = starts
        longestToken = zip(starts, starts.dropFirst()).reduce(1) { max($0, $1.1 - $1.0) }
        contents = files
        self.read = read
    }

    /// Whether `sha256` is that of this tokenizer: ``sha256``, or, as earlier versions wrote it, of the files as they are.
    public func isIdentified(by sha256: String) -> Bool {
        if let read, withExtendedLifetime(read, { sha256 == Self.hash(read.vocabulary.bytes, read.merges.bytes) }) {
            return true
        }
        return sha256 == self.sha256
    }

    /// vocab.json and merges.txt as GPT-2 was published with them: those that ``sha256`` is the hash of. What happens to the directory
    /// after the tokenizer was read doesn't matter.
    package var files: (vocabulary: [UInt8], merges: [UInt8]) { (contents.vocabulary, contents.mergeLines) }

    /// What the two files of `directory` are called.
    private static func names(directory: String) -> (vocabulary: String, merges: String) {
        let names = Directory.entryNames(of: directory) ?? []
        let areOpenAIs = names.contains("encoder.json") && !names.contains("vocab.json")
        return areOpenAIs ? ("encoder.json", "vocab.bpe") : ("vocab.json", "merges.txt")
    }

    /// tokenizer.json of `directory`; nil where there is none, or something that comes before it.
    private static func json(directory: String) throws(StreamError) -> MappedFile? {
        let names = fileNames.intersection(Directory.entryNames(of: directory) ?? [])
        return names == ["tokenizer.json"]
            ? try MappedFile(path: "\(directory)/tokenizer.json", maximum: TokenizerFiles.mostBytes) : nil
    }

    private static func hash(_ vocabulary: UnsafeRawBufferPointer, _ merges: UnsafeRawBufferPointer) -> String {
        let hash = SHA256()
        hash.update(vocabulary)
        hash.update(merges)
        return hash.hexadecimal
    }

    /// The token as vocab.json has it; nil where there is none.
    package func name(_ id: Int32) -> String? {
        id >= 0 && id < vocabularySize ? vocabularyText(id) : nil
    }

    /// The token as vocab.json has it: a character for each byte.
    ///
    /// - Precondition: there is such an id.
    package func vocabularyText(_ id: Int32) -> String {
        ByteAlphabet.text(tokenBytes[tokenStarts[Int(id)]..<tokenStarts[Int(id) + 1]])
    }

    /// The ids of `text`. For many texts, a ``TokenEncoder`` is faster.
    public func encode(_ text: String) -> [Int32] {
        var encoder = TokenEncoder(self)
        return encoder.encode(Array(text.utf8))
    }

    /// The number of bytes of `id`, which has to exist.
    package func length(_ id: Int32) -> Int {
        tokenStarts[Int(id) + 1] - tokenStarts[Int(id)]
    }

    /// The bytes of `ids`, which need not be UTF-8 where a character was cut; nil for an id that doesn't exist.
    public func decode(_ ids: some Sequence<Int32>) -> [UInt8]? {
        var bytes: [UInt8] = []
        for id in ids {
            guard id >= 0, id < vocabularySize else { return nil }
            bytes.append(contentsOf: tokenBytes[tokenStarts[Int(id)]..<tokenStarts[Int(id) + 1]])
        }
        return bytes
    }
}

/// Encodes texts one after another, remembering the words that it has met: one per thread.
///
/// Memory: 1 MiB for the words, and scratch for 64 KiB of a piece (more only where no place of it can be cut).
public struct TokenEncoder: Sendable {
    /// Whose tokens are made.
    public let tokenizer: Tokenizer
    private var cache = WordCache()
    private var merger = PieceMerger()
    private let leastBlock: Int

    /// Remembers no words yet.
    public init(_ tokenizer: Tokenizer) {
        self.init(tokenizer, leastBlock: 1 << 16)
    }

    /// - Parameter leastBlock: bytes of a piece that are merged at once, or more; the result is the same.
    package init(_ tokenizer: Tokenizer, leastBlock: Int) {
        self.tokenizer = tokenizer
        self.leastBlock = leastBlock
    }

    /// The ids of `text`, valid UTF-8.
    public mutating func encode(_ text: [UInt8]) -> [Int32] {
        var ids: [Int32] = []
        ids.reserveCapacity(text.count / 3 + 1)
        text.withUnsafeBufferPointer { encode($0, into: &ids) }
        return ids
    }

    /// Appends the ids of `text`, valid UTF-8, to `ids`: all of them, or the first `limit`. What follows these isn't
    /// looked at, but for the end of the word.
    ///
    /// - Complexity: O(n), with a logarithmic factor within pieces without white space or punctuation.
    public mutating func encode(
        _ text: UnsafeBufferPointer<UInt8>, into ids: inout [Int32], limit: Int = .max
    ) {
        let (end, overflow) = ids.count.addingReportingOverflow(limit)
        let most = overflow ? Int.max : end
        if limit == 0 { return }
        tokenizer.byteTokens.withUnsafeBufferPointer { byteTokens in
            tokenizer.merges.withView { merges in
                tokenizer.preTokenizer.forEachPiece(text) { range in
                    let piece = UnsafeBufferPointer(rebasing: text[range])
                    guard let key = WordCache.Key(text, range) else {
                        merger.mergeInBlocks(
                            piece, of: leastBlock, tokenizer: tokenizer, merges: merges, limit: most, into: &ids)
                        return ids.count < most
                    }
                    if cache.append(key, to: &ids) { return ids.count < most }
                    let start = ids.count
                    merger.merge(piece, byteTokens: byteTokens.baseAddress!, merges: merges, into: &ids)
                    cache.store(key, ids[start...])
                    return ids.count < most
                }
            }
        }
        if ids.count > most { ids.removeLast(ids.count - most) }
    }
}
