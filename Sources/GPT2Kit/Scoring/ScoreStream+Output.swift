// The bytes of a scored line.

import Records

extension ScoreStream {
    /// Appends the characters of a JSON string.
    func append(text: ArraySlice<UInt8>, to output: inout [UInt8], _ sink: ByteSink) throws(StreamError) {
        let isLong = text.count > Self.longText
        if isLong { try write(&output, sink) }
        var json = JSONWriter()
        try UTF8.forEachRepairedChunk(of: text) { part throws(StreamError) in
            json.removeAll()
            json.string(utf8: part)
            output += json.bytes.dropFirst().dropLast()
            if isLong { try write(&output, sink) }
        }
    }

    /// Appends a JSON value.
    func append(value: ArraySlice<UInt8>, to output: inout [UInt8], _ sink: ByteSink) throws(StreamError) {
        guard value.count > Self.longText else { return output += value }
        try write(&output, sink)
        try sink.write(value)
    }

    func write(_ output: inout [UInt8], _ sink: ByteSink) throws(StreamError) {
        try sink.write(output)
        output.removeAll(keepingCapacity: true)
    }

    /// Appends the results and the end of the object.
    func append(_ score: Score, _ line: Int, to output: inout [UInt8]) {
        score.append(line: line, label: score.label, members, to: &output)
        output.append(UInt8(ascii: "}"))
    }
}
