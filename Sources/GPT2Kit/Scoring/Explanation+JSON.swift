// An explanation as a line of NDJSON.

import Evaluation
import Records

extension Explanation {
    /// What was read of the text's line, the results of a scored line, then `words` and, where one was looked for,
    /// `counterfactual`, and a line feed. `label` is the one that is explained.
    ///
    /// - Parameters:
    ///   - text: the text that is explained.
    ///   - labels: the names of the model's classes.
    ///   - hasCounterfactual: whether a counterfactual was looked for: `null` where none was found.
    public func json(of text: InputText, labels: [String], hasCounterfactual: Bool) -> [UInt8] {
        var output = text.beginningOfObject
        score.append(line: text.line, label: label, ScoreMembers(labels), to: &output)
        output.append(UInt8(ascii: ","))
        var json = JSONWriter()
        json.beginObject()
        let words = words.map { word, weight in
            JSONValue.object([
                JSONMember(key: "word", value: .string(string(word, text))),
                JSONMember(key: "start", value: .number(word.range.lowerBound)),
                JSONMember(key: "end", value: .number(word.range.upperBound)),
                JSONMember(key: "weight", value: .number(Float(weight))),
            ])
        }
        json.key("words")
        json.value(.array(words))
        if hasCounterfactual {
            json.key("counterfactual")
            json.value(counterfactual.map { value($0, text, labels) } ?? .null)
        }
        json.endObject()
        json.newline()
        return output + json.bytes.dropFirst()
    }

    private func value(_ counterfactual: Counterfactual, _ text: InputText, _ labels: [String]) -> JSONValue {
        .object([
            JSONMember(
                key: "removed", value: .array(counterfactual.removed.map { .string(string($0, text)) })),
            JSONMember(key: "text", value: .string(String(decoding: counterfactual.text, as: UTF8.self))),
            JSONMember(key: "label", value: .string(labels[counterfactual.label])),
        ])
    }

    private func string(_ word: Word, _ text: InputText) -> String {
        String(decoding: text.text[word.range], as: UTF8.self)
    }
}
