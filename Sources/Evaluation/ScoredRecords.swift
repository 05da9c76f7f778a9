// All scored records of an input, in columns.

import Records

/// Expected and predicted labels of records, and the probabilities of all labels.
///
/// Memory: 8 bytes for each record, and 8 for each of its probabilities.
public struct ScoredRecords: Sendable {
    /// All labels that occur, sorted by their UTF-8 bytes.
    public private(set) var labels: [String] = []
    /// Indices into ``labels`` of the labels that records have.
    public private(set) var expected: [Int32] = []
    /// Indices into ``labels`` of the labels that they got.
    public private(set) var predicted: [Int32] = []
    /// [records, labels]; empty where records have no probabilities.
    public private(set) var probabilities: [Double] = []

    // While records are added: labels in the order in which they come, and those of the probabilities.
    private var indices: [[UInt8]: Int32] = [:]
    private var keys: [[UInt8]]?
    private var places: [Int] = []

    /// None yet.
    public init() {}

    /// How many there are.
    public var count: Int { expected.count }
    /// Whether they have probabilities.
    public var hasProbabilities: Bool { !probabilities.isEmpty }

    /// Adds a record. All of them have probabilities of the same labels, or none has.
    ///
    /// - Throws: ``EvaluationError``.
    public mutating func add(_ record: ScoredRecord, source: String) throws(EvaluationError) {
        func bad(_ problem: String) -> EvaluationError {
            .badProbabilities(problem, source: source, line: record.line)
        }
        let given = record.probabilities.map { $0.map(\.label) }
        if count == 0 {
            keys = given
            for key in given ?? [] { _ = index(of: key) }
        }
        if keys != given {
            guard let keys else { throw bad("this record has probabilities, and those before have none") }
            guard let given else { throw bad("no probabilities in this record, and those before have some") }
            guard given.count == keys.count, Set(given) == Set(keys) else {
                throw bad("the probabilities are of other labels than those before")
            }
        }
        expected.append(index(of: record.expected))
        predicted.append(index(of: record.predicted))
        guard let given = record.probabilities, let keys else { return }
        if given.map(\.label) == keys {
            probabilities += given.lazy.map(\.probability)
        } else {
            for key in keys { probabilities.append(given.first { $0.label == key }?.probability ?? 0) }
        }
    }

    private mutating func index(of label: [UInt8]) -> Int32 {
        if let index = indices[label] { return index }
        let index = Int32(indices.count)
        indices[label] = index
        return index
    }

    /// Sorts the labels. To be called once, after the last record.
    public mutating func finish() {
        let sorted = indices.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        labels = sorted.map { String(decoding: $0.key, as: UTF8.self) }
        var rank = [Int32](repeating: 0, count: sorted.count)
        for (place, entry) in sorted.enumerated() { rank[Int(entry.value)] = Int32(place) }
        for i in expected.indices {
            expected[i] = rank[Int(expected[i])]
            predicted[i] = rank[Int(predicted[i])]
        }
        guard let keys, !probabilities.isEmpty else { return }
        // A label that the model doesn't know has probability 0.
        let (K, L) = (keys.count, labels.count)
        let columns = keys.map { Int(rank[Int(indices[$0] ?? 0)]) }
        var all = [Double](repeating: 0, count: count * L)
        for i in 0..<count {
            for (place, column) in columns.enumerated() { all[i * L + column] = probabilities[i * K + place] }
        }
        probabilities = all
    }

    /// The records with these indices, with all labels.
    public func selecting(_ indices: [Int]) -> ScoredRecords {
        var result = ScoredRecords()
        result.labels = labels
        result.expected = indices.map { expected[$0] }
        result.predicted = indices.map { predicted[$0] }
        if hasProbabilities {
            let L = labels.count
            for i in indices { result.probabilities += probabilities[i * L..<(i + 1) * L] }
        }
        return result
    }

    /// The same records with other probabilities, a row for each.
    func replacing(_ rows: [[Double]]) -> ScoredRecords {
        var result = self
        result.probabilities = rows.flatMap { $0 }
        return result
    }

    /// Counts of expected against predicted labels.
    public var matrix: ConfusionMatrix {
        var matrix = ConfusionMatrix()
        let bytes = labels.map { Array($0.utf8) }
        for (a, b) in zip(expected, predicted) { matrix.add(expected: bytes[Int(a)], predicted: bytes[Int(b)]) }
        return matrix
    }
}
