// What suspects writes.

import Evaluation
import Records

/// Lines of NDJSON.
struct SuspectOutput {
    private let disputed: DisputedLabels
    private let probabilities: [Double]
    private let suspects: [Int]
    private let members: RecordMembers?
    private let results: ScoreMembers

    /// - Parameters:
    ///   - disputed: the labels.
    ///   - probabilities: [records, labels]
    ///   - suspects: the records whose label is suspected, the most suspicious first.
    ///   - members: ids and texts; nil for none.
    init(_ disputed: DisputedLabels, _ probabilities: [Double], suspects: [Int], members: RecordMembers?) {
        (self.disputed, self.probabilities) = (disputed, probabilities)
        (self.suspects, self.members) = (suspects, members)
        results = ScoreMembers(disputed.names)
    }

    func write(all: Bool, to sink: ByteSink) throws {
        var ranks: [Int: Int] = [:]
        for (place, record) in suspects.enumerated() { ranks[record] = place + 1 }
        for record in all ? Array(disputed.labels.indices) : suspects {
            try sink.write(line(record, rank: ranks[record]))
        }
    }

    private func line(_ record: Int, rank: Int?) -> [UInt8] {
        let K = disputed.names.count
        let p = Array(probabilities[record * K..<(record + 1) * K])
        var output = members?.beginningOfObject(line: disputed.lines[record]) ?? [UInt8(ascii: "{")]
        if let rank { output += "\"rank\":\(rank),".utf8 }
        results.append(
            line: disputed.lines[record], expected: disputed.labels[record], label: LogProbabilities.likeliest(p), p,
            to: &output)
        return output + Array("}\n".utf8)
    }
}
