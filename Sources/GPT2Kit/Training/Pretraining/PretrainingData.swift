// The input of a pretraining run: the base and two corpora, checked against each other.

import Hashing
import Records
import Tokenization

/// A model and the rows that it learns from and is measured on.
public struct PretrainingData: Sendable {
    /// What training starts from.
    public let base: PretrainedModel
    /// The rows that gradients are computed of.
    public let training: TokenCorpus
    /// The rows that evaluations compute.
    public let validation: TokenCorpus

    /// - Throws: ``ModelError`` where something doesn't belong together, ``TrainingError`` where it can't be trained on.
    public init(base: PretrainedModel, training: TokenCorpus, validation: TokenCorpus) throws {
        self.base = base
        self.training = training
        self.validation = validation
        for corpus in [training, validation] {
            guard corpus.predictions > 0 else {
                throw TrainingError.unusableData(
                    "no row has two tokens, so there is none to predict", remedy: "check what writes the shard",
                    file: corpus.source)
            }
            guard base.tokenizer.isIdentified(by: corpus.description.tokenizerSHA256) else {
                throw ModelError.mismatch(
                    "the tokens were made with another tokenizer than the base's",
                    remedy: "tokenize with that of the base",
                    choice: .tokenizerOfShards, file: corpus.source)
            }
            try corpus.description.requireFitting(base.config, source: corpus.source)
        }
    }

    /// The identity of a run with `settings`. Limits of time don't belong to it: a run that they ended can go on.
    public func identity(_ settings: PretrainingSettings, workers: Workers) -> RunIdentity {
        // The base counts by its weights, not by its path.
        let entries = settings.json(base: "").entries(without: ["base", "max_minutes"])
        return RunIdentity(
            entries: entries + [
                ("heads", "\(base.config.heads)"), ("layer_norm_epsilon", "\(base.config.epsilon)"),
                ("base_sha256", base.parameters.sha256(workers) { !$0.hasPrefix("score.") }),
                ("tokenizer_sha256", base.tokenizer.sha256), ("training_data_sha256", training.sha256),
                ("validation_data_sha256", validation.sha256),
            ])
    }
}
