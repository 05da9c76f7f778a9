// Undersampling: as many records of every class, as the chapter does with its 747 ham and 747 spam messages.
// Which records survive is drawn; that they keep their bytes and their order is not.

/// Keeps equally many records of every class.
public struct Balancer: Sendable {
    /// What to keep of each class; nil: as many as the rarest class has.
    public var perClass: Int?
    /// Classes that have to be there. Empty: whatever classes come.
    public var expectedLabels: [String]
    /// Draws the records that stay: the same seed keeps the same ones.
    public var seed: UInt64
    /// The most memory to take, in bytes: for the lines, and for what is kept of each.
    public var maximumMemory: Int

    /// By default all classes are cut to the rarest.
    public init(
        perClass: Int? = nil, expectedLabels: [String] = [], seed: UInt64 = 123, maximumMemory: Int = .max
    ) {
        self.perClass = perClass
        self.expectedLabels = expectedLabels
        self.seed = seed
        self.maximumMemory = maximumMemory
    }

    /// How many records came and stayed.
    public struct Report: Sendable, Equatable {
        /// Every class and its records in the input, in the order of the labels' bytes.
        public var counts: [(label: String, count: Int)]
        /// Records kept of each class.
        public var perClass: Int

        public static func == (a: Report, b: Report) -> Bool {
            a.perClass == b.perClass && a.counts.elementsEqual(b.counts) { $0 == $1 }
        }
    }

    /// Reads all records, and writes those that stay in the order in which they came. The sink isn't closed.
    ///
    /// - Throws: ``RecordError``, ``BalancerError``, ``StreamError``.
    public func balance(_ reader: RecordReader, into sink: ByteSink) throws -> Report {
        var reader = reader
        let source = reader.lines.source.name
        // An index while its array is copied to grow, one to draw from, and a flag.
        var store = LineStore(source: source, maximum: maximumMemory, overhead: 40)
        var classes = LabelIndex()
        var indicesOfClass: [[Int]] = []
        while let record = try reader.next() {
            let index = classes.index(of: try record.label())
            if index == indicesOfClass.count { indicesOfClass.append([]) }
            indicesOfClass[index].append(store.count)
            try store.append(record.line, besides: classes.byteCount)
        }
        if store.count == 0 { throw RecordError.noRecords(source: source) }
        let order = classes.sorted
        let names = classes.labels.map { String(decoding: $0, as: UTF8.self) }
        for label in expectedLabels where !classes.labels.contains(Array(label.utf8)) {
            throw BalancerError.tooFew(source: source, label: label, count: 0, needed: perClass ?? 1)
        }
        let kept = perClass ?? indicesOfClass.map(\.count).min() ?? 0
        for index in order where indicesOfClass[index].count < kept {
            throw BalancerError.tooFew(
                source: source, label: names[index], count: indicesOfClass[index].count, needed: kept)
        }

        var generator = SeededGenerator(seed: seed)
        var stays = [Bool](repeating: false, count: store.count)
        for index in order {
            var candidates = indicesOfClass[index]
            // The first `kept` steps of a Fisher–Yates shuffle.
            for position in 0..<kept {
                candidates.swapAt(position, position + generator.nextInteger(below: candidates.count - position))
                stays[candidates[position]] = true
            }
        }
        for index in 0..<store.count where stays[index] { try sink.writeLine(store[index]) }
        return Report(counts: order.map { (names[$0], indicesOfClass[$0].count) }, perClass: kept)
    }
}

/// Why classes can't be balanced.
public enum BalancerError: DiagnosableError, Equatable {
    /// A class has fewer records than are to be kept of each.
    case tooFew(source: String, label: String, count: Int, needed: Int)

    public var diagnosis: Diagnosis {
        switch self {
        case .tooFew(let source, let label, let count, let needed):
            Diagnosis(
                source: source, problem: "class has \(count) records, fewer than \(needed): \"\(label)\"",
                remedy: count == 0 ? "check the labels" : "add records of that class", status: .badData,
                choice: count == 0 ? .labels : .perClass)
        }
    }
}
