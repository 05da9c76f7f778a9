// The scores that a decision is fitted on.

import Evaluation
import GPT2Kit
import Records
import Tokenization

/// Scored records of one model, compared with the texts that it was trained on.
struct ValidationScores {
    private(set) var records = ScoredRecords()
    /// Records whose text the model was trained on.
    private(set) var trained = 0
    /// Records of which that isn't known.
    private(set) var unchecked = 0

    /// - Throws: what reading throws; ``BadValidation``.
    init(_ lines: LineReader, fields: RecordFields, of model: ClassifierDescription) throws {
        var reader = ScoredRecordReader(lines, fields: fields)
        let texts = try TrainedTexts(directory: model.directory)
        var encoder = try texts.map { _ in TokenEncoder(try Tokenizer(directory: model.directory)) }
        // What tokenize-pad makes of an empty text.
        let pad = [encoder?.tokenizer.endOfText ?? 0][...]
        while let scored = try reader.next() {
            guard let probabilities = scored.probabilities else {
                throw BadValidation(
                    reader.source, scored.line, "no \"probabilities\" in this record", "score it with score --raw")
            }
            if reader.value(of: "calibrated") != nil {
                throw BadValidation(
                    reader.source, scored.line, "these probabilities are calibrated already",
                    "score the records with score --raw")
            }
            if reader.value(of: "by") != nil {
                throw BadValidation(
                    reader.source, scored.line, "these are the probabilities of a cascade",
                    "score the records with this model alone")
            }
            guard Set(probabilities.map(\.label)) == Set(model.labels.map { Array($0.utf8) }) else {
                throw BadValidation(
                    reader.source, scored.line, "the probabilities are not of the model's labels",
                    "score the records with this model")
            }
            try records.add(scored, source: reader.source)
            guard let texts, encoder != nil, let text = try? reader.record?.textBytes() else {
                unchecked += 1
                continue
            }
            let tokens = encoder?.encode(text).prefix(model.paddedLength) ?? []
            if texts.contains(tokens.isEmpty ? pad : tokens) { trained += 1 }
        }
        guard records.count > 0 else { throw EvaluationError.noRecords(source: reader.source) }
        records.finish()
        try check(model, reader.source)
    }

    private func check(_ model: ClassifierDescription, _ source: String) throws {
        for label in model.labels where records.labels.index(ofLabel: label) == nil {
            throw BadValidation(source, nil, "no probability of '\(label)'", "score the records with this model")
        }
        for (index, label) in records.labels.enumerated() {
            guard model.labels.index(ofLabel: label) != nil else {
                throw BadValidation(
                    source, nil, "the model has no label '\(label)', which records have", "leave these records out")
            }
            guard records.expected.contains(Int32(index)) else {
                throw BadValidation(
                    source, nil, "no record has the label '\(label)'", "add records of every label of the model")
            }
        }
        guard 2 * trained <= records.count else {
            throw BadValidation(
                source, nil, "the model was trained on \(trained) of the \(records.count) texts",
                "fit it on a validation part that it hasn't seen")
        }
    }
}

/// Scores that no decision can be fitted on.
struct BadValidation: DiagnosableError {
    let diagnosis: Diagnosis

    init(_ source: String, _ line: Int?, _ problem: String, _ remedy: String) {
        diagnosis = Diagnosis(
            source: source, position: line.map { .line($0) }, problem: problem, remedy: remedy, status: .badData)
    }

    /// So few records of other labels that even without a mistake they promise nothing.
    static func tooFew(_ others: Int, needed: Int, _ source: String) -> BadValidation {
        BadValidation(
            source, nil, "\(others) records of other labels are too few for this rate and confidence",
            "add records until there are \(needed), raise --max-fpr, or lower --confidence")
    }
}
