// Tokenized texts in memory, without their padding. Not here: the format in which they travel (TokenShard).

/// What all rows of a stream of shards have in common.
public struct TokenSetDescription: Sendable, Equatable {
    /// T: the length to which every row is padded, in tokens.
    public var paddedLength: Int
    /// The token that fills a row up.
    public var padToken: Int32
    /// The classes in the order of their indices: sorted by their UTF-8 bytes, each once.
    public var labelNames: [String]
    /// See ``Tokenizer/sha256``.
    public var tokenizerSHA256: String

    /// Class names have to be sorted by their bytes; a reader refuses others.
    public init(paddedLength: Int, padToken: Int32, labelNames: [String], tokenizerSHA256: String) {
        self.paddedLength = paddedLength
        self.padToken = padToken
        self.labelNames = labelNames
        self.tokenizerSHA256 = tokenizerSHA256
    }
}

/// Rows of tokens of different lengths, packed one behind the other.
public struct TokenRows: Sendable, Equatable {
    /// The tokens of all rows.
    public private(set) var ids: [Int32] = []
    /// Where each row starts in ``ids``, and the end of the last: count + 1 values.
    public private(set) var offsets: [Int] = [0]
    /// Class of each row, -1 for none.
    public private(set) var labels: [Int32] = []
    /// Line of each row in the input, from 1.
    public private(set) var lines: [Int64] = []

    public init() {}

    /// How many rows there are.
    public var count: Int { labels.count }

    /// The tokens of row `index`.
    public subscript(index: Int) -> ArraySlice<Int32> {
        ids[offsets[index]..<offsets[index + 1]]
    }

    /// The number of tokens of row `index`.
    public func length(_ index: Int) -> Int {
        offsets[index + 1] - offsets[index]
    }

    /// The number of tokens of every row.
    public var lengths: [Int] {
        (0..<count).map(length)
    }

    /// The length of the longest row, 0 where there is none.
    public var longest: Int {
        (0..<count).reduce(0) { max($0, length($1)) }
    }

    /// The bytes that another row of `count` tokens makes arrays take at once, where they grow; 0 where they have room.
    package func bytesToGrow(adding count: Int) -> Int {
        func growth<Element>(_ array: [Element], _ added: Int) -> Int {
            array.count + added <= array.capacity
                ? 0 : max(2 * array.capacity, array.count + added) * MemoryLayout<Element>.stride
        }
        return growth(ids, count) + growth(offsets, 1) + growth(labels, 1) + growth(lines, 1)
    }

    /// Adds a row of tokens without padding; `label` is -1 for none.
    public mutating func append(_ row: some Collection<Int32>, label: Int32, line: Int64) {
        ids.append(contentsOf: row)
        offsets.append(ids.count)
        labels.append(label)
        lines.append(line)
    }

    /// Adds the rows of `other` behind these.
    public mutating func append(contentsOf other: TokenRows) {
        let base = ids.count
        ids.append(contentsOf: other.ids)
        offsets.append(contentsOf: other.offsets.dropFirst().map { $0 + base })
        labels.append(contentsOf: other.labels)
        lines.append(contentsOf: other.lines)
    }

    /// Forgets all rows and keeps the memory.
    public mutating func removeAll() {
        ids.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        offsets.append(0)
        labels.removeAll(keepingCapacity: true)
        lines.removeAll(keepingCapacity: true)
    }
}

/// A whole stream of shards, checked and in memory: what training and evaluation work on.
public struct TokenizedTexts: Sendable, Equatable {
    /// What all rows have in common.
    public let description: TokenSetDescription
    /// The rows of all shards, in order.
    public let rows: TokenRows
    /// How many texts were cut to the length.
    public let truncated: Int
    /// See ``ShardReader/isFormerFormat``.
    public let isFormerFormat: Bool

    /// Puts together what a reader has found.
    public init(description: TokenSetDescription, rows: TokenRows, truncated: Int, isFormerFormat: Bool = false) {
        self.description = description
        self.rows = rows
        self.truncated = truncated
        self.isFormerFormat = isFormerFormat
    }
}
