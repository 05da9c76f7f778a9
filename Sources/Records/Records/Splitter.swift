// Train, validation and test. A seeded shuffle decides where each record goes, and the parts come out in the shuffled
// order, as the chapter's `df.sample(frac=1)` followed by slicing has them.

/// The parts that records are split into.
public enum Part: String, Sendable, CaseIterable {
    /// In the order in which shares and files are named.
    case train, validation, test
}

/// Deals records out to the three parts.
public struct Splitter: Sendable {
    /// The parts' shares of the records.
    public var fractions: Fractions
    /// Every class has the same shares of all parts, to within one record.
    public var isStratified: Bool
    /// Which records go to the same part, so that nothing that was trained on is tested on. The sizes are as near as whole
    /// groups allow.
    public var grouping: Grouping
    /// Whether the part of a record depends on its text and on earlier records alone, so that later ones never move it. Then
    /// the sizes are near the shares, records keep their order, and classes are left to chance.
    public var isStable: Bool
    /// Draws the order: the same seed gives the same parts.
    public var seed: UInt64
    /// The most memory to take, in bytes: for the lines, and for what is kept of each, its group included.
    public var maximumMemory: Int

    /// Which records stay together.
    public enum Grouping: Sendable, Equatable {
        /// None.
        case none
        /// Those with equal texts, letter case and runs of white space aside.
        case equalTexts
        /// Those with equal or nearly equal texts, and those that are linked by such: of two near copies at least this share
        /// of all runs of five characters is in both.
        case nearCopies(similarity: Double)
    }

    /// By default 70, 10 and 20 %, classes and equal texts left to chance.
    public init(
        fractions: Fractions = .standard, isStratified: Bool = false, grouping: Grouping = .none,
        isStable: Bool = false,
        seed: UInt64 = 123, maximumMemory: Int = .max
    ) {
        self.fractions = fractions
        self.isStratified = isStratified
        self.grouping = grouping
        self.isStable = isStable
        self.seed = seed
        self.maximumMemory = maximumMemory
    }

    /// All records of an input, dealt out.
    public struct Split: Sendable {
        let store: LineStore
        /// Indices into ``store`` for each part.
        let indices: [Part: [Int]]
        /// Records that stay apart from a near copy because both parts were settled before they came (only where
        /// ``Splitter/isStable``).
        public let separated: Int

        /// How many records `part` has.
        public func count(of part: Part) -> Int { indices[part]?.count ?? 0 }

        /// Writes the lines of one part, byte for byte as they came. The sink isn't closed.
        public func write(_ part: Part, to sink: ByteSink) throws(StreamError) {
            for index in indices[part] ?? [] { try sink.writeLine(store[index]) }
        }
    }

    /// Reads all records and deals them out.
    ///
    /// - Throws: ``RecordError``, ``StreamError``.
    public func split(_ reader: RecordReader) throws -> Split {
        var reader = reader
        let source = reader.lines.source.name
        // Class, group, order, part and place of every record, some of them twice while an array grows.
        var store = LineStore(source: source, maximum: maximumMemory, overhead: 96)
        var classes = LabelIndex()
        var groups = RecordGroups(grouping, source: source)
        var stable = StableParts(fractions, seed: seed)
        var classOfRecord: [Int] = []
        var groupOfRecord: [Int] = []
        var partOfRecord: [Int] = []
        while let record = try reader.next() {
            classOfRecord.append(isStratified ? classes.index(of: try record.label()) : 0)
            let needsText = grouping != .none || isStable
            let text = needsText ? foldedText(try record.textBytes()) : []
            let group = try groups.add(text, line: record.line.number)
            groupOfRecord.append(group.number)
            if isStable { partOfRecord.append(stable.part(of: text, group: group.number, copies: group.copies)) }
            try store.append(record.line, besides: classes.byteCount + groups.byteCount)
        }
        if store.count == 0 { throw RecordError.noRecords(source: source) }
        var indices: [Part: [Int]] = [:]
        if isStable {
            for (index, part) in partOfRecord.enumerated() { indices[Part.allCases[part], default: []].append(index) }
            return Split(store: store, indices: indices, separated: stable.separated)
        }
        if isStratified { renumber(&classOfRecord, by: classes.sorted) }
        groups.merge(&groupOfRecord)

        var generator = SeededGenerator(seed: seed)
        let order = generator.permutation(store.count)
        partOfRecord = assign(order: order, classOfRecord: classOfRecord, groupOfRecord: groupOfRecord)
        for index in order { indices[Part.allCases[partOfRecord[index]], default: []].append(index) }
        return Split(store: store, indices: indices, separated: 0)
    }

