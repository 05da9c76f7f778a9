// What finetune shows: the metrics stream on stdout, the progress bar on stderr.

import FilterSupport
import GPT2Kit
import Records
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Writes every event as a line of JSON. A reader that goes away doesn't end a training run: what happened to the
/// stream is told when the model is written.
final class MetricsLog {
    private let sink = ByteSink.standardOutput()
    private let settings: TrainingSettings
    private let base: String
    private let notes: Notes
    private var failure: StreamError?

    init(settings: TrainingSettings, base: String, notes: Notes) {
        self.settings = settings
        self.base = base
        self.notes = notes
        signal(SIGPIPE, SIG_IGN)
    }

    func write(_ event: TrainingEvent) {
        if case .warning(let diagnosis) = event { return notes.record(diagnosis.message) }
        if case .frozen(let frozen) = event, frozen.place == .directory { notes.record(frozen.note) }
        guard failure == nil else { return }
        do throws(StreamError) {
            try sink.write(line(event))
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

    private func line(_ event: TrainingEvent) -> [UInt8] {
        var json = JSONWriter()
        json.value(.object(members(event).map { JSONMember(key: $0.0, value: $0.1) }))
        json.newline()
        return json.bytes
    }

    private func members(_ event: TrainingEvent) -> [(String, JSONValue)] {
        func number(_ value: Double) -> JSONValue { .number("\(value)") }
        func number(_ value: Int) -> JSONValue { .number("\(value)") }
        func optional(_ key: String, _ value: JSONValue?) -> [(String, JSONValue)] { value.map { [(key, $0)] } ?? [] }
        switch event {
        case .start(let start):
            let settings = settings.json(base: base).object?.map { ($0.key, $0.value) } ?? []
            return [("event", .string("start"))] + settings + [
                ("classes", number(start.classes)), ("parameters", number(start.parameters)),
                ("trainable_parameters", number(start.trainableParameters)),
                ("training_rows", number(start.trainingRows)), ("validation_rows", number(start.validationRows)),
                ("test_rows", start.testRows.map(number) ?? .null), ("length", number(start.paddedLength)),
                ("texts", number(start.texts)), ("distinct_texts", number(start.distinctTexts)),
                ("tokens", number(start.tokens)), ("steps", number(start.steps)),
                ("tokenizer_sha256", .string(start.tokenizerSHA256)),
            ]
        case .frozen(let frozen):
            return [
                ("event", .string("frozen")), ("features", .string(frozen.outcome)),
                ("place", .string(frozen.place.rawValue)), ("computed_tokens", number(frozen.computedTokens)),
                ("reused_tokens", number(frozen.reusedTokens)), ("bytes", number(frozen.bytes)),
                ("seconds", number(frozen.seconds)),
            ]
        case .warning: return []
        case .step(let step, let epoch, let loss, let learningRate, let gradientNorm):
            return [
                ("event", .string("step")), ("step", number(step)), ("epoch", number(epoch)), ("loss", number(loss)),
                ("learning_rate", number(learningRate)),
            ] + optional("gradient_norm", gradientNorm.map(number))
        case .evaluation(let step, let trainingLoss, let validationLoss, let isBest):
            return [
                ("event", .string("eval")), ("step", number(step)), ("train_loss", number(trainingLoss)),
                ("validation_loss", number(validationLoss)),
            ] + optional("best", isBest.map(JSONValue.bool))
        case .epoch(let epoch, let step, let trainingAccuracy, let validationAccuracy, let seconds):
            return [
                ("event", .string("epoch")), ("epoch", number(epoch)), ("step", number(step)),
                ("train_accuracy", number(trainingAccuracy)),
                ("validation_accuracy", number(validationAccuracy)), ("seconds", number(seconds)),
            ]
        case .end(let end):
            let phases = end.secondsByPhase.map { JSONMember(key: $0.phase.rawValue, value: number($0.seconds)) }
            return [
                ("event", .string("end")), ("reason", .string(end.reason.rawValue)), ("steps", number(end.steps)),
                ("kept_step", number(end.keptStep)), ("train_loss", number(end.trainingLoss)),
                ("validation_loss", number(end.validationLoss)), ("train_accuracy", number(end.trainingAccuracy)),
                ("validation_accuracy", number(end.validationAccuracy)),
                ("test_accuracy", end.testAccuracy.map(number) ?? .null), ("seconds", number(end.seconds)),
                ("seconds_by_phase", .object(phases)),
            ]
        }
    }
}

extension FrozenSummary {
    /// In a word.
    var outcome: String { reusedTokens == 0 ? "computed" : computedTokens == 0 ? "reused" : "partly-reused" }

    /// In a sentence.
    var note: String {
        let all = computedTokens + reusedTokens
        if reusedTokens == 0 { return "features of \(all) tokens computed and kept" }
        return "features of \(computedTokens == 0 ? "" : "\(reusedTokens) of ")\(all) tokens found"
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

/// One bar for the frozen blocks, one for the steps.
final class TrainingDisplay: Sendable {
    private struct State: ~Copyable {
        var frozen: ProgressBar?
        var training: ProgressBar?
    }
    private let quiet: Bool
    private let state = Mutex(State())

    init(quiet: Bool) { self.quiet = quiet }

    func show(_ progress: TrainingProgress) {
        state.withLock { state in
            switch progress {
            case .frozen(let done, let total):
                let bar =
                    state.frozen
                    ?? ProgressBar(
                        tool: "finetune", label: "frozen blocks", total: total, unit: "tokens", quiet: quiet)
                state.frozen = bar
                bar.update(done)
            case .training(let done, let total, let loss):
                state.frozen = nil
                let bar =
                    state.training
                    ?? ProgressBar(
                        tool: "finetune", label: "training", total: total, unit: "steps", quiet: quiet)
                state.training = bar
                bar.update(done, detail: "loss \((loss * 10_000).rounded() / 10_000)")
            }
        }
    }

    func finish() {
        state.withLock { state in
            state.frozen = nil
            state.training = nil
        }
    }
}

/// Reads whole streams of shards.
enum Shards {
    /// - Parameter path: nil for stdin.
    static func read(_ path: String?) throws -> LabelledTexts {
        let source = try ByteSource(path: path)
        return LabelledTexts(source: source.name, texts: try ShardReader.readAll(source))
    }

    /// Fails now rather than after the training, where the model directory can't be written.
    static func requireWritable(_ directory: String) throws {
        let output = try AtomicDirectory(path: directory)
        _ = try output.file("model.safetensors")
        output.cancel()
    }
}
