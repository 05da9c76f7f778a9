// Counts of expected against predicted labels, and what follows from them.

import Records

/// Counts of expected (rows) against predicted (columns) labels.
public struct ConfusionMatrix: Sendable, Equatable {
    /// Sorted by their UTF-8 bytes.
    public private(set) var labels: [String] = []
    private var counts: [[UInt8]: [[UInt8]: Int]] = [:]
    private var supports: [[UInt8]: Int] = [:]
    private var named: [[UInt8]: Int] = [:]

    public init() {}

    /// Counts one record; labels as UTF-8, compared as bytes.
    public mutating func add(expected: [UInt8], predicted: [UInt8]) {
        func isFirst(_ count: inout Int) -> Bool {
            count += 1
            return count == 1
        }
        supports[expected, default: 0] += 1
        named[predicted, default: 0] += 1
        guard isFirst(&counts[expected, default: [:]][predicted, default: 0]) else { return }
        for label in [expected, predicted] where !labels.contains(where: { $0.utf8.elementsEqual(label) }) {
            let index = labels.firstIndex { label.lexicographicallyPrecedes(Array($0.utf8)) } ?? labels.count
            labels.insert(String(decoding: label, as: UTF8.self), at: index)
        }
    }

    /// How many records of the label `expected` got the label `predicted`: indices into ``labels``.
    public subscript(expected: Int, predicted: Int) -> Int {
        counts[Array(labels[expected].utf8)]?[Array(labels[predicted].utf8)] ?? 0
    }

    /// How many records were counted.
    public var total: Int { supports.values.reduce(0, +) }
    /// How many records got the label that they have.
    public var correct: Int { labels.indices.reduce(0) { $0 + self[$1, $1] } }
    /// How many records have this label.
    public func support(_ label: Int) -> Int { supports[Array(labels[label].utf8)] ?? 0 }
    /// How many records got this label.
    public func predictions(_ label: Int) -> Int { named[Array(labels[label].utf8)] ?? 0 }

    /// Correct of all, nil where there are none.
    public var accuracy: Double? { ratio(correct, total) }
    /// Of those that got the label, how many have it; nil where none got it.
    public func precision(_ label: Int) -> Double? { ratio(self[label, label], predictions(label)) }
    /// Of those that have the label, how many got it; nil where none has it.
    public func recall(_ label: Int) -> Double? { ratio(self[label, label], support(label)) }
    /// 2·hits / (support + predictions): the harmonic mean of precision and recall; nil where the label never occurs.
    public func f1(_ label: Int) -> Double? { ratio(2 * self[label, label], support(label) + predictions(label)) }
    /// The mean of all labels' F1.
    public var macroF1: Double? {
        labels.isEmpty ? nil : labels.indices.reduce(0) { $0 + (f1($1) ?? 0) } / Double(labels.count)
    }

    /// The mean recall of the labels that occur: what accuracy would be if every label were as frequent as the others.
    /// Always naming the most frequent one gives 1 / labels, however frequent that is.
    public var balancedAccuracy: Double? {
        let recalls = labels.indices.compactMap(recall)
        return recalls.isEmpty ? nil : recalls.reduce(0, +) / Double(recalls.count)
    }

    /// Where the accuracy on other texts of the same kind may be expected; nil where there are no records.
    public var accuracyInterval: ClosedRange<Double>? { Interval.wilson(correct, of: total) }

    /// That of ``precision(_:)``.
    public func precisionInterval(_ label: Int) -> ClosedRange<Double>? {
        Interval.wilson(self[label, label], of: predictions(label))
    }

    /// That of ``recall(_:)``.
    public func recallInterval(_ label: Int) -> ClosedRange<Double>? {
        Interval.wilson(self[label, label], of: support(label))
    }

    private func ratio(_ part: Int, _ whole: Int) -> Double? { whole == 0 ? nil : Double(part) / Double(whole) }
}
