// score: texts in, labels and probabilities out.

import ArgumentParser
import FilterSupport
import GPT2Kit
import Records

@main
struct ScoreCommand: Filter {
    static let leastMemory = 64 << 20

    static let configuration = CommandConfiguration.filter(
        "score", "Label texts with a fine-tuned classifier.",
        discussion: """
            Reads one text per line, or NDJSON records (--input ndjson).
            Writes one line of NDJSON per line, in order: the text, or the record's own keys (its label as "expected"), \
            then line, label, probability and the probabilities of all classes. A line that can't be read becomes \
            {"line":N,"error":…}; the others are scored all the same, and the exit code is 65.
            Streams: memory doesn't grow with the input. Texts longer than the model's padded length are cut.
            The weights are compared with the checksum in the model's config.json before anything is written. Weights of \
            64 MiB and more take longer to check than a few texts take to score: for less than 16 KiB in less than \
            1,024 lines, only --verify checks them. The same holds for smaller weights with a copy \
            made by --prepack. With --line-buffered they are checked after the first answer.
            What calibrate has fitted for the model is applied: probabilities are calibrated, its threshold decides, and where \
            it has sets each answer has the plausible labels and a verdict, the label or "unsure". --raw leaves that out.
            A model can also be what baseline has trained. With --cascade such a model answers first, and GPT-2 is asked about \
            the texts that it is unsure of; every answer says who gave it ("by"). With --average both count. What calibrate \
            has fitted is then left out: it holds for GPT-2 alone.

            EXAMPLE
              score --model build/demo/model < messages.txt \\
                | jq -r 'select(.label == "spam").text'
              score --model model --prepack --exit-status spam < mail.txt
              tail -F inbox.log | score --model model --line-buffered
              score --model model --cascade linear < messages.txt
            """,
        exits: ExitCodes([
            .badData: "bad lines, token shards as input, or damaged weights",
            .unavailable: "oneDNN can't do what is needed",
            .configuration: "incomplete model, or a decision of another one",
        ]))

    @OptionGroup var models: ModelOptions

    @Option(name: .customLong("input"), help: "What a line is.")
    var kind = ScoreStream.Input.text

    @Flag(help: "Answer every line as soon as it arrives.")
    var lineBuffered = false

    @Option(
        help: ArgumentHelp(
            """
            Choose this label if its probability is at least p, even if another is likelier; below p, choose another. \
            Repeatable: of the labels that reach their p, the likeliest is chosen; if none does, the likeliest without a p.
            """, valueName: "label=p"))
    var threshold: [String] = []

    @Flag(help: "Leave out what calibrate has fitted for the model.")
    var raw = false

    @Option(
        help: ArgumentHelp(
            """
            Take the whole input as one text, line feeds included (with --input ndjson: one record), and end with 0 if the \
            verdict is this label, 1 if it is another, 2 if the model is unsure. Errors have their codes from 64 on.
            """, valueName: "label"))
    var exitStatus: String?

    @Option(
        help: ArgumentHelp(
            "The number of the first line, where the input is a stretch of a longer one. (default: 1)", valueName: "n"),
        transform: positiveInteger)
    var firstLine = 1

    @Option(help: "The number type of matrix products; auto is bf16 if the CPU is faster with it, else f32.")
    var precision = ScoringPrecision.auto

    @Flag(
        help: """
            Keep a copy of the weights in the model directory, in the order in which this CPU multiplies them \
            (prepacked.safetensors, about as large): every later start is faster. A copy of other weights, or \
            of a CPU that wants another order, is replaced.
            """)
    var prepack = false

    @Option(
        help: ArgumentHelp(
            """
            With int8: of the first n texts, report how many get a different label than with auto; 0 for no check. \
            An input of fewer texts isn't checked. (default: 128)
            """, valueName: "n"),
        transform: nonNegativeInteger)
    var check = 128

    @Flag(
        help: """
            Check the weights before anything is read, however large they are, and say so if the model has no checksum. \
            With an empty input, score does nothing else.
            """)
    var verify = false

    @OptionGroup var input: InputArgument
    @OptionGroup var records: RecordOptions
    @OptionGroup var threads: ThreadsOption
    @OptionGroup var verbosity: QuietOption

    func validate() throws {
        // Many JSON readers keep whole numbers exactly only up to this.
        guard firstLine <= 1 << 53 else { throw ValidationError("--first-line is at most 2^53") }
    }

