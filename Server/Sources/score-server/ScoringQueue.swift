// One thread scores; requests hand it their texts and wait. What has arrived while it was at work is scored together.

import Foundation
import GPT2Kit
import Records

/// Scores the texts of many requests with one scorer.
final class ScoringQueue: @unchecked Sendable {  // everything mutable is under `condition`, the scorer on one thread
    /// A request's texts, or an explanation.
    private struct Job {
        let texts: [[Int32]]
        let deadline: ContinuousClock.Instant
        let explain: ((Explainer) throws -> Explanation)?
        let finish: (Result<Outcome, any Error>) -> Void
    }

    private enum Outcome {
        case scores([Score])
        case explanation(Explanation)
    }

    /// The most texts that are scored together: some windows of a stream.
    private static let mostTexts = 4096

    private let scorer: Scorer
    private let explainer: Explainer
    private let timeout: Duration
    private let condition = NSCondition()
    private var jobs: [Job] = []
    private var isClosed = false
    private var ready = false
    private var scored = 0
    private var batches = 0

    init(_ scorer: Scorer, _ limits: Limits) {
        self.scorer = scorer
        explainer = Explainer(scorer)
        timeout = .seconds(limits.timeout)
        let thread = Thread { [self] in
            while work() {}
        }
        thread.stackSize = 8 << 20
        thread.start()
    }

    /// Whether requests are answered.
    var isReady: Bool {
        get { condition.withLock { ready && !isClosed } }
        set { condition.withLock { ready = newValue } }
    }

    /// Texts that were scored, the batches that they were scored in, and jobs that wait.
    var counts: (texts: Int, batches: Int, waiting: Int) { condition.withLock { (scored, batches, jobs.count) } }

    /// No job is taken any more.
    func close() {
        condition.withLock {
            isClosed = true
            condition.broadcast()
        }
    }

    /// The scores of texts, given as their tokens. Blocks until they are there.
    func scores(_ texts: [[Int32]]) throws -> [Score] {
        guard !texts.isEmpty else { return [] }
        guard case .scores(let scores) = try wait(texts, nil) else { return [] }
        return scores
    }

    /// What `body` makes with the explainer. Blocks until it is there.
    func explanation(_ body: @escaping (Explainer) throws -> Explanation) throws -> Explanation {
        guard case .explanation(let explanation) = try wait([], body) else { throw Unavailable.closed }
        return explanation
    }

    private func wait(_ texts: [[Int32]], _ explain: ((Explainer) throws -> Explanation)?) throws -> Outcome {
        let semaphore = DispatchSemaphore(value: 0)
        nonisolated(unsafe) var outcome: Result<Outcome, any Error> = .failure(Unavailable.closed)
        let job = Job(texts: texts, deadline: .now + timeout, explain: explain) {
            outcome = $0
            semaphore.signal()
        }
        try condition.withLock {
            if isClosed { throw Unavailable.closed }
            jobs.append(job)
            condition.signal()
        }
        semaphore.wait()
        return try outcome.get()
    }

    /// Takes what waits and does it; false when the queue is closed and empty.
    private func work() -> Bool {
        var taken: [Job] = []
        condition.withLock {
            while jobs.isEmpty, !isClosed { condition.wait() }
            var count = 0
            while let job = jobs.first, taken.isEmpty || count + job.texts.count <= Self.mostTexts {
                count += job.texts.count
                taken.append(jobs.removeFirst())
            }
        }
        guard !taken.isEmpty else { return false }
        let now = ContinuousClock.now
        for job in taken where job.deadline < now { job.finish(.failure(Unavailable.tooLate)) }
        taken.removeAll { $0.deadline < now }
        for job in taken {
            guard let explain = job.explain else { continue }
            job.finish(Result { .explanation(try explain(explainer)) })
        }
        let requests = taken.filter { $0.explain == nil }
        guard !requests.isEmpty else { return true }
        do {
            let texts = requests.flatMap(\.texts)
            var scores = try scorer.score(tokens: texts)[...]
            condition.withLock {
                scored += texts.count
                batches += 1
            }
            for job in requests {
                job.finish(.success(.scores(Array(scores.prefix(job.texts.count)))))
                scores = scores.dropFirst(job.texts.count)
            }
        } catch {
            for job in requests { job.finish(.failure(error)) }
        }
        return true
    }
}

/// Why a request isn't answered now.
enum Unavailable: Error {
    /// The server is about to end.
    case closed
    /// Others took too long.
    case tooLate
}
