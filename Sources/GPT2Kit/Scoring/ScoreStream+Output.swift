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

    /// Appends `"line":…,"label":…,"probability":…,"probabilities":{…}}`.
    func append(_ score: Score, _ line: Int, to output: inout [UInt8]) {
        output += "\"line\":\(line),\"label\":".utf8
        output += labelKeys[score.label]
        output += ",\"probability\":\(Float(score.probabilities[score.label])),\"probabilities\":{".utf8
        for (label, probability) in score.probabilities.enumerated() {
            if label > 0 { output.append(UInt8(ascii: ",")) }
            output += labelKeys[label]
            output += ":\(Float(probability))".utf8
        }
        output.append(UInt8(ascii: "}"))
        if let set = score.set {
            output += ",\"set\":[".utf8
            for (place, label) in set.enumerated() {
                if place > 0 { output.append(UInt8(ascii: ",")) }
                output += labelKeys[label]
            }
            output += "],\"verdict\":".utf8
            output += score.verdict.map { labelKeys[$0] } ?? Array("\"unsure\"".utf8)
        }
        if let source = score.source { output += ",\"by\":\"\(source.rawValue)\"".utf8 }
        output.append(UInt8(ascii: "}"))
    }
}
