// What evaluate reads: scored records, perhaps beside those of another model, perhaps in groups.

import Evaluation
import Records

/// Scored records, and what they are compared with.
struct Inputs {
    /// What records are grouped by.
    enum Grouping {
        case none
        case field(String)
        case seen(NearCopies)
    }

    private var reader: ScoredRecordReader
    private var other: ScoredRecordReader?
    /// The key of a record's text.
    private let textKey: String
    /// The key whose values group the records.
    private let field: String?
    /// The texts of the training part, whose near copies are a group.
    private var trainingTexts: NearCopies?

    private(set) var records = ScoredRecords()
    private(set) var others: ScoredRecords?
    /// The group of every record, where there are groups.
    private(set) var groups: [Int] = []
    private(set) var groupNames: [String] = []
    private var groupIndices: [Label: Int] = [:]

    init(_ reader: ScoredRecordReader, other: ScoredRecordReader?, textKey: String, grouping: Grouping) {
        self.reader = reader
        self.other = other
        self.textKey = textKey
        switch grouping {
        case .none: field = nil
        case .field(let key): field = key
        case .seen(let texts):
            field = nil
            trainingTexts = texts
            groupNames = ["near duplicate in training", "none"]
        }
        others = other.map { _ in ScoredRecords() }
    }

    /// Reads everything.
    ///
    /// - Parameter changed: gets every record that has another label there, with that label as "other".
    mutating func read(changed: (_ line: [UInt8]) throws -> Void) throws {
        while let scored = try reader.next() {
            try records.add(scored, source: reader.source)
            try addGroup()
            if other != nil { try readOther(scored, changed) }
        }
        guard records.count > 0 else { throw EvaluationError.noRecords(source: reader.source) }
        if var other { try reader.requireEnd(of: &other, after: records.count) }
        records.finish()
        others?.finish()
    }

    /// The name of the input.
    var source: String { reader.source }

    /// Brings the probabilities to the temperature that fits those of `validation` best.
    mutating func calibrate(on validation: ScoredRecordReader) throws {
        var reader = validation
        guard let calibrated = records.calibrated(on: try reader.readAll()) else {
            throw EvaluationError.badProbabilities(
                "no probabilities of the same labels as in \(self.reader.source)", source: reader.source, line: 1)
        }
        records = calibrated
    }

    private mutating func readOther(_ scored: ScoredRecord, _ changed: (_ line: [UInt8]) throws -> Void) throws {
        guard var other else { return }
        defer { self.other = other }
        let theirs = try reader.partner(of: scored, in: &other, textKey: textKey)
        try others?.add(theirs, source: other.source)
        if theirs.predicted != scored.predicted {
            var json = JSONWriter()
            json.string(utf8: theirs.predicted[...])
            try changed(reader.members(without: "other") + Array("\"other\":".utf8) + json.bytes + [UInt8(ascii: "}")])
        }
    }

    private mutating func addGroup() throws {
        if let field {
            let value = reader.value(of: field)
            let name = try value.map { try JSONValue(parsing: Array($0)).string ?? String(decoding: $0, as: UTF8.self) }
            let group = Label(name ?? "none")
            if groupIndices[group] == nil {
                groupIndices[group] = groupNames.count
                groupNames.append(group.name)
            }
            groups.append(groupIndices[group] ?? 0)
        } else if trainingTexts != nil, let text = try reader.record?.textBytes() {
            groups.append(trainingTexts?.copies(of: foldedText(text)).isEmpty ?? true ? 1 : 0)
        }
    }

    /// The records of every group that has some, those with most first.
    var parts: [(name: String, records: ScoredRecords)] {
        guard !groups.isEmpty else { return [] }
        var members = [[Int]](repeating: [], count: groupNames.count)
        for (record, group) in groups.enumerated() { members[group].append(record) }
        return members.indices.filter { !members[$0].isEmpty }
            .sorted { (members[$1].count, $0) < (members[$0].count, $1) }
            .map { (groupNames[$0], records.selecting(members[$0])) }
    }
}
