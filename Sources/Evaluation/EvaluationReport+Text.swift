// An evaluation for people: plain text, and Markdown.

import Records

extension Measure {
    /// Its name for people.
    ///
    /// - Parameters:
    ///   - positive: the label whose curves were computed; nil for the mean of all.
    ///   - rate: the share of others at which recall is told.
    func title(positive: String?, rate: Double) -> String {
        let (mean, whose) = positive.map { ("", " of \($0.printable)") } ?? ("mean ", "")
        return switch self {
        case .accuracy: "accuracy"
        case .balancedAccuracy: "balanced accuracy"
        case .macroPrecision: "macro precision"
        case .macroRecall: "macro recall"
        case .macroF1: "macro F1"
        case .mcc: "MCC"
        case .rocAUC: "\(mean)ROC AUC"
        case .averagePrecision: "\(mean)average precision\(whose)"
        case .recallAtFPR: "\(mean)recall\(whose) at \(PlainTable.short(100 * rate)) % false positives"
        case .logLoss: "log loss"
        case .brier: "Brier score"
        case .ece: "calibration error (ECE)"
        }
    }

    /// Its name, where no label is meant.
    package var title: String { title(positive: nil, rate: 0.01) }

    /// Those that a reader looks for first; the others are in the JSON.
    static let shown: [Measure] = allCases.filter { ![.macroPrecision, .macroRecall].contains($0) }

    /// A value of it as people read it.
    package func text(_ value: Double) -> String {
        isShare ? PlainTable.percent(value) + " %" : PlainTable.number(value, digits: 4)
    }

    /// An interval of it as people read it.
    package func text(_ interval: ClosedRange<Double>) -> String {
        isShare
            ? "\(PlainTable.percent(interval.lowerBound))–\(PlainTable.percent(interval.upperBound)) %"
            : "\(PlainTable.number(interval.lowerBound, digits: 4))–\(PlainTable.number(interval.upperBound, digits: 4))"
    }
}

extension EvaluationReport {
    /// The labels, as they can be shown.
    package var names: [String] { matrix.labels.map(\.printable) }

    /// Measures that are defined: title, value, interval.
    package var rows: [[String]] {
        Measure.shown.compactMap { measure in
            guard let estimate = measures[measure] else { return nil }
            return [
                measure.title(positive: positive, rate: falsePositiveRate), measure.text(estimate.value),
                estimate.interval.map(measure.text) ?? "",
            ]
        }
    }

    /// What the numbers are of.
    package var heading: String {
        let counts = "\(matrix.correct) of \(matrix.total) records right"
        guard let prevalence else { return counts }
        let shares = prevalence.map { "\($0.label.printable) \(PlainTable.percent($0.share)) %" }.joined(
            separator: ", ")
        return counts + "; measures at the prevalence " + shares
    }

    /// For every label: its name, precision, recall, F1, and the number of its records.
    package var classRows: [[String]] {
        func cells(_ estimate: Estimate?) -> [String] {
            let bounds = estimate?.interval.map {
                "\(PlainTable.percent($0.lowerBound))–\(PlainTable.percent($0.upperBound))"
            }
            return [PlainTable.percent(estimate?.value), bounds ?? ""]
        }
        return classes.enumerated().map { label, estimates in
            [names[label]] + cells(estimates.precision) + cells(estimates.recall)
                + [PlainTable.percent(estimates.f1), "\(matrix.support(label))"]
        }
    }

    /// The columns of ``classRows``.
    package static let classHeader = ["", "precision", "95 %", "recall", "95 %", "F1", "records"]

    /// A table for people.
    ///
    /// - Parameters:
    ///   - width: columns of whatever shows it. A confusion matrix that is wider is left out, for a list of the most frequent
    ///     confusions.
    ///   - isColoured: whether the cells of the matrix are shaded by their share of the expected label.
    public func text(width: Int = 80, isColoured: Bool = false) -> String {
        let hasIntervals = rows.contains { !$0[2].isEmpty }
        var text = heading + "\n\n"
        text += PlainTable.text([["", "", hasIntervals ? "95 % interval" : ""]] + rows)
        text += "\n" + PlainTable.text([Self.classHeader] + classRows)
        let plain =
            [[""] + names]
            + matrix.labels.indices.map { row in
                [names[row]] + matrix.labels.indices.map { "\(matrix[row, $0])" }
            }
        let table = PlainTable.text(plain)
        let isNarrow = table.split(separator: "\n").allSatisfy { $0.count <= width }
        guard isNarrow else { return text + "\n" + confusions(maximum: 20) }
        return text + "\nexpected ↓ predicted →\n" + (isColoured ? shaded(plain) : table)
    }

