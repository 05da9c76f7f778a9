// Scores texts: tokens, all blocks (the last one at the pooled position alone), head, softmax. It takes one window of
// texts at a time, so a stream of any length needs the same memory. A text's score doesn't depend on the texts beside
// it.

import Evaluation
import Tokenization

/// Scores texts with a classifier, on several cores.
public final class Scorer {
    /// The model that scores.
    public let classifier: Classifier
    /// What is made of the model's probabilities, and which label is chosen then.
    package let choice: LabelChoice
    /// Texts so far that were longer than the model reads, and were cut.
    public private(set) var truncated = 0

    let workers: Workers
    let blocks: InferenceBlocks
    let tail: InferenceTail
    private let scratch: [Scratch]
    private var encoder: TokenEncoder

    /// - Parameters:
    ///   - classifier: the model that scores.
    ///   - thresholds: probabilities from which on labels are chosen. Without any, the likeliest label always is.
    ///   - decision: what is made of the model's probabilities before a label is chosen; its labels are the classifier's, in
    ///     their order. Its threshold counts where `thresholds` has none.
    ///   - precision: the number type of matrix products in all blocks but the last, which computes one position of a
    ///     text. With a pooling that reads all positions (``Pooling/mean``, ``Pooling/meanText``) the last block counts too.
    ///   - workers: the threads that score.
    /// - Throws: ``OutOfMemory``, ``OneDNNError``.
    public init(
        _ classifier: Classifier, thresholds: [Threshold] = [], decision: Decision? = nil,
        precision: Precision = .float32, workers: Workers
    ) throws {
        self.classifier = classifier
        choice = LabelChoice(decision: decision, thresholds: thresholds)
        self.workers = workers
        let config = classifier.config
        let firstBlock = classifier.pooling.readsAllPositions ? config.blocks : config.blocks - 1
        blocks = try InferenceBlocks(
            classifier.parameters, config: config, count: firstBlock, precision: precision,
            copy: classifier.prepackedCopy, workers: workers)
        tail = try InferenceTail(
            classifier.parameters, config: config, pooling: classifier.pooling, firstBlock: firstBlock,
            workers: workers)
        scratch = (0..<workers.count).map { _ in Scratch() }
        encoder = TokenEncoder(classifier.tokenizer)
    }

    /// The scores of `texts`, which are valid UTF-8, in their order. Texts with the same tokens are computed once.
    ///
    /// - Throws: ``OutOfMemory``; ``ModelError/notFinite(_:file:)`` where a logit is infinite or not a number.
    public func score(_ texts: [[UInt8]]) throws -> [Score] {
        try score(tokens: texts.map { encode($0[...]) })
    }

    /// The tokens of `text`, which is valid UTF-8: at most T that the model reads, and one more where the text has
    /// more, which tells that it is cut.
    public func encode(_ text: ArraySlice<UInt8>) -> [Int32] {
        var ids: [Int32] = []
        text.withUnsafeBufferPointer { encoder.encode($0, into: &ids, limit: classifier.paddedLength + 1) }
        return ids
    }

    /// The scores of texts, given as their tokens.
    public func score(tokens texts: [[Int32]]) throws -> [Score] {
        let (different, rows) = Self.distinct(texts.map(cut))
        let K = classifier.labels.count
        let logits = try logits(different)
        guard logits.values.allSatisfy(\.isFinite) else {
            throw ModelError.notFinite("score (the logits of a text)", file: classifier.origin)
        }
        return rows.map { row in
            score(logits: UnsafeBufferPointer(start: logits.pointer + row * K, count: K))
        }
    }

    /// The score that follows from logits [K].
    func score(logits: UnsafeBufferPointer<Float>) -> Score {
        choice.score(Softmax.probabilities(logits))
    }

    /// The different ones of `texts`, in the order of their first occurrence, and for each text its place among them.
    static func distinct(_ texts: [[Int32]]) -> (texts: [[Int32]], places: [Int]) {
        var different: [[Int32]] = []
        var places: [[Int32]: Int] = [:]
        let rows = texts.map { text in
            let next = different.count
            let place = places[text] ?? next
            if place == next {
                places[text] = next
                different.append(text)
            }
            return place
        }
        return (different, rows)
    }

    /// The tokens that are computed of a text, which is cut at T and counted where it is longer.
    func cut(_ text: [Int32]) -> [Int32] {
        if text.count > classifier.paddedLength { truncated += 1 }
        return padded(text.prefix(classifier.paddedLength))
    }

    /// The tokens that are computed of at most T tokens: they are padded where pads are read. An empty text is one pad.
    func padded(_ text: ArraySlice<Int32>) -> [Int32] {
        var tokens: [Int32] = []
        _ = classifier.pooling.append(
            text.isEmpty ? [classifier.padToken] : text, to: &tokens, paddedLength: classifier.paddedLength,
            padToken: classifier.padToken, isCausal: classifier.config.isCausal)
        return tokens
    }

    /// Logits [B,K] of texts given as tokens. A worker takes a chunk of them through the whole model. No worker waits
    /// for others before the end, and memory is needed for the chunks at work only.
    private func logits(_ texts: [[Int32]]) throws -> FloatBuffer {
        let (C, K) = (classifier.config.width, classifier.labels.count)
        let logits = try FloatBuffer(count: texts.count * K)
        let plan = ChunkPlan(
            lengths: texts.map(\.count), tokens: InferenceBlocks.chunkTokens, tile: PrepackedLinear.tileRows,
            workers: workers.count)
        let failure = FirstFailure()
        workers.forEach(plan.chunks.count) { [scratch, blocks, tail] chunk, worker in
            let rows = plan.order[plan.chunks[chunk]]
            let layout = TextLayout(lengths: rows.map { texts[$0].count })
            failure.catching {
                try scratch[worker].reserve(hidden: layout.tokens * C, logits: layout.rows * K)
                let (hidden, results) = (scratch[worker].hidden, scratch[worker].logits)
                try blocks.run(hidden, tokens: rows.flatMap { texts[$0] }, layout, worker: worker)
                try tail.logits(results, hidden: hidden, layout, worker: worker)
                for (place, row) in rows.enumerated() {
                    (logits.pointer + row * K).update(from: results.pointer + place * K, count: K)
                }
            }
        }
        try failure.rethrow()
        return logits
    }

    /// The states and logits of one chunk.
    private final class Scratch: @unchecked Sendable {  // one worker has it
        private let workspace = Workspace()
        private var capacity = (hidden: 0, logits: 0)
        var hidden = FloatView(), logits = FloatView()

        func reserve(hidden: Int, logits: Int) throws(OutOfMemory) {
            guard hidden > capacity.hidden || logits > capacity.logits else { return }
            capacity = (max(hidden, capacity.hidden), max(logits, capacity.logits))
            try workspace.allocate { take in
                self.hidden = take(capacity.hidden)
                self.logits = take(capacity.logits)
            }
        }
    }
}
