// report: what a run has left in, one page of HTML out.

import ArgumentParser
import Evaluation
import FilterSupport
import Records

@main
struct ReportCommand: Filter {
    static let configuration = CommandConfiguration.filter(
        "report", "Write one page about a run: data, training, results, mistakes.",
        discussion: """
            Reads the files of a run and writes a page of HTML. It holds everything that it shows, needs no network and no script, \
            and can be read on a phone, in light or dark. What isn't given isn't on the page.
            The page quotes texts of the data: the mistakes and the suspects. Share it only with people who may read them.
            Buffers: the scores' labels and probabilities, the training texts and about 400 bytes for each, the figures.

            EXAMPLE
              report --title demo --part train=build/demo/train.ndjson \\
                --part test=build/demo/test.ndjson \\
                --metrics build/demo/metrics.ndjson --scores build/demo/scores.ndjson \\
                --figure 'Loss=build/demo/loss.svg' > report.html
            """,
        exits: ExitCodes([
            .badData: "a file that isn't what its option takes"
        ]))

    @Option(help: ArgumentHelp("The heading of the page.", valueName: "text"))
    var title = "Text classifier"

    @Option(
        help: ArgumentHelp(
            "A part of the records, train, validation or test. Repeatable.", valueName: "name=file"))
    var part: [String] = []

    @Option(help: ArgumentHelp("The metrics of finetune.", valueName: "file"))
    var metrics: String?

    @Option(help: ArgumentHelp("The scored test records.", valueName: "file"))
    var scores: String?

    @Option(
        help: ArgumentHelp(
            "The scored validation records, to show what a fitted temperature changes.", valueName: "file"))
    var validationScores: String?

    @Option(
        help: ArgumentHelp("The same test records, scored by the model of baseline.", valueName: "file"))
    var baseline: String?

    @Option(
        help: ArgumentHelp(
            "Explained records with their labels, as explain --input ndjson writes them: the worst mistakes.",
            valueName: "file"))
    var mistakes: String?

    @Option(help: ArgumentHelp("Suspected records, as suspects --records writes them.", valueName: "file"))
    var suspects: String?

    @Option(
        help: ArgumentHelp("A figure, an SVG file, and what it shows. Repeatable.", valueName: "caption=file"))
    var figure: [String] = []

    @Option(
        help: ArgumentHelp("Of two labels, the one whose curves are computed.", valueName: "label"))
    var positive: String?

    @OptionGroup var lines: LineOptions
    @OptionGroup var seed: SeedOption
    @OptionGroup var verbosity: QuietOption  // It has nothing to say, but all filters take it.

    func validate() throws {
        guard scores != nil || (validationScores == nil && baseline == nil && positive == nil) else {
            throw ValidationError("--validation-scores, --baseline and --positive go with --scores")
        }
        try InputArgument.requireOneStandardInput([metrics, scores, validationScores, baseline, mistakes, suspects])
    }

    func run() throws {
        var page = Page(title: title)
        // What people look for first.
        if let scores { page.add(try ResultSection(self, scores: scores)) }
        let parts = try part.map { try named($0, "--part", "train=train.ndjson") }
        let figures = try figure.map { try named($0, "--figure", "Loss=loss.svg") }
        if !figures.isEmpty { page.add(try FigureSection(figures)) }
        if let mistakes {
            let wanted = (["text", "expected", "label"], "give it what explain writes of scored records")
            page.add(MistakeSection(try objects(mistakes, "--mistakes", wanted)))
        }
        if let suspects {
            let wanted = (["text", "expected", "label"], "give it what suspects --records writes")
            page.add(SuspectSection(try objects(suspects, "--suspects", wanted)))
        }
        if !parts.isEmpty { page.add(try DataSection(parts, lines: lines)) }
        if let metrics {
            page.add(TrainingSection(try objects(metrics, "--metrics", (["event"], "give it what finetune writes"))))
        }
        let files = [metrics, scores, validationScores, baseline, mistakes, suspects].compactMap { $0 }
        page.add(try InputSection(parts.map(\.value) + files + figures.map(\.value)))
        let sink = ByteSink.standardOutput()
        try sink.write(page.html)
        try sink.close()
    }

    private func named(_ text: String, _ option: String, _ example: String) throws -> (name: String, value: String) {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2 else {
            throw UsageError("'\(text)' is not NAME=FILE", remedy: "write it like \(option) \(example)")
        }
        return (parts[0], parts[1])
    }

    /// The objects of an NDJSON file.
    ///
    /// - Parameters:
    ///   - path: of the file.
    ///   - option: that names it.
    ///   - wanted: the strings that every object has, and what to do where one hasn't.
    private func objects(
        _ path: String, _ option: String, _ wanted: (keys: [String], remedy: String)
    ) throws -> [JSONValue] {
        var reader = lines.reader(try ByteSource(path: path), fields: RecordFields())
        var result: [JSONValue] = []
        while let record = try reader.next() {
            let value = try JSONValue(parsing: record.line.bytes, source: path)
            if let key = wanted.keys.first(where: { value[$0]?.string == nil }) {
                throw OtherFile(
                    path: path, line: record.line.number, problem: "no \"\(key)\": it isn't what \(option) takes",
                    remedy: wanted.remedy)
            }
            result.append(value)
        }
        return result
    }

    /// A reader of a file's scored records.
    func reader(_ path: String) throws -> ScoredRecordReader {
        ScoredRecordReader(lines.reader(try ByteSource(path: path)))
    }

}

/// A file that isn't what its option takes.
struct OtherFile: DiagnosableError {
    let path: String
    let line: Int
    let problem: String
    let remedy: String

    var diagnosis: Diagnosis {
        Diagnosis(source: path, position: .line(line), problem: problem, remedy: remedy, status: .badData)
    }
}
