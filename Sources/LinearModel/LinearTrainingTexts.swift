// What a linear classifier is trained on.

import Hashing
import Records

/// Labelled texts, in memory.
public struct LinearTrainingTexts: Sendable {
    /// The texts, valid UTF-8.
    package private(set) var texts: [[UInt8]] = []
    /// The class of each, an index into ``labels``.
    package private(set) var classes: [Int] = []
    /// The line of each in its input, from 1.
    package private(set) var lines: [Int] = []
    /// The name of the input.
    let source: String
    /// The classes, sorted by their bytes.
    public let labels: [String]
    /// The SHA-256 of the lines that were read, each with a line feed.
    public let sha256: String

    /// How many texts every class has.
    public var counts: [Int] { labels.indices.map { label in classes.count { $0 == label } } }

    /// All that `input` has.
    ///
    /// - Throws: what reading throws; ``LinearTrainingError``; `RecordError.noRecords(source:)`.
    public init(_ input: LabelledTextInput) throws {
        var input = input
        let hash = SHA256()
        var names: [[UInt8]] = []
        var indices: [[UInt8]: Int] = [:]
        while let next = try input.next() {
            (next.lineBytes + [0x0A]).withUnsafeBytes { hash.update($0) }
            let label = indices[next.label] ?? names.count
            if label == names.count {
                indices[next.label] = label
                names.append(next.label)
            }
            texts.append(next.text)
            classes.append(label)
            lines.append(next.line)
        }
        source = input.source
        guard !texts.isEmpty else { throw RecordError.noRecords(source: input.source) }
        guard names.count > 1 else {
            throw LinearTrainingError.oneClass(
                source: input.source, label: String(decoding: names[0], as: UTF8.self))
        }
        let order = names.indices.sorted { names[$0].lexicographicallyPrecedes(names[$1]) }
        var ranks = [Int](repeating: 0, count: names.count)
        for (rank, label) in order.enumerated() { ranks[label] = rank }
        classes = classes.map { ranks[$0] }
        labels = order.map { String(decoding: names[$0], as: UTF8.self) }
        sha256 = hash.hexadecimal
    }

    /// Labelled texts of `labels`, at least two of which occur.
    package init(_ texts: [[UInt8]], classes: [Int], labels: [String]) {
        (self.texts, self.classes, self.labels) = (texts, classes, labels)
        lines = Array(1...max(1, texts.count))
        source = "texts"
        sha256 = SHA256().hexadecimal
    }
}

/// Texts that no classifier can be trained on.
public enum LinearTrainingError: DiagnosableError, Equatable {
    /// All have the same label.
    case oneClass(source: String, label: String)
    /// A fold can't be left out: without it a class has no text.
    case confinedClass(source: String, label: String)

    public var diagnosis: Diagnosis {
        switch self {
        case .oneClass(let source, let label):
            Diagnosis(
                source: source, problem: "all texts have the label '\(label)'", remedy: "add texts of another class",
                status: .badData)
        case .confinedClass(let source, let label):
            Diagnosis(
                source: source, problem: "all texts of the label '\(label)' are in one fold",
                remedy: "add other texts of it, take another seed, or leave the class out", status: .badData)
        }
    }
}
