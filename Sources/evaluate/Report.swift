// What evaluate writes.

import Evaluation
import Records

/// The evaluation of an input, in every form.
struct Report {
    private let whole: EvaluationReport
    private let groups: [(name: String, report: EvaluationReport)]
    private let comparison: Comparison?

    init(_ inputs: Inputs, _ settings: EvaluationSettings) throws {
        let shares = try settings.shares(of: inputs.records)
        whole = try EvaluationReport(inputs.records, settings, shares: shares)
        groups = try inputs.parts.map { ($0.name, try EvaluationReport($0.records, settings, shares: shares)) }
        comparison = inputs.others.map { Comparison(inputs.records, other: $0, settings, shares: shares) }
    }

    func output(_ format: Evaluate.Format, width: Int, isColoured: Bool) -> [UInt8] {
        switch format {
        case .text:
            var text = whole.text(width: width, isColoured: isColoured)
            if let comparison { text += "\n" + comparison.text }
            if !groups.isEmpty { text += "\n" + EvaluationReport.text(groups: groups) }
            return Array(text.utf8)
        case .markdown:
            var text = whole.markdown()
            if let comparison { text += "\n```text\n" + comparison.text + "```\n" }
            if !groups.isEmpty { text += "\n```text\n" + EvaluationReport.text(groups: groups) + "```\n" }
            return Array(text.utf8)
        case .csv:
            var text = EvaluationReport.csvHeader(hasGroups: !groups.isEmpty)
            text += whole.csv(group: groups.isEmpty ? nil : "")
            for (name, report) in groups { text += report.csv(group: name) }
            return Array(text.utf8)
        case .json:
            var members = whole.json.object ?? []
            if let comparison { members.append(JSONMember(key: "comparison", value: comparison.json)) }
            if !groups.isEmpty {
                let values = groups.map { JSONMember(key: $0.name, value: $0.report.json) }
                members.append(JSONMember(key: "groups", value: .object(values)))
            }
            var writer = JSONWriter()
            writer.value(.object(members))
            writer.newline()
            return writer.bytes
        }
    }
}
