// Lines in, scored lines out: `score` without its options.

import Evaluation
import Records

/// Reads texts or records line by line and writes one NDJSON object for each, in order.
///
/// For a text: `{"text":…,"line":1,"label":…,"probability":…,"probabilities":{…}}`. For a record: its own members
/// first; its `label` is passed on as `expected`, and members with the names of results are left out. For a line that
/// can't be read: `{"line":1,"error":…}`.
public struct ScoreStream {
    /// What a line of the input is.
    public enum Input: String, Sendable, CaseIterable {
        /// The text itself, or a record: an NDJSON object with a text.
        case text, ndjson
    }

    /// A comparison with another scorer, which is created when it is needed.
    public struct Check {
        let texts: Int
        let reference: () throws -> any TextScorer

        /// `reference` creates the scorer that scores the first `texts` texts too.
        public init(texts: Int, reference: @escaping () throws -> any TextScorer) {
            self.texts = texts
            self.reference = reference
        }
    }

    /// A line that was read. A text is tokenized at once: no second copy of a long one is held.
    private enum Item {
        /// A line of text, perhaps not UTF-8.
        case text(ArraySlice<UInt8>, tokens: [Int32])
        /// The members of a record that are passed on, as slices of its line.
        case record([Record.WrittenMember], tokens: [Int32])
        case failure(String)

        var tokens: [Int32]? {
            switch self {
            case .text(_, let tokens), .record(_, let tokens): tokens
            case .failure: nil
            }
        }
    }

    /// The size of a window: enough work for every core, little to hold and to wait for.
    private static let windowLines = 1024
    private static let windowBytes = 1 << 18
    /// Bytes of text that take so much longer to score than weights to hash that checking the weights costs little.
    private static let checkedBytes = 1 << 14
    /// Texts and values of more bytes are written directly, and not copied into the output of their window.
    static let longText = 1 << 16

    private static let ownKeys = resultKeys.map { Array($0.utf8) }

    /// Keys of results, which aren't passed on from records.
    public static let resultKeys = [
        "line", "label", "probability", "probabilities", "set", "verdict", "by", "calibrated", "error",
    ]

    private let scorer: any TextScorer
    private let input: Input
    private let fields: RecordFields
    private let labelKey: [UInt8]
    let members: ScoreMembers
    private let check: Check?
    private var report = Report()
    /// The first texts, and their scores, until they are as many as are compared.
    private var compared: (scores: [Score], texts: [[Int32]]) = ([], [])
    /// The first bytes of the input: enough to tell token shards from text.
    private var beginning: [UInt8] = []

    /// A stream for `scorer`, with the kind of its lines, the keys of records and a comparison (nil for none).
    public init(_ scorer: any TextScorer, input: Input, fields: RecordFields, check: Check? = nil) {
        self.check = check
        self.scorer = scorer
        self.input = input
        self.fields = fields
        labelKey = Array(fields.label.utf8)
        members = ScoreMembers(scorer.labels)
    }

    private var weightsCheck: WeightsCheck? { scorer.weightsCheck }

    /// Scores all lines of the input.
    ///
    /// Where the check of the weights has begun, it ends before anything is written. It begins here where the input is
    /// more than a few texts.
    ///
    /// - Parameters:
    ///   - reader: the input.
    ///   - sink: the output.
    ///   - lineBuffered: whether lines that have arrived are answered at once, without waiting for a full window.
    ///   - beginsLikeJSON: called before anything is scored, where texts are expected and the first line looks like a
    ///     record.
    ///   - progress: gets the number of lines written so far.
    /// - Throws: ``ShardInsteadOfTexts``; what reading, scoring and writing throw.
    public mutating func run(
        _ reader: LineReader, into sink: ByteSink, lineBuffered: Bool, beginsLikeJSON: () -> Void = {},
        progress: (Int) -> Void = { _ in }
    ) throws -> Report {
        var records = RecordReader(reader, fields: fields)
        var window: [(line: Int, item: Item)] = []
        var bytes = 0
        var atEnd = false
        while !atEnd {
            if let next = try item(reader, &records, beginsLikeJSON) {
                bytes += next.size
                window.append((reader.lineNumber, next.item))
            } else {
                atEnd = true
            }
            let isFull = window.count >= Self.windowLines || bytes >= Self.windowBytes
            if atEnd || isFull || (lineBuffered && !reader.hasBufferedLine) {
                if isFull || bytes >= Self.checkedBytes { weightsCheck?.begin() }
                try write(window, into: sink)
                if !atEnd { weightsCheck?.begin() }
                if lineBuffered { try sink.flush() }
                report.lines += window.count
                window.removeAll(keepingCapacity: true)
                bytes = 0
                progress(report.lines)
            }
        }
        report.truncated = scorer.truncated
        return report
    }

