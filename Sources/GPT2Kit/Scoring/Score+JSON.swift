// The members of a scored line that are results.

import Evaluation

extension Score {
    /// Appends `"line":…,"label":…,"probability":…,"probabilities":{…}`, then `set` and `verdict` where there are sets, `by` where
    /// there are two models, and `calibrated` where the probabilities aren't the model's own.
    ///
    /// - Parameters:
    ///   - line: of the text, from 1.
    ///   - label: whose probability is told.
    ///   - members: writes the first four.
    ///   - output: what is appended to.
    func append(line: Int, label: Int, _ members: ScoreMembers, to output: inout [UInt8]) {
        members.append(line: line, label: label, probabilities, to: &output)
        if let set {
            output += ",\"set\":[".utf8
            for (place, label) in set.enumerated() {
                if place > 0 { output.append(UInt8(ascii: ",")) }
                output += members.keys[label]
            }
            output += "],\"verdict\":".utf8
            output += verdict.map { members.keys[$0] } ?? Array("\"unsure\"".utf8)
        }
        if let source { output += ",\"by\":\"\(source.rawValue)\"".utf8 }
        if isCalibrated { output += ",\"calibrated\":true".utf8 }
    }
}
