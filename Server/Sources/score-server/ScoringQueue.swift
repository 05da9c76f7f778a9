// One thread scores; requests hand it their texts and wait. What has arrived while it was at work is scored together.

import Foundation
import GPT2Kit
import Records

/// Scores the texts of many requests with one scorer.
final class ScoringQueue: @unchecked Sendable {  // everything mutable is under `condition`, the scorer on one thread
    /// A request's texts, or an explanation. Its outcome is written before the semaphore is signalled, and read after it.
    private final class Job {
        let texts: [[Int32]]
        let explain: ((Explainer) throws -> Explanation)?
        private var outcome: Result<Outcome, any Error>?
        private let semaphore = DispatchSemaphore(value: 0)

        init(_ texts: [[Int32]], _ explain: ((Explainer) throws -> Explanation)?) {
            (self.texts, self.explain) = (texts, explain)
        }

        func finish(_ outcome: Result<Outcome, any Error>) {
            self.outcome = outcome
            semaphore.signal()
        }

        /// Waits until it is finished; false where it isn't by `time`. To be called again only after that.
        func waitUntilFinished(by time: DispatchTime) -> Bool { semaphore.wait(timeout: time) == .success }

        /// What it was finished with, when that is known.
        func result() throws -> Outcome {
            guard let outcome else { throw Unavailable.closed }
            return try outcome.get()
        }
    }

    private enum Outcome {
        case scores([Score])
        case explanation(Explanation)
    }

    /// The most texts that are scored together: some windows of a stream.
    private static let mostTexts = 4096

    private let scorer: Scorer
    private let explainer: Explainer
    private let timeout: Double
    private let condition = NSCondition()
    private var jobs: [Job] = []
    private var isClosed = false
    private var ready = false
    private var scored = 0
    private var batches = 0

    init(_ scorer: Scorer, _ limits: Limits) {
        self.scorer = scorer
        explainer = Explainer(scorer)
        timeout = limits.timeout
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
        let job = Job(texts, explain)
        try condition.withLock {
            if isClosed { throw Unavailable.closed }
            jobs.append(job)
            condition.signal()
        }
        if !job.waitUntilFinished(by: .now() + timeout) {
            if withdraw(job) { throw Unavailable.tooLate }
            _ = job.waitUntilFinished(by: .distantFuture)
        }
        return try job.result()
    }

    /// Takes a job back that nobody has begun; false where it is too late for that.
    private func withdraw(_ job: Job) -> Bool {
        condition.withLock {
            guard let place = jobs.firstIndex(where: { $0 === job }) else { return false }
            jobs.remove(at: place)
            return true
        }
    }

    /// Takes an explanation, or the texts of all requests before the next one, and does it; false when the queue is closed and
    /// empty.
    private func work() -> Bool {
        var taken: [Job] = []
        condition.withLock {
            while jobs.isEmpty, !isClosed { condition.wait() }
            var count = 0
            func fits(_ job: Job) -> Bool { job.explain == nil && count + job.texts.count <= Self.mostTexts }
            while let job = jobs.first, taken.isEmpty || (taken[0].explain == nil && fits(job)) {
                count += job.texts.count
                taken.append(jobs.removeFirst())
            }
        }
        guard let first = taken.first else { return false }
        if let explain = first.explain {
            first.finish(Result { .explanation(try explain(explainer)) })
        } else {
            score(taken)
        }
        return true
    }

    /// Scores the texts of requests together; where that fails, those of each alone, so that none fails for another's.
    private func score(_ requests: [Job]) {
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
            for job in requests {
                if requests.count > 1 { score([job]) } else { job.finish(.failure(error)) }
            }
        }
    }
}

/// Why a request isn't answered now.
enum Unavailable: Error {
    /// The server is about to end.
    case closed
    /// Others took too long.
    case tooLate
}
