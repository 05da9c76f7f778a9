// One scored record, and a reader of them.

import Records

/// What an evaluation needs of a record.
public struct ScoredRecord: Sendable {
    /// Its line, from 1.
    public let line: Int
    /// Its label, UTF-8.
    public let expected: [UInt8]
    /// The label that it got, UTF-8.
    public let predicted: [UInt8]
    /// Labels with their probabilities, in the order of the line; nil where the record has none.
    public let probabilities: [(label: [UInt8], probability: Double)]?

    /// A record of line `line`. Labels are UTF-8.
    public init(
        line: Int, expected: [UInt8], predicted: [UInt8], probabilities: [(label: [UInt8], probability: Double)]?
    ) {
        self.line = line
        self.expected = expected
        self.predicted = predicted
        self.probabilities = probabilities
    }
}

/// Reads scored records one after another.
public struct ScoredRecordReader {
    private var records: RecordReader
    private let expectedKey: [UInt8]
    private let predictedKey: [UInt8]
    private static let probabilitiesKey = Array("probabilities".utf8)

    /// - Parameters:
    ///   - expectedField: the key of the label that a record ought to have.
    ///   - predictedField: the key of the label that it got.
    public init(
        _ lines: LineReader, fields: RecordFields = RecordFields(), expectedField: String = "expected",
        predictedField: String = "label"
    ) {
        records = RecordReader(lines, fields: fields)
        expectedKey = Array(expectedField.utf8)
        predictedKey = Array(predictedField.utf8)
    }

    /// The input's name.
    public var source: String { records.lines.source.name }
    /// The record that was read last; nil before the first one.
    public private(set) var record: Record?

    /// The next record; nil at the end.
    ///
    /// - Throws: `RecordError` for a line that is no record, ``EvaluationError``.
    public mutating func next() throws -> ScoredRecord? {
        guard let record = try records.next() else { return nil }
        self.record = record
        let line = record.line.number
        func label(_ key: [UInt8], _ choice: Diagnosis.Choice) throws -> [UInt8] {
            guard let label = try records.label(key, of: record, choice: choice) else {
                throw EvaluationError.missingLabel(
                    field: String(decoding: key, as: UTF8.self), source: source, line: line, choice: choice)
            }
            return label
        }
        return ScoredRecord(
            line: line, expected: try label(expectedKey, .expectedField),
            predicted: try label(predictedKey, .predictedField), probabilities: try probabilities(record))
    }

    /// The bytes of a member's value in the record that was read last, as they are written; nil where it has none.
    public func value(of key: String) -> ArraySlice<UInt8>? {
        guard let record else { return nil }
        let key = Array(key.utf8)
        return records.members.first { record.isNamed($0, key) }.map { record.line.bytes[$0.value] }
    }

    /// The beginning of the record that was read last, as an object without one of its members, with a comma behind every other.
    public func members(without key: String) -> [UInt8] {
        guard let record else { return [] }
        let key = Array(key.utf8)
        return record.beginningOfObject(records.members.filter { !record.isNamed($0, key) })
    }

    /// Reads the same record from another reader.
    ///
    /// - Parameters:
    ///   - scored: the record that was read last here.
    ///   - other: the other reader, whose records come in the same order.
    ///   - textKey: the key of a record's text.
    /// - Throws: what ``next()`` throws; ``EvaluationError/otherRecords(_:source:line:)`` where there is none, or one with another
    ///   expected label, id or text.
    public func partner(
        of scored: ScoredRecord, in other: inout ScoredRecordReader, textKey: String = "text"
    ) throws -> ScoredRecord {
        guard let theirs = try other.next() else {
            let last = other.record?.line.number ?? 0
            throw EvaluationError.otherRecords(
                "there are fewer records than in \(source)", source: other.source, line: last + 1)
        }
        if let difference = try difference(scored, theirs, other, textKey) {
            throw EvaluationError.otherRecords(
                "another \(difference) than in line \(scored.line) of \(source)", source: other.source,
                line: theirs.line)
        }
        return theirs
    }

    /// Fails where another reader has more than the `count` records that were read here.
    ///
    /// - Throws: what ``next()`` throws; ``EvaluationError/otherRecords(_:source:line:)``.
    public func requireEnd(of other: inout ScoredRecordReader, after count: Int) throws {
        guard let extra = try other.next() else { return }
        throw EvaluationError.otherRecords(
            "there are more records than the \(count) of \(source)", source: other.source, line: extra.line)
    }

    /// In what the records that were read last differ; nil where nothing tells that they aren't the same.
    private func difference(
        _ scored: ScoredRecord, _ theirs: ScoredRecord, _ other: ScoredRecordReader, _ textKey: String
    ) throws -> String? {
        if theirs.expected != scored.expected { return "expected label" }
        return try ["id", textKey].first { key in
            guard let value = value(of: key), let theirValue = other.value(of: key), value != theirValue else {
                return false
            }
            return try JSONValue(parsing: Array(value)) != JSONValue(parsing: Array(theirValue))
        }
    }

    /// All records that are left, and the same records of another reader.
    ///
    /// - Throws: what ``next()`` throws; ``EvaluationError/otherRecords(_:source:line:)`` where they aren't the same records;
    ///   ``EvaluationError/noRecords(source:)``.
    public mutating func readAll(
        with other: inout ScoredRecordReader
    ) throws -> (records: ScoredRecords, others: ScoredRecords) {
        var (records, others) = (ScoredRecords(), ScoredRecords())
        while let scored = try next() {
            try records.add(scored, source: source)
            try others.add(partner(of: scored, in: &other), source: other.source)
        }
        guard records.count > 0 else { throw EvaluationError.noRecords(source: source) }
        try requireEnd(of: &other, after: records.count)
        records.finish()
        others.finish()
        return (records, others)
    }

    /// All records that are left.
    ///
    /// - Throws: what ``next()`` throws; ``EvaluationError/noRecords(source:)``.
    public mutating func readAll() throws -> ScoredRecords {
        var records = ScoredRecords()
        while let record = try next() { try records.add(record, source: source) }
        guard records.count > 0 else { throw EvaluationError.noRecords(source: source) }
        records.finish()
        return records
    }

    private func probabilities(_ record: Record) throws -> [(label: [UInt8], probability: Double)]? {
        guard let member = records.members.first(where: { record.isNamed($0, Self.probabilitiesKey) }) else {
            return nil
        }
        func bad(_ problem: String) -> EvaluationError {
            .badProbabilities(problem, source: source, line: record.line.number)
        }
        let value: JSONValue
        do {
            value = try JSONValue(parsing: Array(record.line.bytes[member.value]))
        } catch {
            throw bad("\"probabilities\": \(error.reason)")
        }
        guard let members = value.object else { throw bad("\"probabilities\" isn't an object of numbers") }
        var total = 0.0
        let result = try members.map { member in
            guard case .number(let text) = member.value, let p = Double(text), p.isFinite, p >= 0 else {
                throw bad("the probability of '\(member.key)' isn't a number from 0 to 1")
            }
            total += p
            return (label: Array(member.key.utf8), probability: p)
        }
        guard abs(total - 1) <= 1e-3 else { throw bad("the probabilities add up to \(Float(total)), not to 1") }
        return result
    }
}
