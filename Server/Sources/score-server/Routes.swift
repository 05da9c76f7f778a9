// Which request gets which answer.

import Foundation
import GPT2Kit
import HTTPTypes
import Hummingbird
import NIOCore
import Records

/// What is known of a request beside itself.
struct ServerContext: RequestContext, RemoteAddressRequestContext {
    var coreContext: CoreRequestContextStorage
    let remoteAddress: SocketAddress?
    /// The connection.
    let channel: any Channel
    /// The request's place among those at work; nil where it takes none.
    var place: (any AnyObject & Sendable)?

    init(source: Source) {
        coreContext = .init(source: source)
        channel = source.channel
        remoteAddress = channel.remoteAddress
    }
}

struct Routes: Sendable {
    let service: ScoringService
    let metrics: ServerMetrics
    let token: AccessToken?
    let limits: Limits
    let isQuiet: Bool

    var router: Router<ServerContext> {
        let router = Router(context: ServerContext.self)
        router.add(middleware: Gate(metrics: metrics, token: token, limits: limits, isQuiet: isQuiet))
        router.get("/") { _, _ in page(PackageResources.page_html, "text/html; charset=utf-8") }
        router.get("/page.js") { _, _ in page(PackageResources.page_js, "text/javascript; charset=utf-8") }
        router.get("/page.css") { _, _ in page(PackageResources.page_css, "text/css; charset=utf-8") }
        router.get("/openapi.json") { _, _ in page(description, "application/json") }
        router.get("/health") { _, _ in json(.object([JSONMember(key: "status", value: .string("ok"))])) }
        router.get("/ready") { _, _ in try ready() }
        router.get("/metrics") { _, _ in page(Array(metrics.text.utf8), "text/plain; version=0.0.4; charset=utf-8") }
        router.post("/score") { request, context in try await score(request, context) }
        router.post("/explain") { request, _ in try await explain(request) }
        return router
    }

    private func page(_ bytes: [UInt8], _ type: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: type, .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    private func json(_ value: JSONValue) -> Response {
        var json = JSONWriter()
        json.value(value)
        json.newline()
        return page(json.bytes, "application/json")
    }

    private func ready() throws(BadRequest) -> Response {
        guard service.isReady else { throw BadRequest(.serviceUnavailable, "the server is about to end") }
        return json(
            .object([
                JSONMember(key: "status", value: .string("ready")),
                JSONMember(key: "labels", value: .array(service.labels.map { .string($0) })),
            ]))
    }

    /// The server in OpenAPI's words, with the labels of its model.
    private var description: [UInt8] {
        var names: [UInt8] = []
        for label in service.labels.map(JSONValue.string) + [.null] {
            var json = JSONWriter()
            json.value(label)
            names += (names.isEmpty ? [] : [UInt8(ascii: ",")]) + json.bytes
        }
        let text = String(decoding: PackageResources.openapi_json, as: UTF8.self)
        return Array(text.replacing("\"LABELS\"", with: String(decoding: names, as: UTF8.self)).utf8)
    }

    private func body(_ request: Request) async throws -> [UInt8] {
        do {
            let buffer = try await received(request)
            guard buffer.readableBytes > 0 || request.headers[.contentType] != nil else {
                throw BadRequest(.badRequest, "there is no body")
            }
            return Array(buffer.readableBytesView)
        } catch is NIOTooManyBytesError {
            throw BadRequest(.contentTooLarge, "the body has more than \(limits.maxBody) bytes")
        }
    }

    /// The bytes of a body, where they arrive in time.
    private func received(_ request: Request) async throws -> ByteBuffer {
        let (most, seconds) = (limits.maxBody, limits.clientTimeout)
        return try await withThrowingTaskGroup(of: ByteBuffer.self) { group in
            group.addTask { try await request.body.collect(upTo: most) }
            group.addTask {
                try await Task.sleep(for: .seconds(seconds))
                throw BadRequest(.requestTimeout, "the body didn't arrive within \(seconds) seconds")
            }
            defer { group.cancelAll() }
            guard let buffer = try await group.next() else { throw CancellationError() }
            return buffer
        }
    }

    private func mediaType(_ request: Request) -> String {
        let header = request.headers[.contentType] ?? "text/plain"
        return header.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
    }

    private func score(_ request: Request, _ context: ServerContext) async throws -> Response {
        let wanted = try ScoreRequest(
            try await body(request), mediaType: mediaType(request), maxTexts: limits.maxTexts)
        let answer = service.scores(of: wanted.body, wanted.input, holding: context.place)
        switch wanted.form {
        case .object:
            var line: [UInt8] = []
            while let part = try await answer.next() { line += part.readableBytesView }
            return page(line, "application/json")
        case .array:
            var array = [UInt8(ascii: "[")]
            while let part = try await answer.next() {
                // A line feed is nowhere but at the end of an object.
                array += part.readableBytesView.lazy.map { $0 == 0x0A ? UInt8(ascii: ",") : $0 }
            }
            if array.count > 1 { array.removeLast() }
            return page(array + Array("]\n".utf8), "application/json")
        case .lines: break
        }
        // The status is told when the first lines are there.
        let first = try await answer.next()
        let body = ResponseBody { writer in
            if let first { try await writer.write(first) }
            while let next = try await answer.next() { try await writer.write(next) }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/x-ndjson"], body: body)
    }

    private func explain(_ request: Request) async throws -> Response {
        guard mediaType(request) == "application/json" else {
            throw BadRequest(.unsupportedMediaType, "send application/json")
        }
        let value = try ScoreRequest.parse(try await body(request))
        guard let text = value["text"]?.string else {
            throw BadRequest(.badRequest, "the body is an object with a \"text\", which is a string")
        }
        var label: Int?
        if let name = value["label"], name != .null {
            // Labels are compared as bytes.
            guard let string = name.string,
                let index = service.labels.firstIndex(where: { $0.utf8.elementsEqual(string.utf8) })
            else {
                throw BadRequest(.badRequest, "\"label\" is none of \(service.labels.joined(separator: ", "))")
            }
            label = index
        }
        let counterfactual = value["counterfactual"] ?? .bool(false)
        guard case .bool(let isWanted) = counterfactual else {
            throw BadRequest(.badRequest, "\"counterfactual\" is true or false")
        }
        return page(
            try await service.explanation(of: text, label: label, counterfactual: isWanted), "application/json")
    }
}
