// An evaluation for a page: tables of HTML.

import Evaluation
import Records

extension EvaluationReport {
    /// Measures, the numbers of every label and the confusion matrix, as three tables. A cell of the matrix has the share of its
    /// row as the custom property `--share`, for a style sheet.
    var html: String {
        HTMLTable(caption: heading, header: ["", "", "95 % interval"], rows: rows).text
            + HTMLTable(caption: "Labels", header: Self.classHeader, rows: classRows).text + matrixTable
    }

    private var matrixTable: String {
        var text =
            "<div class=\"scroll\" role=\"region\" aria-label=\"Confusion matrix\" tabindex=\"0\"><table class=\"matrix\">"
        text += "<caption>Confusion matrix: expected ↓ predicted →</caption>\n<tr><td></td>"
        text += names.map { "<th scope=\"col\">\($0.htmlEscaped)</th>" }.joined() + "</tr>\n"
        for row in matrix.labels.indices {
            let support = max(1, matrix.support(row))
            text += "<tr><th scope=\"row\">\(names[row].htmlEscaped)</th>"
            for column in matrix.labels.indices {
                let count = matrix[row, column]
                text += "<td class=\"\(row == column ? "right" : "wrong")\" "
                text +=
                    "style=\"--share:\(PlainTable.number(Double(count) / Double(support), digits: 3))\">\(count)</td>"
            }
            text += "</tr>\n"
        }
        return text + "</table></div>\n"
    }
}
