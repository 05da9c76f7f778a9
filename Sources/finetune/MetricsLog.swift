// The metrics stream on stdout.

import FilterSupport
import GPT2Kit
import Records

/// Writes every event as a line of JSON.
final class MetricsLog {
    private let stream = MetricsStream()
    let settings: TrainingSettings
    let base: String
    let search: SearchOptions
    private let notes: Notes

    init(settings: TrainingSettings, base: String, search: SearchOptions, notes: Notes) {
        self.settings = settings
        self.base = base
        self.search = search
        self.notes = notes
    }

    func write(_ event: TrainingEvent) {
        if case .warning(let diagnosis) = event { return notes.always(diagnosis.message) }
        if case .frozen(let frozen) = event, frozen.place == .directory { notes.always(frozen.note) }
        stream.write(members(event))
    }

    func write(_ comparison: PrecisionAgreement) {
        stream.write([
            ("event", .string("int8")), ("texts", .number(comparison.texts)),
            ("other_labels", .number(comparison.otherLabels)),
            ("largest_difference", .number(comparison.largestDifference)),
        ])
    }

    /// - Throws: `MetricsLost` where not all events could be written; `model` is whole all the same.
    func close(model: String) throws(MetricsLost) { try stream.close(model: model) }
}
