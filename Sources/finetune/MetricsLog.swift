// The metrics stream on stdout.

import FilterSupport
import GPT2Kit
import Platform
import Records

/// Writes every event as a line of JSON. A reader that goes away doesn't end a training run: what happened to the
/// stream is told when the model is written.
final class MetricsLog {
    private let sink = ByteSink.standardOutput()
    let settings: TrainingSettings
    let base: String
    let search: SearchOptions
    private let notes: Notes
    private var failure: StreamError?

    init(settings: TrainingSettings, base: String, search: SearchOptions, notes: Notes) {
        self.settings = settings
        self.base = base
        self.search = search
        self.notes = notes
        signal(SIGPIPE, SIG_IGN)
    }

    func write(_ event: TrainingEvent) {
        if case .warning(let diagnosis) = event { return notes.always(diagnosis.message) }
        if case .frozen(let frozen) = event, frozen.place == .directory { notes.always(frozen.note) }
        write(line: members(event))
    }

    func write(_ comparison: PrecisionAgreement) {
        write(line: [
            ("event", .string("int8")), ("texts", .number("\(comparison.texts)")),
            ("other_labels", .number("\(comparison.otherLabels)")),
            ("largest_difference", .number("\(comparison.largestDifference)")),
        ])
    }

    private func write(line members: [(String, JSONValue)]) {
        guard failure == nil else { return }
        var json = JSONWriter()
        json.value(.object(members.map { JSONMember(key: $0.0, value: $0.1) }))
        json.newline()
        do throws(StreamError) {
            try sink.write(json.bytes)
            try sink.flush()
        } catch {
            failure = error
        }
    }

    /// - Throws: ``MetricsLost`` where not all events could be written; `model` is whole all the same.
    func close(model: String) throws(MetricsLost) {
        do throws(StreamError) {
            if let failure { throw failure }
            try sink.close()
        } catch {
            throw MetricsLost(model: model, cause: error)
        }
    }
}

/// The model is written, but its metrics aren't.
struct MetricsLost: DiagnosableError {
    let model: String
    let cause: StreamError

    var diagnosis: Diagnosis {
        var diagnosis = cause.diagnosis
        diagnosis.remedy = "the metrics are incomplete, the model in \(model) isn't; to have both, write them to a file"
        return diagnosis
    }
}
