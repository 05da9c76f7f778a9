// The settings of a run as JSON: the beginning of the metrics stream, and a part of config.json.

import Records

extension TrainingSettings {
    /// All settings that affect the result, and the base that training started from.
    public func json(base: String) -> JSONValue {
        let adapters: [(String, JSONValue)] =
            if case .lora(let lora) = trainable {
                [
                    ("lora_rank", .number(lora.rank)), ("lora_alpha", .number(lora.alpha)),
                    ("lora_targets", .array(lora.layerNames.map(JSONValue.string))),
                ]
            } else {
                []
            }
        let members: [(String, JSONValue)] =
            [("base", .string(base)), ("trainable", .string("\(trainable)"))] + adapters + [
                ("pooling", .string(pooling.rawValue)), ("causal_mask", .bool(causalMask)),
                ("precision", .string(precision.rawValue)),
                ("training_precision", .string(trainingPrecision.rawValue)),
                ("epochs", .number(epochs)), ("batch", .number(batch)),
                ("accumulate", .number(accumulate)),
                ("learning_rate", .number(learningRate)), ("schedule", .string(schedule.shape.rawValue)),
                ("warmup", schedule.warmup.json), ("layer_decay", .number(layerDecay.factor)),
                ("weight_decay", .number(weightDecay)),
                ("clip_norm", .number(clipNorm)), ("dropout", .number(dropout)),
                ("word_dropout", .number(wordDropout)),
                ("label_smoothing", .number(labelSmoothing)), ("class_weights", classWeights.json),
                ("patience", .number(patience)), ("keep", .string(keep.rawValue)),
                ("ema", .number(averageDecay)),
                ("max_steps", .number(maxSteps)), ("max_minutes", .number(maxMinutes)),
                ("shuffle", .string(shuffle.rawValue)), ("seed", .number(seed)),
            ]
        return .object(members.map { JSONMember(key: $0.0, value: $0.1) })
    }

    /// Texts of a step: ``batch`` × ``accumulate``, at most `Int.max`.
    package var rowsOfStep: Int { batch.multipliedSaturating(by: accumulate) }

    /// Steps of a run whose epochs have `count` steps, unless it ends early.
    func steps(ofEpoch count: Int) -> Int { min(count.multipliedSaturating(by: epochs), maxSteps ?? .max) }
}

extension LearningRateSchedule.Warmup {
    var json: JSONValue {
        switch self {
        case .steps(let count): .number(count)
        case .share(let share): .number(share)
        }
    }
}

extension ClassWeights {
    fileprivate var json: JSONValue {
        switch self {
        case .equal: .null
        case .balanced: .string("balanced")
        case .named(let weights): .object(weights.map { JSONMember(key: $0.label, value: .number($0.weight)) })
        }
    }
}

extension LoRA {
    /// The names of ``layers``, in the order of a block.
    package var layerNames: [String] { Layer.allCases.filter(layers.contains).map(\.rawValue) }
}

extension JSONValue {
    /// The members of an object, with their values as JSON, but for some.
    func entries(without excluded: Set<String>) -> [(name: String, value: String)] {
        (object ?? []).filter { !excluded.contains($0.key) }.map { member in
            var json = JSONWriter()
            json.value(member.value)
            return (member.key, String(decoding: json.bytes, as: UTF8.self))
        }
    }
}
