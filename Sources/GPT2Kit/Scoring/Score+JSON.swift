// The members of a scored line that are results.

import Records

extension Score {
    /// Labels as JSON strings.
    static func keys(_ labels: [String]) -> [[UInt8]] {
        labels.map { label in
            var json = JSONWriter()
            json.string(label)
            return json.bytes
        }
    }

    /// Appends `"line":…,"label":…,"probability":…,"probabilities":{…}`, then `set` and `verdict` where there are sets, and `by` where
    /// there are two models.
    ///
    /// - Parameters:
    ///   - line: of the text, from 1.
    ///   - label: whose probability is told.
    ///   - keys: the labels as ``keys(_:)`` gives them.
    ///   - output: what is appended to.
    func append(line: Int, label: Int, _ keys: [[UInt8]], to output: inout [UInt8]) {
        output += "\"line\":\(line),\"label\":".utf8
        output += keys[label]
        output += ",\"probability\":\(Float(probabilities[label])),\"probabilities\":{".utf8
        for (label, probability) in probabilities.enumerated() {
            if label > 0 { output.append(UInt8(ascii: ",")) }
            output += keys[label]
            output += ":\(Float(probability))".utf8
        }
        output.append(UInt8(ascii: "}"))
        if let set {
            output += ",\"set\":[".utf8
            for (place, label) in set.enumerated() {
                if place > 0 { output.append(UInt8(ascii: ",")) }
                output += keys[label]
            }
            output += "],\"verdict\":".utf8
            output += verdict.map { keys[$0] } ?? Array("\"unsure\"".utf8)
        }
        if let source { output += ",\"by\":\"\(source.rawValue)\"".utf8 }
    }
}
