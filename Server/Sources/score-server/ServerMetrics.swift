// Numbers for Prometheus, in its text format. None of them says anything about a text.

import Synchronization

/// Counts requests and the time that they take.
final class ServerMetrics: Sendable {
    private struct State {
        var requests: [String: Int] = [:]
        var buckets = [Int](repeating: 0, count: ServerMetrics.bounds.count)
        var seconds = 0.0
        var count = 0
        var active = 0
    }

    private static let bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    private let state = Mutex(State())
    private let queue: ScoringQueue

    init(queue: ScoringQueue) { self.queue = queue }

    /// A request has begun.
    func begin() { state.withLock { $0.active += 1 } }

    /// It has ended. `route` is one of the server's own, whatever was asked for.
    func end(route: String, status: Int, seconds: Double) {
        state.withLock { state in
            state.active -= 1
            state.requests["path=\"\(route)\",status=\"\(status)\"", default: 0] += 1
            state.seconds += seconds
            state.count += 1
            for (index, bound) in Self.bounds.enumerated() where seconds <= bound { state.buckets[index] += 1 }
        }
    }

    /// The page that Prometheus reads.
    var text: String {
        let counts = queue.counts
        return state.withLock { state in
            var lines = [
                "# HELP score_requests_total Requests by path and status.", "# TYPE score_requests_total counter",
            ]
            lines += state.requests.sorted { $0.key < $1.key }.map { "score_requests_total{\($0.key)} \($0.value)" }
            for (name, type, help, value) in [
                ("score_requests_active", "gauge", "Requests at work.", state.active),
                ("score_texts_total", "counter", "Texts scored.", counts.texts),
                ("score_batches_total", "counter", "Batches that texts were scored in.", counts.batches),
                ("score_waiting", "gauge", "Requests whose texts wait.", counts.waiting),
            ] {
                lines += ["# HELP \(name) \(help)", "# TYPE \(name) \(type)", "\(name) \(value)"]
            }
            let name = "score_request_seconds"
            lines += [
                "# HELP \(name) Seconds from a request's head to the end of its answer.", "# TYPE \(name) histogram",
            ]
            lines += zip(Self.bounds, state.buckets).map { "\(name)_bucket{le=\"\($0)\"} \($1)" }
            lines += [
                "\(name)_bucket{le=\"+Inf\"} \(state.count)", "\(name)_sum \(state.seconds)",
                "\(name)_count \(state.count)", "",
            ]
            return lines.joined(separator: "\n")
        }
    }
}
