// How good a classifier is: counts of expected against predicted labels, and what follows from them.

import Records

/// Counts of expected (rows) against predicted (columns) labels.
public struct ConfusionMatrix: Sendable, Equatable {
    /// Sorted by their UTF-8 bytes.
    public private(set) var labels: [String] = []
    private var counts: [[UInt8]: [[UInt8]: Int]] = [:]

    public init() {}

    /// Counts one record; labels as UTF-8, compared as bytes.
    public mutating func add(expected: [UInt8], predicted: [UInt8]) {
        func isFirst(_ count: inout Int) -> Bool {
            count += 1
            return count == 1
        }
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
    public var total: Int { counts.values.reduce(0) { $0 + $1.values.reduce(0, +) } }
    /// How many records got the label that they have.
    public var correct: Int { labels.indices.reduce(0) { $0 + self[$1, $1] } }
    /// How many records have this label.
    public func support(_ label: Int) -> Int { labels.indices.reduce(0) { $0 + self[label, $1] } }
    /// How many records got this label.
    public func predictions(_ label: Int) -> Int { labels.indices.reduce(0) { $0 + self[$1, label] } }

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

    /// Where the accuracy on other texts of the same kind may be expected, with 95 % confidence: the score interval
    /// (Wilson 1927, *J. Am. Stat. Assoc.* 22, 209).
    public var accuracyInterval: ClosedRange<Double>? {
        guard let p = accuracy else { return nil }
        let (n, z) = (Double(total), 1.959964)
        let centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        return max(0, centre - half)...min(1, centre + half)
    }

    private func ratio(_ part: Int, _ whole: Int) -> Double? { whole == 0 ? nil : Double(part) / Double(whole) }
}

/// Why a scored record can't be counted.
public enum EvaluationError: DiagnosableError, Equatable {
    /// A record lacks a label, or `score` could not read its line.
    case missingLabel(field: String, source: String, line: Int, choice: Diagnosis.Choice)
    /// The input has ended without a single record.
    case noRecords(source: String)

    public var diagnosis: Diagnosis {
        switch self {
        case .missingLabel(let field, let source, let line, let choice):
            Diagnosis(
                source: source, position: .line(line), problem: "no \"\(field)\" in this record",
                remedy: "score records that have a label", status: .badData, choice: choice)
        case .noRecords(let source):
            Diagnosis(
                source: source, problem: "no records", remedy: "check what writes the input", status: .badData)
        }
    }
}

/// Reads scored records and counts.
public struct Evaluator {
    /// Key of the label that the record ought to have.
    public let expectedField: String
    /// Key of the label that it got.
    public let predictedField: String

    /// Reads the two labels from the keys that `score --input ndjson` writes, unless others are named.
    public init(expectedField: String = "expected", predictedField: String = "label") {
        self.expectedField = expectedField
        self.predictedField = predictedField
    }

    /// Counts every record to the end; constant memory.
    ///
    /// - Throws: `RecordError` for a line that is no record, ``EvaluationError``.
    public func evaluate(_ lines: LineReader) throws -> ConfusionMatrix {
        var matrix = ConfusionMatrix()
        var records = RecordReader(lines)
        let (expectedKey, predictedKey) = (Array(expectedField.utf8), Array(predictedField.utf8))
        while let record = try records.next() {
            let line = record.line.number
            guard let truth = try records.label(expectedKey, of: record, choice: .expectedField) else {
                throw EvaluationError.missingLabel(
                    field: expectedField, source: lines.source.name, line: line, choice: .expectedField)
            }
            guard let guess = try records.label(predictedKey, of: record, choice: .predictedField) else {
                throw EvaluationError.missingLabel(
                    field: predictedField, source: lines.source.name, line: line, choice: .predictedField)
            }
            matrix.add(expected: truth, predicted: guess)
        }
        guard matrix.total > 0 else { throw EvaluationError.noRecords(source: lines.source.name) }
        return matrix
    }
}

extension ConfusionMatrix {
    /// A table for people.
    ///
    /// - Parameter width: columns of whatever shows it. A confusion matrix that is wider is left out, for a list of the
    ///   most frequent confusions.
    public func text(width: Int = 80) -> String {
        let percent = Self.percent
        let names = labels.map(\.printable)
        let interval = accuracyInterval.map {
            ", 95 % interval \(percent($0.lowerBound))–\(percent($0.upperBound)) %"
        }
        var text = "accuracy \(percent(accuracy)) % (\(correct) of \(total)\(interval ?? ""))\n"
        text += "balanced accuracy \(percent(balancedAccuracy)) %, macro F1 \(percent(macroF1)) %\n\n"
        text += table(
            [["", "precision", "recall", "F1", "records"]]
                + labels.indices.map {
                    [names[$0], percent(precision($0)), percent(recall($0)), percent(f1($0)), "\(support($0))"]
                })
        let matrix = table(
            [[""] + names] + labels.indices.map { row in [names[row]] + labels.indices.map { "\(self[row, $0])" } })
        let isNarrow = matrix.split(separator: "\n").allSatisfy { $0.count <= width }
        text += isNarrow ? "\nexpected ↓ predicted →\n\(matrix)" : "\n\(confusionList(names, maximum: 20))"
        return text
    }

