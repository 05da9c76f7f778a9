// How much a record of each class counts in the loss: an alternative to dropping records of large classes.

import Records

/// Weights of the classes in the training loss.
public enum ClassWeights: Sendable, Equatable {
    /// All 1.
    case equal
    /// n / (K·n_c) for a class with n_c of the n training records: all classes count the same.
    case balanced
    /// As named; 1 for other classes.
    case named([(label: String, weight: Double)])

    /// The first label that is named a second time, if any.
    public var repeatedLabel: String? {
        guard case .named(let pairs) = self else { return nil }
        return pairs.map(\.label).firstRepeated
    }

    /// One weight for each of `labels`; nil where all are 1.
    ///
    /// - Parameter rows: the class of every training record.
    /// - Throws: ``TrainingError`` for a name that is no label or occurs twice, and for a class without records that is to
    ///   be balanced.
    package func resolved(labels: [String], rows: [Int], source: String) throws(TrainingError) -> [Double]? {
        switch self {
        case .equal: return nil
        case .balanced:
            var counts = [Int](repeating: 0, count: labels.count)
            for row in rows { counts[row] += 1 }
            if let empty = counts.firstIndex(of: 0) {
                throw .unusableData(
                    "class \(labels[empty]) has no records that could be given a balanced weight",
                    remedy: "leave it out, or name the weights", file: source)
            }
            return counts.map { Double(rows.count) / (Double(labels.count) * Double($0)) }
        case .named(let pairs):
            var weights = [Double](repeating: 1, count: labels.count)
            for (label, weight) in pairs {
                guard let index = labels.index(ofLabel: label) else {
                    throw .impossibleSetting(
                        "the class weights name a label that the data don't have: '\(label)'",
                        remedy: "use \(labels.map { "'\($0)'" }.joined(separator: ", "))")
                }
                weights[index] = weight
            }
            if let label = repeatedLabel {
                throw .impossibleSetting(
                    "the class '\(label)' has two weights", remedy: "name every label once")
            }
            return weights
        }
    }

    public static func == (a: ClassWeights, b: ClassWeights) -> Bool {
        switch (a, b) {
        case (.equal, .equal), (.balanced, .balanced): true
        case (.named(let a), .named(let b)):
            a.elementsEqual(b) { Label($0.label) == Label($1.label) && $0.weight == $1.weight }
        default: false
        }
    }
}
