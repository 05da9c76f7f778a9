// The metrics of a training run, as NDJSON on stdout.

import Platform
import Records

/// Writes lines of JSON. A reader that goes away doesn't end a training run: what happened to the stream is told when the
/// model is written.
public final class MetricsStream {
    private let sink = ByteSink.standardOutput()
    private var failure: StreamError?

    /// From now on a reader that has gone away is an error of a write, and no signal.
    public init() { signal(SIGPIPE, SIG_IGN) }

    /// Writes an object of these keys and values.
    public func write(_ members: [(String, JSONValue)]) {
        guard failure == nil else { return }
        var json = JSONWriter()
        json.value(.object(members.map { JSONMember(key: $0.0, value: $0.1) }))
        json.newline()
        do throws(StreamError) {
            try sink.write(json.bytes)
            try sink.flush()
        } catch {
            failure = error
        }
    }

    /// Ends the stream.
    ///
    /// - Throws: ``MetricsLost`` where not all lines could be written; `model` is whole all the same.
    public func close(model: String) throws(MetricsLost) {
        do throws(StreamError) {
            if let failure { throw failure }
            try sink.close()
        } catch {
            throw MetricsLost(model: model, cause: error)
        }
    }
}

/// The model is written, but its metrics aren't.
public struct MetricsLost: DiagnosableError {
    let model: String
    let cause: StreamError

    public var diagnosis: Diagnosis {
        var diagnosis = cause.diagnosis
        diagnosis.remedy = "the metrics are incomplete, the model in \(model) isn't; to have both, write them to a file"
        return diagnosis
    }
}
