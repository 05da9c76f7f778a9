import Evaluation
import Records
import Testing

struct ReportTextTests {
    private func records(_ counts: [(expected: String, predicted: String, count: Int)]) throws -> ScoredRecords {
        var records = ScoredRecords()
        for (expected, predicted, count) in counts {
            for _ in 0..<count {
                try records.add(
                    ScoredRecord(
                        line: 1, expected: Array(expected.utf8), predicted: Array(predicted.utf8), probabilities: nil),
                    source: "scores")
            }
        }
        records.finish()
        return records
    }

    private func report(_ counts: [(expected: String, predicted: String, count: Int)]) throws -> EvaluationReport {
        var settings = EvaluationSettings()
        settings.resamples = 100
        return try EvaluationReport(records(counts), settings)
    }

    @Test("the text has the measures with their intervals, the classes and the matrix")
    func text() throws {
        let text = try report([("ham", "ham", 90), ("ham", "spam", 2), ("spam", "spam", 7), ("spam", "ham", 1)]).text()
        #expect(text.hasPrefix("97 of 100 records right\n"))
        let lines = text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(lines.contains("accuracy 97.00 % 91.55–98.97 %"))
        #expect(lines.contains { $0.hasPrefix("balanced accuracy 92.66 % ") })
        #expect(lines.contains("spam 77.78 45.26–93.68 87.50 52.91–97.76 82.35 8"))
        #expect(lines.contains("ham 90 2") && lines.contains("spam 1 7"))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 && !$0.hasSuffix(" ") })
        #expect(!text.contains("\u{1B}") && !text.contains("log loss"))
    }

    @Test("a coloured matrix has the same numbers")
    func colours() throws {
        let report = try report([("ham", "ham", 90), ("ham", "spam", 2), ("spam", "spam", 7), ("spam", "ham", 1)])
        let coloured = report.text(isColoured: true)
        #expect(coloured.contains("\u{1B}[97;48;5;34m"))
        var plain = ""
        var isEscape = false
        for character in coloured {
            if character == "\u{1B}" { isEscape = true }
            if !isEscape { plain.append(character) }
            if isEscape, character == "m" { isEscape = false }
        }
        func words(_ text: String) -> [Substring] { text.split { $0 == " " || $0 == "\n" } }
        #expect(words(plain) == words(report.text()))
    }

    @Test("a matrix wider than the terminal becomes a list of its most frequent confusions")
    func wideMatrix() throws {
        // 30 labels; label k is taken for label k + 1 k times, and for label 0 once.
        let names = (10..<40).map { "label-\($0)" }
        var counts: [(expected: String, predicted: String, count: Int)] = []
        for k in 0..<30 {
            counts.append((names[k], names[k], 3))
            counts.append((names[k], names[(k + 1) % 30], k))
            counts.append((names[k], names[0], 1))
        }
        let report = try report(counts)
        #expect(report.text(width: 400).contains("expected ↓ predicted →"))
        let text = report.text()
        #expect(!text.contains("↓"))
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines.allSatisfy { $0.count <= 80 })
        // 28 of k for k + 1, and 29 of k for 0, among them 29's.
        #expect(lines.contains("20 of 57 confusions, the most frequent first"))
        let first = lines.firstIndex { $0.hasPrefix("expected ") }.map { lines[$0 + 1] } ?? ""
        #expect(first.split(separator: " ") == ["label-39", "label-10", "30", "90.91", "%"])
        #expect(try self.report([("a", "a", 1)]).text(width: 1).hasSuffix("no confusions\n"))
    }

    @Test("JSON has a number for every path, null where nothing is defined; CSV and Markdown the same numbers")
    func data() throws {
        let report = try report([("a", "a", 3), ("b,\"c\"", "x", 1)])
        let json = report.json
        #expect(json["records"]?.int == 4 && json["correct"]?.int == 3)
        #expect(json["accuracy"] == .number("0.75") && json["balanced_accuracy"] == .number("0.5"))
        #expect(json["classes"]?["b,\"c\""]?["precision"] == .null && json["classes"]?["x"]?["recall"] == .null)
        #expect(json["confusion"]?["a"]?["a"]?.int == 3 && json["roc_auc"] == nil)
        #expect(json["intervals"]?["accuracy"]?["low"] != nil)
        let csv = (EvaluationReport.csvHeader(hasGroups: true) + report.csv(group: "g")).split(separator: "\n")
        #expect(csv[0] == "group,measure,label,value,low,high" && csv[1] == "g,records,,4.0,,")
        #expect(csv.contains { $0.hasPrefix("g,accuracy,,0.75,0.3") })
        #expect(csv.contains { $0.hasPrefix("g,recall,\"b,\"\"c\"\"\",0.0,0.0,0.79") })
        let markdown = report.markdown()
        #expect(markdown.contains("| accuracy | 75.00 % | ") && markdown.contains("| a | 3 | 0 | 0 |"))
    }
}
