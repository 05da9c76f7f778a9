// The settings of a pretraining run as JSON: the beginning of the metrics stream, and a part of config.json.

import Records

extension PretrainingSettings {
    /// All settings that affect the result, and the base that training started from.
    public func json(base: String) -> JSONValue {
        let members: [(String, JSONValue)] = [
            ("base", .string(base)), ("embeddings", .string(embeddings.rawValue)), ("epochs", .number(epochs)),
            ("max_steps", .number(maxSteps)),
            ("max_minutes", .number(maxMinutes)), ("batch_rows", .number(rows)),
            ("learning_rate", .number(learningRate)),
            ("muon_learning_rate", optimizer == .muon ? .number(muonRate) : .null),
            ("schedule", .string(schedule.shape.rawValue)),
            ("warmup", schedule.warmup.json), ("decay_from", .number(schedule.decayFrom)),
            ("beta1", .number(beta1)), ("beta2", .number(beta2)),
            ("weight_decay", .number(weightDecay)), ("clip_norm", .number(clipNorm)),
            ("ema", .number(averageDecay)),
            ("precision", .string(precision.rawValue)), ("seed", .number(seed)),
        ]
        return .object(members.map { JSONMember(key: $0.0, value: $0.1) })
    }
}
