// The members of a scored record that are results, as JSON.

import Records

/// Writes `"line":…,"label":…,"probability":…,"probabilities":{…}`.
package struct ScoreMembers: Sendable {
    /// The labels as JSON strings.
    package let keys: [[UInt8]]

    /// For probabilities of `labels`.
    package init(_ labels: [String]) {
        keys = labels.map { label in
            var json = JSONWriter()
            json.string(label)
            return json.bytes
        }
    }

    /// Appends the members, without a brace or a comma around them.
    ///
    /// - Parameters:
    ///   - line: of the text in its input, from 1.
    ///   - expected: the label that the text has, which stands behind the line; nil to leave it out.
    ///   - label: the label that it got.
    ///   - probabilities: of all labels.
    ///   - output: what is appended to.
    package func append(
        line: Int, expected: Int? = nil, label: Int, _ probabilities: [Double], to output: inout [UInt8]
    ) {
        output += "\"line\":\(line)".utf8
        if let expected {
            output += ",\"expected\":".utf8
            output += keys[expected]
        }
        output += ",\"label\":".utf8
        output += keys[label]
        output += ",\"probability\":\(Float(probabilities[label])),\"probabilities\":{".utf8
        for (label, probability) in probabilities.enumerated() {
            if label > 0 { output.append(UInt8(ascii: ",")) }
            output += keys[label]
            output += ":\(Float(probability))".utf8
        }
        output.append(UInt8(ascii: "}"))
    }
}
