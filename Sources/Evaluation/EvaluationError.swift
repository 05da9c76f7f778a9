// Every way in which scored records can't be evaluated.

import Records

/// Why scored records can't be evaluated.
public enum EvaluationError: DiagnosableError, Equatable {
    /// A record lacks a label, or `score` could not read its line.
    case missingLabel(field: String, source: String, line: Int, choice: Diagnosis.Choice)
    /// The input has ended without a single record.
    case noRecords(source: String)
    /// What a record says of probabilities can't be.
    case badProbabilities(String, source: String, line: Int)
    /// A name or share of `--prevalence` doesn't fit the labels.
    case badPrevalence(String, remedy: String)
    /// No record has this label.
    case unknownLabel(String, known: [String])
    /// Two inputs don't hold scores of the same records.
    case otherRecords(
        String, source: String, line: Int?, remedy: String = "compare scores of the same records in the same order")

    public var diagnosis: Diagnosis {
        switch self {
        case .missingLabel(let field, let source, let line, let choice):
            Diagnosis(
                source: source, position: .line(line), problem: "no \"\(field)\" in this record",
                remedy: "score records that have a label", status: .badData, choice: choice)
        case .noRecords(let source):
            Diagnosis(
                source: source, problem: "no records", remedy: "check what writes the input", status: .badData)
        case .badProbabilities(let problem, let source, let line):
            Diagnosis(
                source: source, position: .line(line), problem: problem, remedy: "check what writes the scores",
                status: .badData)
        case .badPrevalence(let problem, let remedy):
            Diagnosis(source: "arguments", problem: problem, remedy: remedy, status: .usage)
        case .unknownLabel(let label, let known):
            Diagnosis(
                source: "arguments", problem: "no record has the label '\(label)'",
                remedy: "use one of \(known.joined(separator: ", "))", status: .usage)
        case .otherRecords(let problem, let source, let line, let remedy):
            Diagnosis(
                source: source, position: line.map { .line($0) }, problem: problem, remedy: remedy, status: .badData)
        }
    }
}
