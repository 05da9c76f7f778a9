// Scores of records whose labels may be wrong.

import Evaluation
import FilterSupport
import Records

/// Scored records: their labels, and probabilities of models that hadn't seen the record.
struct ScoredDisputes {
    let disputed: DisputedLabels
    /// [records, labels]
    let probabilities: [Double]
    private let source: String
    /// Of each record, the line of the file in which it stands.
    private let places: [Int]

    /// All records of a file: of each its `line`, or where none of them has one its own line.
    init(_ path: String, _ options: RecordOptions) throws {
        let input = try ByteSource(path: path)
        let source = input.name
        var reader = ScoredRecordReader(options.lines.reader(input), fields: options.fields)
        var scored = ScoredRecords()
        var lines: [Int] = []
        var places: [Int] = []
        var seen: Set<Int> = []
        var haveLines: Bool?
        while let record = try reader.next() {
            func bad(_ problem: String) -> EvaluationError {
                .badProbabilities(problem, source: source, line: record.line)
            }
            guard record.probabilities != nil else { throw bad("no \"probabilities\" in this record") }
            try scored.add(record, source: source)
            let value = reader.value(of: "line")
            guard haveLines == nil || haveLines == (value != nil) else {
                throw bad(
                    value == nil
                        ? "no \"line\" in this record, and those before have one"
                        : "this record has a \"line\", and those before have none")
            }
            haveLines = value != nil
            let line = value.map { Int(String(decoding: $0, as: UTF8.self)) } ?? record.line
            guard let line, line > 0 else { throw bad("\"line\" isn't a whole number from 1 on") }
            guard seen.insert(line).inserted else { throw bad("an earlier record is of line \(line) too") }
            lines.append(line)
            places.append(record.line)
        }
        guard scored.count > 0 else { throw EvaluationError.noRecords(source: source) }
        scored.finish()
        self.source = source
        self.places = places
        disputed = DisputedLabels(names: scored.labels, labels: scored.expected.map(Int.init), lines: lines)
        probabilities = scored.probabilities
    }

    /// The probabilities in the order of other records and of their labels, [records, labels]. Records belong together by their
    /// line.
    ///
    /// - Throws: ``EvaluationError/otherRecords(_:source:line:remedy:)``.
    func probabilities(of others: DisputedLabels) throws -> [Double] {
        func mismatch(_ problem: String, line: Int? = nil) -> EvaluationError {
            .otherRecords(problem, source: source, line: line, remedy: "name scores of the same records")
        }
        guard let columns = disputed.names.places(ofLabels: others.names) else {
            func list(_ labels: [String]) -> String { labels.joined(separator: ", ") }
            throw mismatch("its labels are \(list(disputed.names)), and those of the texts \(list(others.names))")
        }
        let rows = disputed.recordOfLine
        var result: [Double] = []
        for (label, line) in zip(others.labels, others.lines) {
            guard let row = rows[line] else { throw mismatch("no record is of line \(line)") }
            guard columns[label] == disputed.labels[row] else {
                throw mismatch("the text of line \(line) has another label", line: places[row])
            }
            result += columns.map { probabilities[row * columns.count + $0] }
        }
        return result
    }
}
