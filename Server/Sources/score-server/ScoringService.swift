// A request's bytes through the same stream of lines as score's.

import Foundation
import GPT2Kit
import NIOCore
import NIOPosix
import Records
import Synchronization
import Tokenization

/// Scores and explains the bodies of requests.
final class ScoringService: Sendable {
    private let queue: ScoringQueue
    private let classifier: Classifier
    /// A thread for each request that waits.
    private let threads: NIOThreadPool
    /// Encoders that no request has: each remembers words, in 1 MiB.
    private let encoders = Mutex<[TokenEncoder]>([])

    init(queue: ScoringQueue, classifier: Classifier, limits: Limits) {
        self.queue = queue
        self.classifier = classifier
        threads = NIOThreadPool(numberOfThreads: limits.maxRequests)
        threads.start()
    }

    /// The labels of the model.
    var labels: [String] { classifier.labels }

    /// Whether requests are answered.
    var isReady: Bool { queue.isReady }

    /// The lines that score writes of the lines of `body`, as they are made.
    func scores(of body: [UInt8], _ input: ScoreStream.Input) -> AsyncThrowingStream<ByteBuffer, any Error> {
        AsyncThrowingStream { continuation in
            threads.submit { [self] state in
                guard case .active = state else { return continuation.finish(throwing: Unavailable.closed) }
                do {
                    let sink = ByteSink(name: "answer") { bytes throws(StreamError) in
                        continuation.yield(ByteBuffer(bytes: bytes))
                    }
                    let encoder = encoders.withLock { $0.popLast() } ?? TokenEncoder(classifier.tokenizer)
                    let scorer = QueuedScorer(queue, classifier, encoder)
                    defer { encoders.withLock { $0.append(scorer.encoder) } }
                    var stream = ScoreStream(scorer, input: input, fields: RecordFields())
                    let reader = LineReader(ByteSource(bytes: body, name: "body"))
                    // As lines are answered as soon as they are scored, none waits for the whole body.
                    _ = try stream.run(reader, into: sink, lineBuffered: true)
                    try sink.close()
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
        }
    }

    /// What explain writes of one text.
    func explanation(of text: String, label: Int?, counterfactual: Bool) async throws -> [UInt8] {
        let (queue, labels) = (queue, classifier.labels)
        return try await threads.runIfActive {
            var input = TextInput(
                LineReader(ByteSource(bytes: ScoreRequest.record(text), name: "body")), kind: .ndjson,
                fields: RecordFields(), ownKeys: [])
            guard let text = try input.next() else { return [] }
            let explanation = try queue.explanation { explainer in
                var explanation = try explainer.explain(text.text, label: label)
                if counterfactual { explanation.counterfactual = try explainer.counterfactual(text.text, most: 10) }
                return explanation
            }
            return explanation.json(of: text, labels: labels, hasCounterfactual: counterfactual)
        }
    }
}

/// The scorer of one request: tokens are made on its thread, scores on the queue's.
private final class QueuedScorer: TextScorer {
    private let queue: ScoringQueue
    private let classifier: Classifier
    private(set) var encoder: TokenEncoder
    private(set) var truncated = 0

    init(_ queue: ScoringQueue, _ classifier: Classifier, _ encoder: TokenEncoder) {
        self.queue = queue
        self.classifier = classifier
        self.encoder = encoder
    }

    var labels: [String] { classifier.labels }
    var weightsCheck: WeightsCheck? { nil }

    func encode(_ text: ArraySlice<UInt8>) -> [Int32] {
        var ids: [Int32] = []
        text.withUnsafeBufferPointer { encoder.encode($0, into: &ids, limit: classifier.paddedLength + 1) }
        if ids.count > classifier.paddedLength { truncated += 1 }
        return ids
    }

    func score(tokens texts: [[Int32]]) throws -> [Score] { try queue.scores(texts) }
}
