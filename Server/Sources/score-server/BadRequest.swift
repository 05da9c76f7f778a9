// Answers that aren't scores: a status, and an object that says why.

import HTTPTypes
import Hummingbird
import Records

/// A request that isn't answered.
struct BadRequest: Error {
    let status: HTTPResponse.Status
    let problem: String

    init(_ status: HTTPResponse.Status, _ problem: String) {
        self.status = status
        self.problem = problem
    }

    var response: Response {
        var json = JSONWriter()
        json.value(.object([JSONMember(key: "error", value: .string(problem))]))
        json.newline()
        var headers: HTTPFields = [.contentType: "application/json"]
        switch status {
        case .tooManyRequests, .serviceUnavailable: headers[.retryAfter] = "1"
        case .requestTimeout: headers[.connection] = "close"
        case .unauthorized: headers[.wwwAuthenticate] = "Bearer"
        default: break
        }
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: json.bytes)))
    }
}
