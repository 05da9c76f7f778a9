// explain: texts in, the words that make their labels out.

import ArgumentParser
import FilterSupport
import GPT2Kit
import Records

@main
struct Explain: Filter {
    static let leastMemory = 64 << 20

    static let configuration = CommandConfiguration.filter(
        "explain", "Find the words of a text that make its label.",
        discussion: """
            Reads one text per line, or NDJSON records (--input ndjson). Every word, a run without white space, is deleted in \
            turn, and what is left is scored. The weight of a word is by how much the log-odds of the label are higher with it.
            Writes a line of NDJSON for each text: what score writes, then every word with its place in bytes and its weight. \
            On a terminal it writes the text instead, words for the label in green and those against it in red, and the \
            heaviest ones with their weights.
            A text costs about half a pass through the model for each of its words: what comes before a word isn't computed \
            again. Texts longer than the model's padded length are cut; the weight of a word behind that is 0.
            Streams: holds the weights, and the states of one text and its copies.

            EXAMPLES
              echo 'Get a loan of 5000 today' | explain --model build/demo/model
              explain --model model --input ndjson spam.ndjson --counterfactual \\
                | jq -r '.counterfactual.removed | join(" ")'
            """,
        exits: ExitCodes([
            .badData: "bad line, or damaged weights",
            .unavailable: "oneDNN can't do what is needed",
            .configuration: "incomplete model, or a decision of another one",
        ]))

    enum Format: String, CaseIterable, ExpressibleByArgument { case ndjson, text }

    @Option(help: ArgumentHelp("The model directory.", valueName: "dir"))
    var model: String

    @Option(name: .customLong("input"), help: "What a line is.")
    var kind = TextInput.Kind.text

    @Option(help: "The form of the output. (default: text on a terminal, else ndjson)")
    var format: Format?

    @Option(
        help: ArgumentHelp("The label to explain. (default: the one that a text gets)", valueName: "label"))
    var label: String?

    @Flag(help: "Also find few words whose deletion changes the label, by deleting the heaviest one again and again.")
    var counterfactual = false

    @Option(
        help: ArgumentHelp("The most words that --counterfactual deletes. (default: 10)", valueName: "n"),
        transform: positiveInteger)
    var most: Int?

    @Flag(help: "Leave out what calibrate has fitted for the model.")
    var raw = false

    @Option(help: "The number type of matrix products; auto is bf16 if the CPU is faster with it, else f32.")
    var precision = ScoringPrecision.auto

    @OptionGroup var input: InputArgument
    @OptionGroup var records: RecordOptions
    @OptionGroup var threads: ThreadsOption
    @OptionGroup var verbosity: QuietOption

    func validate() throws {
        guard most == nil || counterfactual else { throw ValidationError("--most goes with --counterfactual") }
    }

    func run() throws {
        let reader = records.lines.reader(try input.open())
        let classifier = try Classifier(directory: model, workers: Workers(count: threads.count))
        classifier.weightsCheck?.begin()
        let wanted = try label.map { name in
            guard let index = classifier.labels.index(ofLabel: name) else {
                throw UsageError.unknownLabel(name, of: classifier.labels)
            }
            return index
        }
        let scorer = try Scorer(
            classifier, decision: raw ? nil : ClassifierDescription.decision(of: model), precision: precision.precision,
            workers: Workers(count: threads.count))
        let explainer = Explainer(scorer)
        let output = ExplanationOutput(labels: classifier.labels, isColoured: Terminal.isOutputColoured)
        let format = format ?? (Terminal.isStandardOutput ? .text : .ndjson)
        var texts = TextInput(
            reader, kind: kind, fields: records.fields, labelKey: records.fields.label,
            ownKeys: ScoreStream.resultKeys + ["words", "counterfactual"])
        let sink = ByteSink.standardOutput()
        var (repaired, truncated) = (0, 0)
        while let text = try texts.next() {
            let before = scorer.truncated
            var explanation = try explainer.explain(text.text, label: wanted)
            truncated += scorer.truncated - before
            if counterfactual { explanation.counterfactual = try explainer.counterfactual(text.text, most: most ?? 10) }
            try classifier.weightsCheck?.wait()
            switch format {
            case .ndjson:
                try sink.write(
                    explanation.json(of: text, labels: classifier.labels, hasCounterfactual: counterfactual))
            case .text: try sink.write(output.text(text, explanation, hasCounterfactual: counterfactual))
            }
            try sink.flush()
            repaired += text.isRepaired ? 1 : 0
        }
        try sink.close()
        verbosity.notes("explain").truncated(texts: truncated, to: classifier.paddedLength)
        verbosity.notes("explain").repaired(lines: repaired)
    }
}

extension TextInput.Kind: ExpressibleByArgument {}

extension ScoringPrecision: ExpressibleByArgument {}
