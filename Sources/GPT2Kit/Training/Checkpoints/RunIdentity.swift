// What a run depends on: only a run with the same may go on from its checkpoints.

import Hashing
import Records

/// Settings and hashes, under the names that messages call them by.
public struct RunIdentity: Sendable {
    /// Names and values, in a fixed order.
    package let entries: [(name: String, value: String)]

    package init(entries: [(name: String, value: String)]) { self.entries = entries }

    /// SHA-256, in hexadecimal, of all entries as `name=value` and a line feed.
    public var sha256: String {
        let text = entries.map { "\($0.name)=\($0.value)\n" }.joined()
        return SHA256.hexadecimal(of: Array(text.utf8))
    }

    /// What is other here than in `other`, in words: "learning_rate 0.001 (was 5e-05), training data".
    package func differences(from other: RunIdentity) -> [String] {
        func value(_ name: String, _ identity: RunIdentity) -> String? {
            identity.entries.first { $0.name == name }?.value
        }
        let names = entries.map(\.name) + other.entries.map(\.name).filter { value($0, self) == nil }
        return names.compactMap { name -> String? in
            let (new, old) = (value(name, self), value(name, other))
            if new == old { return nil }
            if name.hasSuffix("_sha256") { return String(name.dropLast("_sha256".count)).replacing("_", with: " ") }
            return "\(name) \(new ?? "none") (was \(old ?? "none"))"
        }
    }
}

extension FineTuner {
    /// The identity of a run on these data.
    public func identity(
        _ base: Classifier, training: LabelledTexts, validation: LabelledTexts, test: LabelledTexts?
    ) -> RunIdentity {
        // The base counts by its numbers, wherever it lies.
        let members = (settings.json(base: "").object ?? []).filter { $0.key != "base" }
        var entries = members.map { (name: $0.key, value: text($0.value)) }
        entries += [
            ("eval_every", "\(settings.evaluateEvery)"), ("eval_batches", "\(settings.evaluationBatches)"),
            ("heads", "\(base.config.heads)"), ("layer_norm_epsilon", "\(base.config.epsilon)"),
            ("base_sha256", base.parameters.sha256(workers) { _ in true }),
            ("tokenizer_sha256", base.tokenizerSHA256), ("training_data_sha256", training.sha256),
            ("validation_data_sha256", validation.sha256), ("test_data_sha256", test?.sha256 ?? "none"),
        ]
        return RunIdentity(entries: entries)
    }

    private func text(_ value: JSONValue) -> String {
        var json = JSONWriter()
        json.value(value)
        return String(decoding: json.bytes, as: UTF8.self)
    }
}

extension LabelledTexts {
    /// Of lengths, tokens, labels and their names.
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
