// Labels, and probabilities that may dispute them.

import Evaluation
import FilterSupport
import Records

/// Records with labels, and probabilities of models that hadn't seen the record.
struct DisputedRecords {
    /// All labels.
    let names: [String]
    /// The label of every record.
    let labels: [Int]
    /// [records, labels]
    private(set) var probabilities: [Double]
    /// The line of every record in the input that it was read from first.
    let lines: [Int]

    init(names: [String], labels: [Int], probabilities: [Double], lines: [Int]) {
        (self.names, self.labels, self.probabilities, self.lines) = (names, labels, probabilities, lines)
    }

    /// Scored records: of each its `line`, or where it says none its own line.
    init(scores path: String, _ options: RecordOptions) throws {
        let source = try ByteSource(path: path)
        var reader = ScoredRecordReader(options.lines.reader(source), fields: options.fields)
        var scored = ScoredRecords()
        var lines: [Int] = []
        while let record = try reader.next() {
            guard record.probabilities != nil else {
                throw EvaluationError.badProbabilities(
                    "no \"probabilities\" in this record", source: source.name, line: record.line)
            }
            try scored.add(record, source: source.name)
            let line = reader.value(of: "line").flatMap { Int(String(decoding: $0, as: UTF8.self)) }
            lines.append(line ?? record.line)
        }
        guard scored.count > 0 else { throw EvaluationError.noRecords(source: source.name) }
        scored.finish()
        self.init(
            names: scored.labels, labels: scored.expected.map(Int.init), probabilities: scored.probabilities,
            lines: lines)
    }

    /// Takes the mean of log-probabilities, in which `other`'s count `share`. Records belong together by their line.
    ///
    /// - Parameter source: the name of `other`, for messages.
    /// - Throws: ``EvaluationError/otherRecords(_:source:line:remedy:)``.
    mutating func average(_ other: DisputedRecords, share: Double, source: String) throws {
        func mismatch(_ problem: String) -> EvaluationError {
            .otherRecords(problem, source: source, line: nil, remedy: "name scores of the same records")
        }
        guard let columns = other.names.places(ofLabels: names) else {
            func list(_ labels: [String]) -> String { labels.joined(separator: ", ") }
            throw mismatch("its labels are \(list(other.names)), and those of the texts \(list(names))")
        }
        var rows: [Int: Int] = [:]
        for (row, line) in other.lines.enumerated() {
            guard rows.updateValue(row, forKey: line) == nil else { throw mismatch("two records are of line \(line)") }
        }
        let K = names.count
        for (record, line) in lines.enumerated() {
            guard let row = rows[line] else { throw mismatch("no record is of line \(line)") }
            guard columns[labels[record]] == other.labels[row] else {
                throw mismatch("the record of line \(line) has another label than the text")
            }
            let own = Array(probabilities[record * K..<(record + 1) * K])
            let theirs = columns.map { other.probabilities[row * K + $0] }
            let mean = LogProbabilities.average(theirs, own, share: share)
            for k in 0..<K { probabilities[record * K + k] = mean[k] }
        }
    }
}