    /// Numbers classes by the order of their labels instead of the order of their appearance.
    private func renumber(_ classOfRecord: inout [Int], by sorted: [Int]) {
        var rank = [Int](repeating: 0, count: sorted.count)
        for (position, index) in sorted.enumerated() { rank[index] = position }
        for index in classOfRecord.indices { classOfRecord[index] = rank[classOfRecord[index]] }
    }

    /// The index of the part for every record. Groups of several records are placed first, the largest first, each
    /// where the greatest share of its class's places is still free; single records then fill the parts in order.
    private func assign(order: [Int], classOfRecord: [Int], groupOfRecord: [Int]) -> [Int] {
        var free = places(classOfRecord)
        let total = free
        var partOfRecord = [Int](repeating: 0, count: order.count)
        var groups: [[Int]] = []
        if grouping != .none {
            var position = [Int](repeating: -1, count: (groupOfRecord.max() ?? 0) + 1)
            for index in order {
                let group = groupOfRecord[index]
                if position[group] < 0 {
                    position[group] = groups.count
                    groups.append([])
                }
                groups[position[group]].append(index)
            }
        }
        let repeats = groups.indices.filter { groups[$0].count > 1 }
            .sorted { (groups[$1].count, $0) < (groups[$0].count, $1) }
        var isPlaced = [Bool](repeating: false, count: order.count)
        for group in repeats {
            let classIndex = classOfRecord[groups[group][0]]
            let part = (0..<3).max { a, b in
                // free / total, compared without dividing; a part without places comes last.
                let left = total[classIndex][a] == 0 ? Int.min : free[classIndex][a] * max(total[classIndex][b], 1)
                let right = total[classIndex][b] == 0 ? Int.min : free[classIndex][b] * max(total[classIndex][a], 1)
                return left < right
            }
            for index in groups[group] {
                partOfRecord[index] = part ?? 0
                free[classOfRecord[index]][part ?? 0] -= 1
                isPlaced[index] = true
            }
        }
        for index in order where !isPlaced[index] {
            let classIndex = classOfRecord[index]
            let part = free[classIndex].firstIndex { $0 > 0 } ?? 0
            partOfRecord[index] = part
            free[classIndex][part] -= 1
        }
        return partOfRecord
    }

    /// How many records of every class go to each part. The parts' sizes are those of ``Fractions/sizes(of:)``; the
    /// records of a class lie evenly along 0...1, and the parts are cut out of the merged sequence.
    private func places(_ classOfRecord: [Int]) -> [[Int]] {
        let sizes = fractions.sizes(of: classOfRecord.count)
        guard isStratified else { return [sizes] }
        var counts = [Int](repeating: 0, count: (classOfRecord.max() ?? 0) + 1)
        for classIndex in classOfRecord { counts[classIndex] += 1 }
        var positions: [(position: Double, classIndex: Int)] = []
        positions.reserveCapacity(classOfRecord.count)
        for (classIndex, count) in counts.enumerated() {
            for index in 0..<count { positions.append(((Double(index) + 0.5) / Double(count), classIndex)) }
        }
        positions.sort { $0 < $1 }
        var result = [[Int]](repeating: [0, 0, 0], count: counts.count)
        for (index, entry) in positions.enumerated() {
            let part = index < sizes[0] ? 0 : (index < sizes[0] + sizes[1] ? 1 : 2)
            result[entry.classIndex][part] += 1
        }
        return result
    }
}

/// A text as groups of equal texts compare it: lower case, runs of white space as one space, none at the ends.
package func foldedText(_ utf8: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(utf8.count)
    var pendingSpace = false
    func append(_ bytes: some Sequence<UInt8>) {
        if pendingSpace, !result.isEmpty { result.append(0x20) }
        pendingSpace = false
        result.append(contentsOf: bytes)
    }
    if utf8.allSatisfy({ $0 < 0x80 }) {
        for byte in utf8 {
            switch byte {
            case 0x20, 0x09...0x0D: pendingSpace = true
            case 0x41...0x5A: append(CollectionOfOne(byte + 0x20))
            default: append(CollectionOfOne(byte))
            }
        }
        return result
    }
    for scalar in String(decoding: utf8, as: UTF8.self).unicodeScalars {
        if scalar.properties.isWhitespace {
            pendingSpace = true
        } else {
            append(scalar.properties.lowercaseMapping.utf8)
        }
    }
    return result
}
