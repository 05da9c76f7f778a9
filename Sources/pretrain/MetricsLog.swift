// The metrics stream on stdout (docs/formats.md).

import FilterSupport
import GPT2Kit
import Records

/// Writes every event as a line of JSON.
final class MetricsLog {
    private let stream = MetricsStream()
    private let settings: PretrainingSettings
    private let base: String
    private let notes: Notes

    init(settings: PretrainingSettings, base: String, notes: Notes) {
        self.settings = settings
        self.base = base
        self.notes = notes
    }

    func write(_ event: PretrainingEvent) {
        if case .warning(let diagnosis) = event { return notes.always(diagnosis.message) }
        let members = members(event)
        if !members.isEmpty { stream.write(members) }
    }

    /// - Throws: `MetricsLost` where not all events could be written; `model` is whole all the same.
    func close(model: String) throws(MetricsLost) { try stream.close(model: model) }

    private func members(_ event: PretrainingEvent) -> [(String, JSONValue)] {
        switch event {
        case .start(let start): return beginning("start", [], start)
        case .resume(let start, let step): return beginning("resume", [("step", .number(step))], start)
        case .warning, .counted: return []
        case .embedded(let seconds): return [("event", .string("embeddings")), ("seconds", .number(seconds))]
        case .step(let step):
            return [
                ("event", .string("step")), ("step", .number(step.step)), ("epoch", .number(step.epoch)),
                ("tokens", .number(step.tokens)),
                ("tokens_per_second", .number(step.tokensPerSecond.rounded())), ("loss", .number(step.loss)),
                ("learning_rate", .number(step.learningRate)),
            ] + (step.gradientNorm.map { [("gradient_norm", .number($0))] } ?? [])
        case .evaluation(let step, let loss, let seconds):
            return [("event", .string("eval")), ("step", .number(step))] + found(loss) + [("seconds", .number(seconds))]
        case .checkpoint(let step, _): return [("event", .string("checkpoint")), ("step", .number(step))]
        case .end(let end):
            let phases = end.secondsByPhase.map { JSONMember(key: $0.phase.rawValue, value: .number($0.seconds)) }
            return [
                ("event", .string("end")), ("reason", .string(end.reason.rawValue)), ("steps", .number(end.steps)),
                ("tokens", .number(end.tokens)), ("kept", .string(end.keepsAverage ? "average" : "last")),
            ] + found(end.kept) + [
                ("last_validation_loss", .number(end.last.loss)),
                ("average_validation_loss", .number(end.average?.loss)),
                ("seconds", .number(end.seconds)), ("seconds_by_phase", .object(phases)),
            ]
        }
    }

    private func found(_ loss: CorpusLoss) -> [(String, JSONValue)] {
        [("validation_loss", .number(loss.loss)), ("bits_per_byte", .number(loss.bitsPerByte))]
    }

    /// What a run is, with its settings.
    private func beginning(
        _ event: String, _ more: [(String, JSONValue)], _ start: PretrainingEvent.StartSummary
    ) -> [(String, JSONValue)] {
        let settings = settings.json(base: base).object?.map { ($0.key, $0.value) } ?? []
        return [("event", .string(event))] + more + settings + [
            ("parameters", .number(start.parameters)), ("training_rows", .number(start.trainingRows)),
            ("training_tokens", .number(start.trainingTokens)), ("validation_rows", .number(start.validationRows)),
            ("validation_tokens", .number(start.validationTokens)), ("length", .number(start.paddedLength)),
            ("steps", .number(start.steps)), ("steps_per_epoch", .number(start.stepsPerEpoch)),
            ("tokenizer_sha256", .string(start.tokenizerSHA256)),
        ]
    }
}

extension PretrainingEvent.EndSummary {
    /// The run in one line.
    var text: String {
        let bits = kept.bitsPerByte.map { ", \(rounded($0)) bits a byte" } ?? ""
        var text = "\(steps) steps, \(tokens) tokens, \(Int(seconds)) s: \(rounded(kept.loss)) nats a token\(bits)"
        if let average {
            text +=
                keepsAverage
                ? " with the averaged weights, which are kept (the last: \(rounded(last.loss)))"
                : " with the last weights, which are kept (averaged: \(rounded(average.loss)))"
        }
        return text
    }
}

/// With four digits behind the point.
func rounded(_ value: Double) -> String { "\((value * 10_000).rounded() / 10_000)" }
