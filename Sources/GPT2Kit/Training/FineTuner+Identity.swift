// What a run depends on.

import Hashing
import Records

extension FineTuner {
    /// The identity of a run on these data.
    public func identity(_ base: Classifier, _ datasets: Datasets) -> RunIdentity {
        // The base counts by its weights, not by its path.
        var entries = settings.json(base: "").entries(without: ["base"])
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