    /// Pairs of labels that were taken for each other, the most frequent first.
    private func confusionList(_ names: [String], maximum: Int) -> String {
        let wrong = labels.indices.flatMap { row in
            labels.indices.filter { $0 != row && self[row, $0] > 0 }.map { (row, $0, count: self[row, $0]) }
        }.sorted { ($1.count, $0.0, $0.1) < ($0.count, $1.0, $1.1) }
        if wrong.isEmpty { return "no confusions\n" }
        let shown = wrong.prefix(maximum)
        let title = shown.count < wrong.count ? "\(shown.count) of \(wrong.count) confusions, the" : "confusions,"
        return "\(title) most frequent first\n"
            + table(
                [["expected", "predicted", "records", "of the expected"]]
                    + shown.map { row, column, count in
                        [
                            names[row], names[column], "\(count)",
                            "\(Self.percent(Double(count) / Double(support(row)))) %",
                        ]
                    }, leading: 2)
    }

    /// Two digits after the point; a dash where there is nothing to divide by.
    private static func percent(_ share: Double?) -> String {
        guard let share else { return "–" }
        let hundredths = Int((share * 10_000).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }

    /// Columns of equal width, the first `leading` to the left, the others to the right.
    private func table(_ rows: [[String]], leading: Int = 1) -> String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).enumerated().map { column, cell in
                let space = String(repeating: " ", count: cell.1 - cell.0.count)
                return column < leading ? cell.0 + space : space + cell.0
            }.joined(separator: "  ") + "\n"
        }.joined()
    }

    /// The same as one JSON object.
    public var json: [UInt8] {
        func number(_ value: Double?) -> JSONValue { value.map { .number("\($0)") } ?? .null }
        let classes = labels.indices.map { label in
            JSONValue.object([
                .init(key: "label", value: .string(labels[label])),
                .init(key: "records", value: .number("\(support(label))")),
                .init(key: "precision", value: number(precision(label))),
                .init(key: "recall", value: number(recall(label))), .init(key: "f1", value: number(f1(label))),
            ])
        }
        let rows = labels.indices.map { row in
            JSONValue.array(labels.indices.map { .number("\(self[row, $0])") })
        }
        var writer = JSONWriter()
        writer.value(
            .object([
                .init(key: "records", value: .number("\(total)")), .init(key: "correct", value: .number("\(correct)")),
                .init(key: "accuracy", value: number(accuracy)),
                .init(
                    key: "accuracy_interval",
                    value: accuracyInterval.map { .array([number($0.lowerBound), number($0.upperBound)]) } ?? .null),
                .init(key: "balanced_accuracy", value: number(balancedAccuracy)),
                .init(key: "macro_f1", value: number(macroF1)), .init(key: "classes", value: .array(classes)),
                .init(key: "labels", value: .array(labels.map { .string($0) })),
                .init(key: "confusion", value: .array(rows)),
            ]))
        writer.newline()
        return writer.bytes
    }
}