    func run() throws {
        let workers = Workers(count: threads.count)
        let source = try input.open()
        let reader =
            try exitStatus == nil
            ? records.lines.reader(source, firstLine: firstLine)
            // Its length has been checked, and a text in JSON is longer.
            : LineReader(oneRecord(source), maximumLineLength: .max, firstLine: firstLine)
        var models = try Models(models, raw: raw, workers: workers)
        guard models.hasPrecision || (precision == .auto && !prepack) else {
            throw UsageError(
                "\(models.directory) is a linear model, which has no precision to choose and nothing to prepack",
                remedy: "leave --precision and --prepack out")
        }
        let wanted = try exitStatus.map { try index(of: $0, in: models.labels) }
        if verify, !(try models.verifyWeights()) {
            verbosity.notes("score").always("\(models.directory): its config.json names no checksum of the weights")
        }
        models.thresholds = try thresholds(models.labels)
        let sink = ByteSink.standardOutput()
        let bar = ProgressBar(tool: "score", label: "scoring", total: nil, unit: "lines", quiet: verbosity.quiet)
        let check =
            precision == .int8 && !verbosity.quiet && models.hasPrecision
            ? ScoreStream.Check(texts: self.check) { [models] in try models.scorer(.automatic) } : nil
        let scorer = try models.scorer(precision.precision) { scorer in
            if prepack { try keepPrepacked(of: scorer) }
        }
        var stream = ScoreStream(
            scorer, input: exitStatus == nil ? kind : .ndjson, fields: records.fields,
            check: check)
        let report = try stream.run(
            reader, into: sink, lineBuffered: lineBuffered,
            beginsLikeJSON: { verbosity.notes("score").always("line 1 begins like JSON: --input ndjson?") },
            progress: { bar.update($0) })
        try sink.close()
        bar.finish()
        verbosity.notes("score").truncated(texts: report.truncated, to: models.paddedLength)
        verbosity.notes("score").repaired(lines: report.repaired)
        if let comparison = report.comparison {
            verbosity.notes("score").always(
                """
                int8: \(comparison.otherLabels) of \(comparison.texts) labels differ from \
                \(Precision.automatic.rawValue)'s, probabilities by up to \(Float(comparison.largestDifference))
                """)
        }
        if report.errors > 0 { throw BadLines(source: reader.source.name, report) }
        // The model isn't taken apart before the end.
        withExtendedLifetime(scorer) { endProcess(wanted.flatMap { status(report.last, wanted: $0) } ?? 0) }
    }

    /// What `--exit-status` promises; nil where there was no text.
    private func status(_ last: Score?, wanted: Int) -> Int32? {
        last.map { score in score.verdict.map { $0 == wanted ? 0 : 1 } ?? 2 }
    }

    /// Writes the prepacked copy. Scores don't need it, so where it can't be written that is said, and nothing more.
    private func keepPrepacked(of scorer: Scorer) throws {
        let note: String
        do {
            if try scorer.prepack() { return }
            note = "\(models.model): weights of this precision can't be kept prepacked"
        } catch let error as StreamError {
            let reason = error.diagnosis
            note = "\(reason.source ?? models.model): \(reason.problem): the weights aren't kept prepacked"
        }
        verbosity.notes("score").always(note)
    }

    /// The whole input as a line with one record.
    private func oneRecord(_ source: ByteSource) throws -> ByteSource {
        var bytes = try source.readAll(maximum: records.lines.maxLine)
        if kind == .ndjson {
            while let last = bytes.last, [0x0A, 0x0D, 0x20].contains(last) { bytes.removeLast() }
            guard !bytes.contains(0x0A), !bytes.isEmpty else {
                throw UsageError("with --exit-status the input has to be one record", remedy: "score them one by one")
            }
            return ByteSource(bytes: bytes + [0x0A], name: source.name)
        }
        if bytes.last == 0x0A { bytes.removeLast() }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        if UTF8.firstInvalidOffset(in: bytes[...]) != nil {
            verbosity.notes("score").always("bytes that are not UTF-8, read as U+FFFD")
        }
        var json = JSONWriter()
        json.beginObject()
        json.key(records.fields.text)
        json.string(String(decoding: bytes, as: UTF8.self))
        json.endObject()
        json.newline()
        return ByteSource(bytes: json.bytes, name: source.name)
    }

    private func index(of name: String, in labels: [String]) throws -> Int {
        guard let label = labels.index(ofLabel: name) else { throw UsageError.unknownLabel(name, of: labels) }
        return label
    }

    private func thresholds(_ labels: [String]) throws -> [Threshold] {
        try threshold.flatMap { text in
            do throws(LabelNumbers.Mistake) {
                return try LabelNumbers.pairs(text, accepts: (0...1).contains)
            } catch {
                throw UsageError(
                    "'\(error.text)' is not LABEL=PROBABILITY", remedy: "write it like --threshold spam=0.9")
            }
        }.map { Threshold(label: try index(of: $0.label, in: labels), probability: $0.number) }
    }
}

/// The one line at the end of a stream in which some lines were bad.
struct BadLines: DiagnosableError {
    let source: String
    let errors: Int
    let lines: Int
    let first: Diagnosis?

    init(source: String, _ report: ScoreStream.Report) {
        self.source = source
        (errors, lines, first) = (report.errors, report.lines, report.firstError)
    }

    var diagnosis: Diagnosis {
        var problem = "\(errors) of \(lines) lines could not be scored"
        if let first, case .line(let line) = first.position { problem += ", first line \(line) (\(first.problem))" }
        return Diagnosis(
            source: source, problem: problem, remedy: "look for \"error\" in the output", status: .badData,
            choice: first?.choice)
    }
}

extension ScoreStream.Input: ExpressibleByArgument {}

extension ScoringPrecision: ExpressibleByArgument {}
