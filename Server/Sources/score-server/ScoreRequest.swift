// What a body asks for, by its media type.

import GPT2Kit
import Records

/// The lines that a body stands for.
struct ScoreRequest {
    /// How the answer is put together.
    enum Form { case lines, object, array }

    let body: [UInt8]
    let input: ScoreStream.Input
    let form: Form

    /// - Parameters:
    ///   - mediaType: without parameters, in small letters.
    ///   - maxTexts: the most records of an array.
    /// - Throws: ``BadRequest``.
    init(_ body: [UInt8], mediaType: String, maxTexts: Int) throws(BadRequest) {
        switch mediaType {
        case "text/plain": (self.body, input, form) = (body, .text, .lines)
        case "application/x-ndjson", "application/ndjson", "application/jsonl":
            (self.body, input, form) = (body, .ndjson, .lines)
        case "application/json":
            let value = try Self.parse(body)
            input = .ndjson
            if let records = value["records"]?.array ?? value.array {
                form = .array
                // The answer to an array is put together before it is sent; lines are sent as they are scored.
                guard records.count <= maxTexts else {
                    throw BadRequest(
                        .contentTooLarge,
                        "the array has more than \(maxTexts) texts: send NDJSON (application/x-ndjson) instead")
                }
                var lines: [UInt8] = []
                for record in records { lines += try Self.line(record) }
                self.body = lines
            } else {
                form = .object
                self.body = try Self.line(value)
            }
        default: throw BadRequest(.unsupportedMediaType, "send text/plain, application/x-ndjson or application/json")
        }
    }

    /// A JSON text.
    static func parse(_ body: [UInt8]) throws(BadRequest) -> JSONValue {
        do throws(JSONError) {
            return try JSONValue(parsing: body)
        } catch {
            throw BadRequest(.badRequest, "the body isn't JSON: \(error.diagnosis.problem)")
        }
    }

    /// A record with this text, and a line feed.
    static func record(_ text: String) -> [UInt8] {
        var json = JSONWriter()
        json.value(.object([JSONMember(key: "text", value: .string(text))]))
        json.newline()
        return json.bytes
    }

    private static func line(_ record: JSONValue) throws(BadRequest) -> [UInt8] {
        guard record["text"]?.string != nil else {
            throw BadRequest(.badRequest, "a record is an object with a \"text\", which is a string")
        }
        var json = JSONWriter()
        json.value(record)
        json.newline()
        return json.bytes
    }
}