    /// The matrix with a background for every cell: the darker, the greater its share of the row.
    private func shaded(_ rows: [[String]]) -> String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.enumerated().map { place, row in
            let cells = zip(row, widths).enumerated().map { column, cell in
                let space = String(repeating: " ", count: cell.1 - cell.0.count)
                if column == 0 { return cell.0 + space }
                let padded = " \(space)\(cell.0) "
                guard place > 0 else { return padded }
                let support = matrix.support(place - 1)
                let share = support == 0 ? 0 : Double(matrix[place - 1, column - 1]) / Double(support)
                // Greys for what is wrong, greens for what is right, white text on both.
                let level = Int((share * 5).rounded(.up))
                let colour = place == column ? [16, 22, 22, 28, 28, 34][level] : [16, 234, 236, 238, 240, 242][level]
                return level == 0 ? padded : "\u{1B}[97;48;5;\(colour)m\(padded)\u{1B}[0m"
            }
            return cells.joined() + "\n"
        }.joined()
    }

    /// Pairs of labels that were taken for each other, the most frequent first.
    private func confusions(maximum: Int) -> String {
        let labels = matrix.labels.indices
        let wrong = labels.flatMap { row in
            labels.filter { $0 != row && matrix[row, $0] > 0 }.map { (row, $0, count: matrix[row, $0]) }
        }.sorted { ($1.count, $0.0, $0.1) < ($0.count, $1.0, $1.1) }
        if wrong.isEmpty { return "no confusions\n" }
        let shown = wrong.prefix(maximum)
        let title = shown.count < wrong.count ? "\(shown.count) of \(wrong.count) confusions, the" : "confusions,"
        return "\(title) most frequent first\n"
            + PlainTable.text(
                [["expected", "predicted", "records", "of the expected"]]
                    + shown.map { row, column, count in
                        [
                            names[row], names[column], "\(count)",
                            "\(PlainTable.percent(Double(count) / Double(matrix.support(row)))) %",
                        ]
                    }, leading: 2)
    }

    /// One line for each group.
    public static func text(groups: [(name: String, report: EvaluationReport)]) -> String {
        let most = 30
        let rows = groups.prefix(most).map { name, report in
            let accuracy = report.measures[.accuracy]
            return [
                name.printable, "\(report.matrix.total)", PlainTable.percent(accuracy?.value),
                accuracy?.interval.map {
                    "\(PlainTable.percent($0.lowerBound))–\(PlainTable.percent($0.upperBound))"
                } ?? "",
                PlainTable.percent(report.measures[.balancedAccuracy]?.value),
                PlainTable.percent(report.measures[.macroF1]?.value),
            ]
        }
        let table = PlainTable.text(
            [["group", "records", "accuracy", "95 %", "balanced accuracy", "macro F1"]] + rows)
        return table + (groups.count > most ? "and \(groups.count - most) smaller groups\n" : "")
    }

    /// Tables in Markdown, for a summary of continuous integration or a page.
    public func markdown() -> String {
        func table(_ rows: [[String]], leading: Int = 1) -> String {
            let cells = rows.map { row in "| " + row.map(\.tableCell).joined(separator: " | ") + " |\n" }
            let rule = "|" + rows[0].indices.map { $0 < leading ? " --- |" : " ---: |" }.joined() + "\n"
            return cells[0] + rule + cells.dropFirst().joined()
        }
        let confusion =
            [["expected ↓ predicted →"] + names]
            + matrix.labels.indices.map { row in
                [names[row]] + matrix.labels.indices.map { "\(matrix[row, $0])" }
            }
        return heading.markdownEscaped + "\n\n" + table([["", "", "95 % interval"]] + rows) + "\n"
            + table([Self.classHeader] + classRows)
            + "\n" + table(confusion)
    }
}
