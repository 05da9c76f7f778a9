// What a pretraining run reports while it runs.

import Records

/// What happens in a run, in order of time. Steps count from 0, epochs from 1.
public enum PretrainingEvent: Sendable {
    /// Everything is loaded; training is about to begin.
    case start(StartSummary)
    /// The same for a run that resumes after `step` steps.
    case resume(StartSummary, step: Int)
    /// So many of the training rows are counted for the token embedding, ``PretrainingSettings/Embeddings/cooccurrence``.
    case counted(rows: Int, of: Int)
    /// The token embedding is written, `seconds` seconds after the beginning.
    case embedded(seconds: Double)
    /// Something is wrong, but the run continues.
    case warning(Diagnosis)
    /// A step has been made.
    case step(Step)
    /// The loss of the validation rows, after the update of `step`, `seconds` seconds after the beginning.
    case evaluation(step: Int, CorpusLoss, seconds: Double)
    /// A checkpoint after `step` steps is on disk; `isLast` where no step follows.
    case checkpoint(step: Int, isLast: Bool)
    /// The run is over.
    case end(EndSummary)

    /// The model and the data of a run.
    public struct StartSummary: Sendable {
        /// Numbers in all parameters.
        public let parameters: Int
        /// Rows of the training corpus.
        public let trainingRows: Int
        /// Tokens of the training corpus, without pads.
        public let trainingTokens: Int
        /// Rows of the validation corpus.
        public let validationRows: Int
        /// Tokens of the validation corpus, without pads.
        public let validationTokens: Int
        /// T, the length that rows are padded to, in tokens.
        public let paddedLength: Int
        /// Steps of the whole run.
        public let steps: Int
        /// Steps of an epoch.
        public let stepsPerEpoch: Int
        /// The SHA-256 of the tokenizer, in hexadecimal.
        public let tokenizerSHA256: String
    }

    /// A step.
    public struct Step: Sendable {
        /// Its number, from 0.
        public let step: Int
        /// Its epoch, from 1.
        public let epoch: Int
        /// The tokens of all rows of this step and of those before.
        public let tokens: Int
        /// Tokens of this step per second of it.
        public let tokensPerSecond: Double
        /// The mean loss of its rows before the update, in nats a token.
        public let loss: Double
        /// The learning rate of the update.
        public let learningRate: Double
        /// The norm of the gradients before clipping; nil where they aren't clipped.
        public let gradientNorm: Double?
    }

    /// How a run ended.
    public struct EndSummary: Sendable {
        /// Steps that were made.
        public let steps: Int
        /// Why the run ended.
        public let reason: EndReason
        /// Tokens of the rows of all steps.
        public let tokens: Int
        /// The validation loss with the last weights.
        public let last: CorpusLoss
        /// The validation loss with the average of the last weights; nil where there is none.
        public let average: CorpusLoss?
        /// Seconds from beginning to end; those before a run was resumed count too.
        public let seconds: Double
        /// Seconds in each phase.
        public let secondsByPhase: [(phase: TrainingEvent.Phase, seconds: Double)]

        /// Whether the average is kept: where its validation loss is lower than that of the last weights.
        public var keepsAverage: Bool { average.map { $0.loss < last.loss } ?? false }
        /// The validation loss with the weights that are kept.
        public var kept: CorpusLoss { keepsAverage ? average ?? last : last }
    }
}

/// The loss of a language model on a corpus.
public struct CorpusLoss: Sendable, Equatable {
    /// The sum of −log p of all predicted tokens, in nats.
    public let sum: Double
    /// The number of predicted tokens: all of a row but its first.
    public let predictions: Int
    /// The bytes of text that these tokens stand for. `<|endoftext|>` stands for none.
    public let bytes: Int

    /// Puts the three together.
    package init(sum: Double, predictions: Int, bytes: Int) {
        self.sum = sum
        self.predictions = predictions
        self.bytes = bytes
    }

    /// In nats a token.
    public var loss: Double { sum / Double(predictions) }
    /// In bits a byte of text, which doesn't depend on the tokenizer: sum / (bytes · ln 2). nil where there are no bytes.
    public var bitsPerByte: Double? { bytes == 0 ? nil : sum / (Double(bytes) * 0.693_147_180_559_945_3) }
}
