// What suspects writes.

import Evaluation
import Records

/// Lines of NDJSON.
struct SuspectOutput {
    /// Keys of the results, which a record's own members can't have.
    private static let ownKeys: Set = ["rank", "line", "expected", "label", "probability", "probabilities"]
    private static let remedy = "name the records that the shards were made of"
    private let disputed: DisputedRecords
    private let learning: ConfidentLearning
    private let results: ScoreMembers
    /// Members of the records with these lines: id and text as they are written.
    private var members: [Int: [(key: String, value: [UInt8])]] = [:]

    init(_ disputed: DisputedRecords, _ learning: ConfidentLearning) {
        (self.disputed, self.learning) = (disputed, learning)
        results = ScoreMembers(disputed.names)
    }

    /// Takes over ids and texts.
    mutating func join(_ reader: RecordReader) throws {
        var reader = reader
        let text = reader.fields.text
        let keys = (text == "id" ? ["id"] : ["id", text]).filter { !Self.ownKeys.contains($0) }
        let rows = Dictionary(zip(disputed.lines, disputed.labels.indices)) { first, _ in first }
        while let record = try reader.next() {
            guard let row = rows[record.line.number] else { continue }
            if let label = try record.labelIfPresent(), !label.elementsEqual(disputed.names[disputed.labels[row]].utf8)
            {
                throw EvaluationError.otherRecords(
                    "this record has another label than the text of this line", source: reader.lines.source.name,
                    line: record.line.number, remedy: Self.remedy)
            }
            var found: [(key: String, value: [UInt8])] = []
            for key in keys {
                let name = Array(key.utf8)
                if let member = reader.members.first(where: { record.isNamed($0, name) }) {
                    found.append((key, Array(record.line.bytes[member.value])))
                }
            }
            members[record.line.number] = found
        }
        if let missing = disputed.lines.first(where: { members[$0] == nil }) {
            throw EvaluationError.otherRecords(
                "there is no record in this line", source: reader.lines.source.name, line: missing, remedy: Self.remedy)
        }
    }

    func write(all: Bool, to sink: ByteSink) throws {
        var ranks: [Int: Int] = [:]
        for (place, record) in learning.suspects.enumerated() { ranks[record] = place + 1 }
        for record in all ? Array(disputed.labels.indices) : learning.suspects {
            try sink.write(line(record, rank: ranks[record]))
        }
    }

    private func line(_ record: Int, rank: Int?) -> [UInt8] {
        let K = disputed.names.count
        let p = Array(disputed.probabilities[record * K..<(record + 1) * K])
        var output: [UInt8] = [UInt8(ascii: "{")]
        for (key, value) in members[disputed.lines[record]] ?? [] {
            var json = JSONWriter()
            json.string(key)
            output += json.bytes + [UInt8(ascii: ":")] + value + [UInt8(ascii: ",")]
        }
        if let rank { output += "\"rank\":\(rank),".utf8 }
        results.append(
            line: disputed.lines[record], expected: disputed.labels[record], label: LogProbabilities.likeliest(p), p,
            to: &output)
        return output + Array("}\n".utf8)
    }
}
