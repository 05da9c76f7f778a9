// Labels that probabilities may dispute.

/// Records with labels.
struct DisputedLabels {
    /// All labels.
    let names: [String]
    /// The label of every record.
    let labels: [Int]
    /// The line of every record in the input that it was read from first.
    let lines: [Int]

    /// The record of every line, the first where several are of one.
    var recordOfLine: [Int: Int] { Dictionary(zip(lines, lines.indices)) { first, _ in first } }
}
