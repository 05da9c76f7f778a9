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

    /// The lines that score writes of the lines of `body`, as they are made. The thread that makes them keeps `place`, and stops
    /// when the answer is given up.
    func scores(
        of body: [UInt8], _ input: ScoreStream.Input, holding place: (any AnyObject & Sendable)?
    ) -> Answer {
        let pipe = AnswerPipe(holding: place)
        threads.submit { [self] state in
            guard case .active = state else { return pipe.finish(.failure(Unavailable.closed)) }
            do {
                try score(body, input, into: pipe)
                pipe.finish(.success(()))
            } catch {
                pipe.finish(.failure(error))
            }
        }
        return Answer(pipe)
    }

    private func score(_ body: [UInt8], _ input: ScoreStream.Input, into pipe: AnswerPipe) throws {
        let sink = ByteSink(name: "answer") { bytes throws(StreamError) in
            try pipe.write(ByteBuffer(bytes: bytes))
        }
        let encoder = encoders.withLock { $0.popLast() } ?? TokenEncoder(classifier.tokenizer)
        let scorer = QueuedScorer(queue, classifier, encoder, pipe)
        defer { encoders.withLock { $0.append(scorer.encoder) } }
        var stream = ScoreStream(scorer, input: input, fields: RecordFields())
        let reader = LineReader(ByteSource(bytes: body, name: "body"))
        // As lines are answered as soon as they are scored, none waits for the whole body.
        _ = try stream.run(reader, into: sink, lineBuffered: true)
        try sink.close()
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
    private let pipe: AnswerPipe
    private(set) var encoder: TokenEncoder
    private(set) var truncated = 0

    init(_ queue: ScoringQueue, _ classifier: Classifier, _ encoder: TokenEncoder, _ pipe: AnswerPipe) {
        self.queue = queue
        self.classifier = classifier
        self.encoder = encoder
        self.pipe = pipe
    }

    var labels: [String] { classifier.labels }
    var weightsCheck: WeightsCheck? { nil }

    func encode(_ text: ArraySlice<UInt8>) -> [Int32] {
        var ids: [Int32] = []
        text.withUnsafeBufferPointer { encoder.encode($0, into: &ids, limit: classifier.paddedLength + 1) }
        if ids.count > classifier.paddedLength { truncated += 1 }
        return ids
    }

    func score(tokens texts: [[Int32]]) throws -> [Score] {
        // Nothing is scored for a client that has gone.
        try pipe.requireReader()
        return try queue.scores(texts)
    }
}
