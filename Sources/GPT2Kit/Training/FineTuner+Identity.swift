// What a run depends on.

import Hashing
import Records

extension FineTuner {
    /// The identity of a run on these data.
    public func identity(_ base: Classifier, _ datasets: Datasets) -> RunIdentity {
        // The base counts by its weights, not by its path.
        let members = (settings.json(base: "").object ?? []).filter { $0.key != "base" }
        var entries = members.map { (name: $0.key, value: $0.value.text) }
        entries += [
            ("eval_every", "\(settings.evaluateEvery)"), ("eval_batches", "\(settings.evaluationBatches)"),
            ("heads", "\(base.config.heads)"), ("layer_norm_epsilon", "\(base.config.epsilon)"),
            ("base_sha256", base.parameters.sha256(workers) { _ in true }),
            ("tokenizer_sha256", base.tokenizerSHA256), ("training_data_sha256", datasets.training.sha256),
            ("validation_data_sha256", datasets.validation.sha256),
            ("test_data_sha256", datasets.test?.sha256 ?? "none"),
        ]
        return RunIdentity(entries: entries)
    }
}

extension JSONValue {
    /// As JSON.
    var text: String {
        var json = JSONWriter()
        json.value(self)
        return String(decoding: json.bytes, as: UTF8.self)
    }
}

extension LabelledTexts {
    /// The SHA-256 of lengths, tokens, labels and their names.
    fileprivate var sha256: String {
        let hash = SHA256()
        texts.rows.offsets.withUnsafeBytes { hash.update($0) }
        texts.rows.ids.withUnsafeBytes { hash.update($0) }
        texts.rows.labels.withUnsafeBytes { hash.update($0) }
        let names = texts.description.labelNames
        hash.update(Array("\(texts.description.paddedLength) \(texts.description.padToken) \(names)".utf8))
        return hash.hexadecimal
    }
}
