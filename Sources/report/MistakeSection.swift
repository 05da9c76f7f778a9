// Sections that quote texts: mistakes with the words that made them, and suspected labels.

import Evaluation
import Records

struct MistakeSection: Section {
    let title = "Mistakes"
    let html: String

    /// - Parameter records: as `explain` writes them, with the expected label.
    init(_ records: [JSONValue]) {
        guard !records.isEmpty else {
            html = "<p>None.</p>\n"
            return
        }
        var text = """
            <p>The wrong labels that the model is surest of. Words that speak for the label that it gave are red and \
            underlined, those that speak against it green; the stronger, the more.</p>

            """
        for record in records {
            text += "<p>\(heading(of: record))</p>\n<blockquote>\(Self.marked(record))</blockquote>\n"
        }
        html = text
    }

    /// The text, with its words marked by their weights.
    private static func marked(_ record: JSONValue) -> String {
        let bytes = Array((record["text"]?.string ?? "").utf8)
        let words = (record["words"]?.array ?? []).compactMap { word -> (Range<Int>, Double)? in
            guard let start = word["start"]?.int, let end = word["end"]?.int, let weight = word["weight"]?.double,
                start < end,
                end <= bytes.count
            else { return nil }
            return (start..<end, weight)
        }
        let largest = words.map { abs($0.1) }.max() ?? 0
        func plain(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self).htmlEscaped }
        var text = ""
        var position = 0
        for (range, weight) in words where range.lowerBound >= position {
            text += plain(position..<range.lowerBound)
            let share = largest > 0 ? abs(weight) / largest : 0
            if share < 0.1 {
                text += plain(range)
            } else {
                text += "<mark class=\"\(weight > 0 ? "for" : "against")\" style=\"--weight:"
                text += "\(PlainTable.number(share, digits: 2))\">\(plain(range))</mark>"
            }
            position = range.upperBound
        }
        return text + plain(position..<bytes.count)
    }
}

struct SuspectSection: Section {
    let title = "Labels to look at"
    let html: String

    /// - Parameter records: as `suspects` writes them, with text.
    init(_ records: [JSONValue], most: Int = 20) {
        var text = """
            <p>Records whose label a model disputes that wasn't trained on them: \(records.count)\
            \(records.count > most ? ", of which the first \(most)" : ""). The label may be wrong, or the text hard.</p>

            """
        for record in records.prefix(most) {
            text += "<p>\(heading(of: record))</p>\n"
            text += "<blockquote>\((record["text"]?.string ?? "").htmlEscaped)</blockquote>\n"
        }
        html = text
    }
}

/// The label that a record has, the one that it got, and with which probability.
private func heading(of record: JSONValue) -> String {
    let expected = record["expected"]?.string ?? "?"
    let label = record["label"]?.string ?? "?"
    let p = record["probability"]?.double ?? record["probabilities"]?[label]?.double
    return "labelled <strong>\(expected.htmlEscaped)</strong>, predicted <strong>\(label.htmlEscaped)</strong>"
        + (p.map { " (\(PlainTable.percent($0)) %)" } ?? "")
}
