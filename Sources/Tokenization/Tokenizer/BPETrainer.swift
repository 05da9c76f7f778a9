// Learns the merges of a byte-level BPE tokenizer: count the pieces of all texts, then merge the most frequent pair
// of tokens over and over. Source: Sennrich et al. (2016); files as GPT-2 has them.
// Deterministic: among pairs of one count, the one with the lowest ids is merged, left before right.

import Records

/// Why no tokenizer can be learned.
public enum BPETrainerError: DiagnosableError, Equatable {
    /// Fewer tokens than 256 bytes and `<|endoftext|>`.
    case vocabularyTooSmall(Int)

    public var diagnosis: Diagnosis {
        switch self {
        case .vocabularyTooSmall(let size):
            Diagnosis(
                problem: "a vocabulary of \(size) tokens is too small", remedy: "257 is the least, for bytes alone",
                status: .usage)
        }
    }
}

/// - Throws: `OutOfMemory` where the system doesn't give the memory that the pieces, or their pairs, take.
private func requireMemory(_ bytes: Int) throws(OutOfMemory) {
    // A little more, for what is small and not worth to be counted.
    let needed = bytes + (1 << 20)
    if Memory.isAvailable(needed) { return }
    throw OutOfMemory(
        bytes: needed, remedy: "free memory, raise the limit (ulimit -v), or learn from fewer texts")
}

/// Counts pieces of texts, then learns.
public struct BPETrainer {
    /// A learned tokenizer, not yet in files.
    public struct Merges: Sendable, Equatable {
        /// The bytes of each token by id: 256 bytes in GPT-2's order, merged tokens, without `<|endoftext|>`.
        public var tokens: [[UInt8]]
        /// Ids of the two sides, in the order of the merges; merge k makes token 256 + k.
        public var pairs: [(left: Int32, right: Int32)]

        public static func == (a: Merges, b: Merges) -> Bool {
            a.tokens == b.tokens && a.pairs.elementsEqual(b.pairs, by: ==)
        }
    }

    private let preTokenizer = PreTokenizer()
    private var pieces = ByteStringTable()
    private var counts: [Int] = []
    /// Bytes of text that there is memory for.
    private var room = 0

    public init() {}

    /// Counts the pieces of `text`, valid UTF-8.
    ///
    /// Memory: that of the different pieces.
    ///
    /// - Throws: `OutOfMemory`.
    public mutating func add(_ text: [UInt8]) throws(OutOfMemory) {
        if text.count > room {
            room = max(1 << 16, text.count)
            // Arrays that are copied to grow, and what a new piece takes, which may be a byte long.
            try requireMemory(2 * pieces.bytes.count + 64 * pieces.count + 64 * room)
        }
        room -= text.count
        text.withUnsafeBufferPointer { buffer in
            preTokenizer.forEachPiece(buffer) { range in
                if let index = pieces.find(text[range]) {
                    counts[index] += 1
                } else if pieces.insert(text[range]) {
                    counts.append(1)
                }
                return true
            }
        }
    }

    /// Learns merges until the vocabulary, bytes and `<|endoftext|>` included, has `vocabularySize` tokens, or no
    /// pair occurs twice.
    ///
    /// - Throws: ``BPETrainerError``, `OutOfMemory`.
    public func train(vocabularySize: Int) throws -> Merges {
        guard vocabularySize >= 257 else { throw BPETrainerError.vocabularyTooSmall(vocabularySize) }
        var state = try State(pieces: pieces, counts: counts)
        while state.tokens.count + 1 < vocabularySize, try state.mergeBest() {}
        return Merges(tokens: state.tokens, pairs: state.merges)
    }
}

extension BPETrainer.Merges {
    /// vocab.json: one object, ids ascending, `<|endoftext|>` last.
    public var vocabulary: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        for (id, token) in tokens.enumerated() {
            writer.key(ByteAlphabet.text(token))
            writer.number(id)
        }
        writer.key(Tokenizer.endOfTextName)
        writer.number(tokens.count)
        writer.endObject()
        return writer.bytes
    }

    /// merges.txt: `#version: 0.2`, then one merge a line.
    public var mergeLines: [UInt8] {
        var lines = "#version: 0.2\n"
        for (left, right) in pairs {
            lines += "\(ByteAlphabet.text(tokens[Int(left)])) \(ByteAlphabet.text(tokens[Int(right)]))\n"
        }
        return Array(lines.utf8)
    }
}

