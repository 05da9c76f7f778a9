// What suspects takes over from records.

import Evaluation
import Records

/// Ids and texts of records.
struct RecordMembers {
    /// Keys of the results, which a record's own members can't have.
    private static let ownKeys: Set = ["rank", "line", "expected", "label", "probability", "probabilities"]
    private static let remedy = "name the records that were scored, or that the shards were made of"
    /// Those of the records with these lines, as they are written.
    private var members: [Int: [(key: String, value: [UInt8])]] = [:]

    /// The members of the records that `disputed` are of.
    init(_ reader: RecordReader, of disputed: DisputedLabels) throws {
        var reader = reader
        let text = reader.fields.text
        let keys = (text == "id" ? ["id"] : ["id", text]).filter { !Self.ownKeys.contains($0) }
        let rows = disputed.recordOfLine
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

    /// The beginning of an object with those of a line: a brace, and every member with a comma behind.
    func beginningOfObject(line: Int) -> [UInt8] {
        (members[line] ?? []).reduce(into: [UInt8(ascii: "{")]) { output, member in
            var json = JSONWriter()
            json.string(member.key)
            output += json.bytes + [UInt8(ascii: ":")] + member.value + [UInt8(ascii: ",")]
        }
    }
}
