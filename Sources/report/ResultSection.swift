// The results on the test part, with intervals, beside those of the baseline, and what a fitted temperature changes.

import Evaluation
import Records

struct ResultSection: Section {
    let title = "Results on the test part"
    let html: String

    init(_ command: ReportCommand, scores: String) throws {
        var settings = EvaluationSettings()
        settings.positive = command.positive
        settings.seed = command.seed.seed
        var reader = try command.reader(scores)
        let records: ScoredRecords
        var others: ScoredRecords?
        if let path = command.baseline {
            var other = try command.reader(path)
            let both = try reader.readAll(with: &other)
            (records, others) = (both.records, both.others)
        } else {
            records = try reader.readAll()
        }
        let report = try EvaluationReport(records, settings)
        var text = report.html
        if let path = command.validationScores {
            var validation = try command.reader(path)
            text += try Self.calibration(records, on: validation.readAll(), path: path, report, settings)
        }
        if let others { text += try Self.comparison(records, others, report, settings) }
        html = text
    }

    private static func calibration(
        _ records: ScoredRecords, on validation: ScoredRecords, path: String, _ report: EvaluationReport,
        _ settings: EvaluationSettings
    ) throws -> String {
        guard let calibrated = records.calibrated(on: validation) else {
            throw EvaluationError.badProbabilities("no probabilities of the same labels", source: path, line: 1)
        }
        let after = try EvaluationReport(calibrated, settings)
        let rows = [Measure.ece, .logLoss, .brier].compactMap { measure -> [String]? in
            guard let old = report.measures[measure], let new = after.measures[measure] else { return nil }
            return [measure.title, cell(old, measure), cell(new, measure)]
        }
        return HTMLTable(
            caption: "Probabilities as they are, and at the temperature that fits the validation part best",
            header: ["", "as they are", "calibrated"], rows: rows
        ).text
    }

    private static func comparison(
        _ records: ScoredRecords, _ others: ScoredRecords, _ report: EvaluationReport, _ settings: EvaluationSettings
    ) throws -> String {
        let baseline = try EvaluationReport(others, settings)
        let comparison = Comparison(records, other: others, settings)
        let rows = [Measure.accuracy, .balancedAccuracy, .macroF1, .logLoss].compactMap { measure -> [String]? in
            guard let ours = report.measures[measure], let theirs = baseline.measures[measure] else { return nil }
            return [measure.title, cell(ours, measure), cell(theirs, measure)]
        }
        func points(_ value: Double) -> String { (value > 0 ? "+" : "") + PlainTable.number(100 * value, digits: 1) }
        let interval =
            comparison.accuracy.interval.map { " (95 %: \(points($0.lowerBound)) to \(points($0.upperBound)))" } ?? ""
        return HTMLTable(
            caption: "Beside a linear model on n-grams, trained on the same texts",
            header: ["", "this model", "linear model"],
            rows: rows
        ).text + """
            <p>This model alone is right on \(comparison.onlyThis) texts, the linear one alone on \(comparison.onlyOther). The \
            difference in accuracy is \(points(comparison.accuracy.value)) points\(interval). Between equally good models so \
            uneven a split has a probability of \(PlainTable.probability(comparison.pValue, digits: 3)) (McNemar, exact).</p>

            """
    }

    private static func cell(_ estimate: Estimate, _ measure: Measure) -> String {
        measure.text(estimate.value) + (estimate.interval.map { " (\(measure.text($0)))" } ?? "")
    }
}
