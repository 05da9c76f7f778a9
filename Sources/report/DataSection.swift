// The data: how many records of which label, how long, how many of them known from training.

import Evaluation
import FilterSupport
import Records

struct DataSection: Section {
    let title = "Data"
    private(set) var html: String

    /// What is counted of a part.
    private struct Part {
        let name: String
        var labels: [Label: Int] = [:]
        var lengths: [Int] = []
        var copies = 0
    }

    init(_ files: [(name: String, value: String)], lines: LineOptions) throws {
        var parts: [Part] = []
        var known: NearCopies?
        for (name, path) in files {
            var part = Part(name: name)
            var records = lines.reader(try ByteSource(path: path), fields: RecordFields())
            var copies = parts.isEmpty ? NearCopies(source: path) : known
            while let record = try records.next() {
                let text = try record.textBytes()
                let label = try record.labelIfPresent().map { String(decoding: $0, as: UTF8.self) } ?? "(none)"
                part.labels[Label(label), default: 0] += 1
                part.lengths.append(String(decoding: text, as: UTF8.self).unicodeScalars.count)
                let folded = foldedText(text)
                if !(copies?.copies(of: folded).isEmpty ?? true) { part.copies += 1 }
                if parts.isEmpty { _ = try copies?.add(folded, line: record.line.number) }
            }
            if part.lengths.isEmpty { throw RecordError.noRecords(source: path) }
            known = copies
            parts.append(part)
        }
        let labels = Set(parts.flatMap { $0.labels.keys }).sorted()
        html =
            HTMLTable(
                caption: "Records", header: ["part"] + labels.map(\.name.printable) + ["all"],
                rows: parts.map { part in
                    [part.name] + labels.map { "\(part.labels[$0] ?? 0)" } + ["\(part.lengths.count)"]
                }
            ).text
        html +=
            HTMLTable(
                caption: "Characters of a text, and near copies",
                header: [
                    "part", "median", "95 %", "longest",
                    "near copies",
                ],
                rows: parts.map { part in
                    let sorted = part.lengths.sorted()
                    func quantile(_ share: Double) -> String { "\(sorted[Int(share * Double(sorted.count - 1))])" }
                    return [
                        part.name, quantile(0.5), quantile(0.95), quantile(1),
                        part.copies == 0
                            ? "none"
                            : "\(part.copies) (\(PlainTable.percent(Double(part.copies) / Double(sorted.count))) %)",
                    ]
                }
            ).text
        let first = parts[0].name.htmlEscaped
        html += """
            <p>Near copies share four fifths of their runs of five characters: in \(first) with an earlier text there, elsewhere \
            with a text of \(first).</p>

            """
    }
}