    /// The next line, or what is wrong with it; nil at the end.
    private mutating func item(
        _ reader: LineReader, _ records: inout RecordReader, _ beginsLikeJSON: () -> Void
    ) throws -> (item: Item, size: Int)? {
        let line: Line
        do throws(StreamError) {
            guard let next = try reader.next() else { return nil }
            line = next
        } catch {
            guard case .lineTooLong = error else { throw error }
            return (failure(error.diagnosis), 0)
        }
        if line.number == 1, input == .text, looksLikeRecord(line.bytes) { beginsLikeJSON() }
        if beginning.count < ShardInsteadOfTexts.bytesThatTell {
            beginning += line.bytes.prefix(ShardInsteadOfTexts.bytesThatTell) + [0x0A]
            if ShardInsteadOfTexts.isBeginning(beginning) { throw ShardInsteadOfTexts(source: reader.source.name) }
        }
        do {
            return (try input == .text ? text(line) : record(line, &records), line.bytes.count)
        } catch let error as any DiagnosableError {
            return (failure(error.diagnosis), 0)
        }
    }

    private mutating func failure(_ diagnosis: Diagnosis) -> Item {
        report.errors += 1
        report.firstError = report.firstError ?? diagnosis
        return .failure(diagnosis.problem)
    }

    private mutating func text(_ line: Line) -> Item {
        let content = line.content
        guard UTF8.firstInvalidOffset(in: content) != nil else { return .text(content, tokens: scorer.encode(content)) }
        report.repaired += 1
        return .text(content, tokens: scorer.encode(UTF8.repaired(content)[...]))
    }

    private mutating func record(_ line: Line, _ records: inout RecordReader) throws -> Item {
        let record = try records.record(line)
        let text = try record.textBytes()
        let members = record.passedOn(records.members, labelKey: labelKey, without: Self.ownKeys)
        return .record(members, tokens: scorer.encode(text[...]))
    }

    /// Makes the comparison, when there are enough texts.
    private mutating func compare(_ scores: [Score], _ texts: [[Int32]]) throws {
        guard let check, report.comparison == nil, check.texts > 0 else { return }
        let needed = check.texts - compared.texts.count
        compared.scores += scores.prefix(needed)
        compared.texts += texts.prefix(needed)
        guard compared.texts.count == check.texts else { return }
        report.comparison = PrecisionAgreement(compared.scores, try check.reference().score(tokens: compared.texts))
        compared = ([], [])
    }

    private mutating func write(_ window: [(line: Int, item: Item)], into sink: ByteSink) throws {
        let texts = window.compactMap(\.item.tokens)
        let results = try scorer.score(tokens: texts)
        // A long text reaches the sink before the window is complete.
        try weightsCheck?.waitIfBegun()
        report.last = results.last ?? report.last
        try compare(results, texts)
        var scores = results.makeIterator()
        var output: [UInt8] = []
        for (line, item) in window {
            switch item {
            case .failure(let problem):
                var json = JSONWriter()
                json.beginObject()
                json.key("line")
                json.number(line)
                json.key("error")
                json.string(problem)
                json.endObject()
                output += json.bytes
            case .text(let text, _):
                guard let score = scores.next() else { continue }
                output += "{\"text\":\"".utf8
                try append(text: text, to: &output, sink)
                output += "\",".utf8
                append(score, line, to: &output)
            case .record(let members, _):
                guard let score = scores.next() else { continue }
                output.append(UInt8(ascii: "{"))
                for member in members {
                    output += member.key
                    output.append(UInt8(ascii: ":"))
                    try append(value: member.value, to: &output, sink)
                    output.append(UInt8(ascii: ","))
                }
                append(score, line, to: &output)
            }
            output.append(0x0A)
        }
        try sink.write(output)
    }
}

/// Whether a line begins like a JSON object with a member.
private func looksLikeRecord(_ line: [UInt8]) -> Bool {
    let rest = line.drop { $0 == 0x20 || $0 == 0x09 }
    guard rest.first == UInt8(ascii: "{") else { return false }
    return rest.dropFirst().first { $0 != 0x20 && $0 != 0x09 } == UInt8(ascii: "\"")
}

/// The input is what `tokenize-pad` writes, not the texts that it read.
public struct ShardInsteadOfTexts: DiagnosableError, Equatable {
    let source: String

    /// The length of safetensors' header, and the brace that it begins with.
    static let bytesThatTell = 9

    /// No text has the zeros of a length below 2²⁴ before a brace.
    static func isBeginning(_ bytes: [UInt8]) -> Bool {
        bytes.count >= bytesThatTell && bytes[3..<8].allSatisfy { $0 == 0 } && bytes[8] == UInt8(ascii: "{")
    }

    public var diagnosis: Diagnosis {
        Diagnosis(
            source: source, problem: "it begins like token shards, not like text",
            remedy: "score the texts that tokenize-pad read", status: .badData)
    }
}