/// The pieces while they are merged, with the count of every pair and the pieces that it is in.
private struct State {
    var tokens: [[UInt8]] = ByteAlphabet.idOrder.map { [$0] }
    var merges: [(left: Int32, right: Int32)] = []
    private var words: [[Int32]] = []
    private let counts: [Int]
    private var pairCounts: [UInt64: Int] = [:]
    /// Pieces in which a pair occurs, or did: a superset.
    private var occurrences: [UInt64: Set<Int32>] = [:]
    /// Count and pair, the best at the top; outdated entries are corrected when they come up.
    private var heap: [(count: Int, pair: UInt64)] = []
    private var known: Set<[UInt8]> = []
    private var longest = 0

    init(pieces: ByteStringTable, counts: [Int]) throws(OutOfMemory) {
        self.counts = counts
        var idOfByte = [Int32](repeating: 0, count: 256)
        for (id, byte) in ByteAlphabet.idOrder.enumerated() { idOfByte[Int(byte)] = Int32(id) }
        known = Set(tokens)
        known.insert(Array(Tokenizer.endOfTextName.utf8))
        var room = 0
        for index in 0..<pieces.count {
            let length = pieces[index].count
            if length > room {
                room = max(1 << 16, length)
                try requireMemory(growth(with: room))
            }
            room -= length
            longest = max(longest, length)
            let word = pieces[index].map { idOfByte[Int($0)] }
            words.append(word)
            for (left, right) in zip(word, word.dropFirst()) {
                let pair = Self.pair(left, right)
                pairCounts[pair, default: 0] += counts[index]
                occurrences[pair, default: []].insert(Int32(index))
            }
        }
        try requireMemory(growth(with: pairCounts.count))
        for (pair, count) in pairCounts { push(count, pair) }
    }

    /// The memory that so many more occurrences of pairs may take: their own, and that of a dictionary, a set, an array
    /// that is copied to grow.
    private func growth(with occurrences: Int) -> Int {
        128 * occurrences + 64 * pairCounts.capacity + 32 * heap.capacity + 32 * words.count + 8 * longest
    }

    /// Merges the best pair everywhere; false where none occurs twice.
    mutating func mergeBest() throws(OutOfMemory) -> Bool {
        while let (count, pair) = pop() {
            let current = pairCounts[pair] ?? 0
            if current != count {
                if current >= 2 { push(current, pair) }
                continue
            }
            if current < 2 { return false }
            try requireMemory(growth(with: occurrences[pair]?.count ?? 0))
            let left = Int32(truncatingIfNeeded: pair >> 32)
            let right = Int32(truncatingIfNeeded: pair & 0xFFFF_FFFF)
            let merged = tokens[Int(left)] + tokens[Int(right)]
            // Another pair may have made the same bytes; a token has one id.
            guard known.insert(merged).inserted else {
                pairCounts[pair] = 0
                continue
            }
            let id = Int32(tokens.count)
            tokens.append(merged)
            merges.append((left, right))
            replace(pair, left, right, by: id)
            return true
        }
        return false
    }

    private mutating func replace(_ pair: UInt64, _ left: Int32, _ right: Int32, by id: Int32) {
        var changed: Set<UInt64> = []
        for index in occurrences.removeValue(forKey: pair) ?? [] {
            let count = counts[Int(index)]
            var word: [Int32] = []
            swap(&word, &words[Int(index)])
            // What is merged is written over what was read.
            var (position, end) = (0, 0)
            var followsMerge = false
            while position < word.count {
                let isMerged = position + 1 < word.count && word[position] == left && word[position + 1] == right
                let token = isMerged ? id : word[position]
                if end > 0, isMerged || followsMerge {
                    // A merge writes a token less than it reads: the one before `position` is still the old one.
                    pairCounts[Self.pair(word[position - 1], word[position]), default: 0] -= count
                    let new = Self.pair(word[end - 1], token)
                    pairCounts[new, default: 0] += count
                    occurrences[new, default: []].insert(index)
                    changed.insert(new)
                }
                word[end] = token
                end += 1
                position += isMerged ? 2 : 1
                followsMerge = isMerged
            }
            word.removeLast(word.count - end)
            swap(&word, &words[Int(index)])
        }
        pairCounts[pair] = nil
        for pair in changed { push(pairCounts[pair] ?? 0, pair) }
    }

    private static func pair(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    // MARK: - Heap

    private func isBetter(_ a: (count: Int, pair: UInt64), _ b: (count: Int, pair: UInt64)) -> Bool {
        a.count != b.count ? a.count > b.count : a.pair < b.pair
    }

    private mutating func push(_ count: Int, _ pair: UInt64) {
        heap.append((count, pair))
        var index = heap.count - 1
        while index > 0, isBetter(heap[index], heap[(index - 1) / 2]) {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func pop() -> (count: Int, pair: UInt64)? {
        guard let top = heap.first, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return top }
        heap[0] = last
        var index = 0
        while true {
            var best = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count && isBetter(heap[child], heap[best]) {
                best = child
            }
            if best == index { return top }
            heap.swapAt(index, best)
            index = best
        }
    }
}
