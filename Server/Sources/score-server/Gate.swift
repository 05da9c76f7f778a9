// What every request passes: the token, the limits, the counters, and the headers of every answer.

import HTTPTypes
import Hummingbird
import Records
import Synchronization

/// Lets requests in, as many at a time as are allowed.
struct Gate: RouterMiddleware {
    private let metrics: ServerMetrics
    private let token: AccessToken?
    private let limits: Limits
    private let isQuiet: Bool
    private let clients = Clients()

    init(metrics: ServerMetrics, token: AccessToken?, limits: Limits, isQuiet: Bool) {
        (self.metrics, self.token, self.limits, self.isQuiet) = (metrics, token, limits, isQuiet)
    }

    /// How many requests each address has at work.
    final class Clients: Sendable {
        private let counts = Mutex<[String: Int]>([:])

        /// Counts one more; what is wrong with that otherwise.
        func enter(_ client: String, _ limits: Limits) -> BadRequest? {
            counts.withLock { counts in
                if counts.values.reduce(0, +) >= limits.maxRequests {
                    return BadRequest(
                        .serviceUnavailable, "the server is at work for \(limits.maxRequests) requests: try again")
                }
                if counts[client, default: 0] >= limits.maxPerClient {
                    return BadRequest(
                        .tooManyRequests, "more than \(limits.maxPerClient) requests of one address at a time")
                }
                counts[client, default: 0] += 1
                return nil
            }
        }

        func leave(_ client: String) {
            counts.withLock { counts in
                counts[client, default: 1] -= 1
                if counts[client] == 0 { counts[client] = nil }
            }
        }
    }

    /// A request from its head until its answer is written, or until nobody waits for that and its thread has stopped: it ends
    /// with this object, which the answer's body and the thread hold.
    private final class Visit: Sendable {
        private let begin = ContinuousClock.now
        private let gate: Gate
        private let method: String, route: String
        private let state = Mutex((status: 0, client: String?.none))

        init(_ gate: Gate, _ request: Request) {
            self.gate = gate
            method = request.method.rawValue
            // Whatever was asked for, logs and metrics have the server's own paths.
            route = Gate.methods[request.uri.path] == nil ? "other" : request.uri.path
            gate.metrics.begin()
        }

        func enter(as client: String) -> BadRequest? {
            if let refusal = gate.clients.enter(client, gate.limits) { return refusal }
            state.withLock { $0.client = client }
            return nil
        }

        func set(status: Int) { state.withLock { $0.status = status } }

        deinit {
            let (status, client) = state.withLock { $0 }
            if let client { gate.clients.leave(client) }
            let time = begin.duration(to: .now).components
            let seconds = Double(time.seconds) + Double(time.attoseconds) * 1e-18
            gate.metrics.end(route: route, status: status, seconds: seconds)
            if !gate.isQuiet { writeLine("score-server: \(method) \(route) \(status) \(Int(seconds * 1000)) ms") }
        }
    }

    /// Whom anybody may ask.
    private static let open: Set = ["/", "/page.js", "/page.css", "/health"]
    /// Of every path the method that it takes.
    private static let methods: [String: HTTPRequest.Method] = [
        "/": .get, "/page.js": .get, "/page.css": .get, "/openapi.json": .get, "/health": .get, "/ready": .get,
        "/metrics": .get, "/score": .post, "/explain": .post,
    ]

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        let visit = Visit(self, request)
        var response = await answer(request, context, visit, next)
        visit.set(status: response.status.code)
        for (name, value) in Self.headers { response.headers[name] = value }
        let body = response.body
        let watch = WatchedWriter.Watch(context.channel, limits.readingTime)
        response.body = ResponseBody(contentLength: body.contentLength) { writer in
            try await body.write(WatchedWriter(writer, watch))
            withExtendedLifetime(visit) {}
        }
        return response
    }

    private func answer(
        _ request: Request, _ context: ServerContext, _ visit: Visit,
        _ next: (Request, ServerContext) async throws -> Response
    ) async -> Response {
        if let token, !Self.open.contains(request.uri.path), !token.isProven(by: request.headers[.authorization]) {
            return BadRequest(.unauthorized, "send the server's token: Authorization: Bearer …").response
        }
        if let method = Self.methods[request.uri.path], method != request.method {
            var response = BadRequest(.methodNotAllowed, "use \(method.rawValue)").response
            response.headers[.allow] = method.rawValue
            return response
        }
        if request.method == .post, let refusal = visit.enter(as: context.remoteAddress?.ipAddress ?? "local") {
            return refusal.response
        }
        var entered = context
        entered.place = visit
        do {
            return try await next(request, entered)
        } catch let error as BadRequest {
            return error.response
        } catch Unavailable.tooLate {
            return BadRequest(.serviceUnavailable, "not scored within \(limits.timeout) seconds: try again").response
        } catch is Unavailable {
            return BadRequest(.serviceUnavailable, "the server is about to end").response
        } catch let error as HTTPError {
            return BadRequest(error.status, error.body ?? error.status.reasonPhrase).response
        } catch let error as any DiagnosableError {
            return BadRequest(.internalServerError, error.diagnosis.problem).response
        } catch {
            return BadRequest(.badRequest, "the request can't be read").response
        }
    }

    /// The page loads nothing from elsewhere, and nobody frames it.
    private static let headers: [(HTTPField.Name, String)] = {
        let policy = """
            default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
            frame-ancestors 'none'
            """
        return [
            (.contentSecurityPolicy, policy), (.xContentTypeOptions, "nosniff"),
            (HTTPField.Name("Referrer-Policy") ?? .xContentTypeOptions, "no-referrer"),
        ]
    }()
}
