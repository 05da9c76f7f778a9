// How the events of a run are told in the metrics stream.

import GPT2Kit
import Records

extension MetricsLog {
    /// The keys and values of an event (docs/formats.md).
    func members(_ event: TrainingEvent) -> [(String, JSONValue)] {
        switch event {
        case .start(let start): return beginning("start", [], start)
        case .resume(let start, let step): return beginning("resume", [("step", .number(step))], start)
        case .frozen(let frozen):
            return [
                ("event", .string("frozen")), ("features", .string(frozen.outcome)),
                ("place", .string(frozen.place.rawValue)), ("computed_tokens", .number(frozen.computedTokens)),
                ("reused_tokens", .number(frozen.reusedTokens)),
                ("skipped_tokens", .number(frozen.skippedTokens)), ("bytes", .number(frozen.bytes)),
                ("seconds", .number(frozen.seconds)),
            ]
        case .warning: return []
        case .step(let step, let epoch, let loss, let learningRate, let gradientNorm):
            return [
                ("event", .string("step")), ("step", .number(step)), ("epoch", .number(epoch)), ("loss", .number(loss)),
                ("learning_rate", .number(learningRate)),
            ] + optional("gradient_norm", gradientNorm.map { .number($0) })
        case .evaluation(let step, let trainingLoss, let validationLoss, let isBest):
            return [
                ("event", .string("eval")), ("step", .number(step)), ("train_loss", .number(trainingLoss)),
                ("validation_loss", .number(validationLoss)),
            ] + optional("best", isBest.map(JSONValue.bool))
        case .epoch(let epoch, let step, let trainingAccuracy, let validationAccuracy, let seconds):
            return [
                ("event", .string("epoch")), ("epoch", .number(epoch)), ("step", .number(step)),
                ("train_accuracy", .number(trainingAccuracy)),
                ("validation_accuracy", .number(validationAccuracy)), ("seconds", .number(seconds)),
            ]
        case .checkpoint(let step, _): return [("event", .string("checkpoint")), ("step", .number(step))]
        case .trial(let trial):
            let searched = trial.settings.json(base: base).object?.filter { member in
                search.search?.space.ranges.keys.contains { $0.key == member.key } ?? false
            }
            return [("event", .string("trial")), ("trial", .number(trial.number))]
                + (searched ?? []).map { ($0.key, $0.value) } + [
                    ("outcome", .string(trial.outcome.rawValue)), ("step", .number(trial.steps)),
                    ("steps", .number(trial.stepsOfAllEpochs)),
                    ("validation_loss", .number(trial.validationLoss)),
                    ("validation_accuracy", .number(trial.validationAccuracy)),
                    ("seconds", .number(trial.seconds)),
                ]
        case .end(let end):
            let phases = end.secondsByPhase.map { JSONMember(key: $0.phase.rawValue, value: .number($0.seconds)) }
            return [("event", .string("end"))] + optional("trial", end.trial.map { .number($0) }) + [
                ("reason", .string(end.reason.rawValue)), ("steps", .number(end.steps)),
                ("kept_step", end.kept.step), ("train_loss", .number(end.trainingLoss)),
                ("validation_loss", .number(end.validationLoss)), ("train_accuracy", .number(end.trainingAccuracy)),
                ("validation_accuracy", .number(end.validationAccuracy)),
                ("test_accuracy", .number(end.testAccuracy)), ("seconds", .number(end.seconds)),
                ("seconds_by_phase", .object(phases)),
            ]
        }
    }

    /// What a run is, with its settings.
    private func beginning(
        _ event: String, _ more: [(String, JSONValue)], _ start: TrainingEvent.StartSummary
    ) -> [(String, JSONValue)] {
        let settings = settings.json(base: base).object?.map { ($0.key, $0.value) } ?? []
        let trials =
            optional("search", search.search.map { .string($0.text) })
            + optional("trials", search.count.map { .number($0) })
        return [("event", .string(event))] + more + settings + trials + [
            ("classes", .number(start.classes)), ("parameters", .number(start.parameters)),
            ("trainable_parameters", .number(start.trainableParameters)),
            ("training_rows", .number(start.trainingRows)), ("validation_rows", .number(start.validationRows)),
            ("test_rows", .number(start.testRows)), ("length", .number(start.paddedLength)),
            ("texts", .number(start.texts)), ("distinct_texts", .number(start.distinctTexts)),
            ("tokens", .number(start.tokens)), ("steps", .number(start.steps)),
            ("tokenizer_sha256", .string(start.tokenizerSHA256)),
        ]
    }
}

private func optional(_ key: String, _ value: JSONValue?) -> [(String, JSONValue)] { value.map { [(key, $0)] } ?? [] }

extension TrainingEvent.Kept {
    /// The step; null for an average.
    fileprivate var step: JSONValue {
        switch self {
        case .step(let step): .number(step)
        case .average: .null
        }
    }
}

extension SearchSpace.Name {
    /// The key of the settings.
    fileprivate var key: String { self == .learningRate ? "learning_rate" : rawValue.replacing("-", with: "_") }
}

extension FeatureSummary {
    /// In a word.
    var outcome: String { reusedTokens == 0 ? "computed" : computedTokens == 0 ? "reused" : "partly-reused" }

    /// In a sentence.
    var note: String {
        let all = computedTokens + reusedTokens
        let others = skippedTokens == 0 ? "" : "; those of \(skippedTokens) are other parts'"
        if reusedTokens == 0 { return "features of \(all) tokens computed and kept" + others }
        return "features of \(computedTokens == 0 ? "" : "\(reusedTokens) of ")\(all) tokens found" + others
    }
}
