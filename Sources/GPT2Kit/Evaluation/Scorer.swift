// Scores texts: tokens, frozen blocks, the last block at the pooled position, head, softmax. One window of texts at a
// time, so that a stream of any length takes the same memory. A text's score doesn't depend on the texts beside it.

/// The probability of every class for one text.
public struct Score: Sendable, Equatable {
    /// In the order of the classifier's labels; they sum to 1.
    public let probabilities: [Double]
    /// The class that is chosen.
    public let label: Int
}

/// A probability from which on a label is chosen, whatever the others have.
public struct Threshold: Sendable, Equatable {
    public let label: Int
    public let probability: Double

    public init(label: Int, probability: Double) {
        self.label = label
        self.probability = probability
    }
}

public final class Scorer {
    public let classifier: Classifier
    public let thresholds: [Threshold]
    /// Texts so far that were longer than the model reads, and were cut.
    public private(set) var truncated = 0

    private let workers: Workers
    private let frozen: FrozenBlocks
    private let inference: Inference
    private var encoder: TokenEncoder

    /// - Parameter precision: of all blocks' products but the last one's, which reads one position of a text.
    /// - Throws: ``OutOfMemory``, ``OneDNNError``.
    public init(
        _ classifier: Classifier, thresholds: [Threshold] = [], precision: Precision = .float32, workers: Workers
    ) throws {
        self.classifier = classifier
        self.thresholds = thresholds
        self.workers = workers
        let config = classifier.config
        let firstBlock = classifier.pooling == .mean ? config.blocks : config.blocks - 1
        frozen = try FrozenBlocks(
            classifier.parameters, config: config, count: firstBlock, precision: precision, workers: workers)
        inference = Inference(
            classifier.parameters, config: config, pooling: classifier.pooling, firstBlock: firstBlock,
            workers: workers)
        encoder = TokenEncoder(classifier.tokenizer)
    }

    /// Scores of `texts`, valid UTF-8, in their order.
    ///
    /// - Throws: ``OutOfMemory``; ``ModelError/notFinite(_:file:)`` where a logit is infinite or not a number.
    public func score(_ texts: [[UInt8]]) throws -> [Score] {
        var tokens: [Int32] = []
        var lengths: [Int] = []
        for text in texts {
            var ids = encoder.encode(text)
            if ids.isEmpty { ids = [classifier.padToken] }
            if ids.count > classifier.paddedLength {
                truncated += 1
                ids.removeLast(ids.count - classifier.paddedLength)
            }
            lengths.append(
                classifier.pooling.append(
                    ids, to: &tokens, paddedLength: classifier.paddedLength, padToken: classifier.padToken,
                    isCausal: classifier.config.isCausal))
        }
        let K = classifier.labels.count
        let packing = Packing(lengths: lengths)
        let logits = try FloatBuffer(count: texts.count * K)
        // What of the window is computed at a time, so that long texts don't need more memory than short ones.
        for rows in packing.chunks(tokens: workers.count * 8 * FrozenBlocks.chunkTokens, rows: .max) {
            let part = Packing(lengths: rows.map(packing.length))
            let hidden = try FloatBuffer(count: part.tokens * classifier.config.width)
            let first = packing.offsets[rows.lowerBound]
            try frozen.run(Region(hidden.pointer), tokens: Array(tokens[first..<first + part.tokens]), part)
            try inference.logits(
                Region(logits.pointer + rows.lowerBound * K), hidden: Region(hidden.pointer), part)
        }
        guard logits.values.allSatisfy(\.isFinite) else {
            throw ModelError.notFinite("score (the logits of a text)", file: classifier.origin)
        }
        return texts.indices.map { row in
            let p = probabilities(UnsafeBufferPointer(start: logits.pointer + row * K, count: K))
            return Score(probabilities: p, label: choose(p))
        }
    }

    /// A label that reaches its threshold goes first, the likeliest of them; otherwise the likeliest of the labels
    /// that have none; otherwise the likeliest.
    package func choose(_ probabilities: [Double]) -> Int {
        func best(_ labels: some Sequence<Int>) -> Int? {
            labels.max { (probabilities[$0], $1) < (probabilities[$1], $0) }
        }
        if thresholds.isEmpty { return best(probabilities.indices) ?? 0 }
        let reached = thresholds.filter { probabilities[$0.label] >= $0.probability }.map(\.label)
        let free = probabilities.indices.filter { label in !thresholds.contains { $0.label == label } }
        return best(reached) ?? best(free) ?? best(probabilities.indices) ?? 0
    }
}
