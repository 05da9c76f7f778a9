// Tables and texts of HTML.

import Records

/// A table of HTML.
struct HTMLTable {
    /// What the table shows.
    var caption: String
    /// The names of the columns; none where it is empty.
    var header: [String]
    /// Texts, not escaped yet. The first of each is the name of its row.
    var rows: [[String]]
    /// Whether the cells are texts, which begin at the left, rather than numbers.
    var isText = false

    /// The table, in a region that scrolls where the page is narrow.
    var text: String {
        func cell(_ text: String) -> String { "<td\(isText ? " class=\"text\"" : "")>\(text.htmlEscaped)</td>" }
        let label = caption.htmlEscaped
        var text = "<div class=\"scroll\" role=\"region\" aria-label=\"\(label)\" tabindex=\"0\"><table>"
        text += "<caption>\(label)</caption>\n"
        if !header.isEmpty {
            text += "<tr>"
            text += header.map { $0.isEmpty ? "<td></td>" : "<th scope=\"col\">\($0.htmlEscaped)</th>" }.joined()
            text += "</tr>\n"
        }
        for row in rows {
            text += "<tr><th scope=\"row\">\((row.first ?? "").htmlEscaped)</th>"
            text += row.dropFirst().map(cell).joined() + "</tr>\n"
        }
        return text + "</table></div>\n"
    }
}

extension String {
    /// With the characters of HTML's own syntax as references, and without control characters.
    var htmlEscaped: String {
        var text = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            case "'": text += "&#39;"
            case "\n", "\t": text.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value): text += "\u{FFFD}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
