// An explanation as NDJSON, and as text for people.

import GPT2Kit
import Records

/// Writes explanations of a model with these labels.
struct ExplanationOutput {
    let labels: [String]
    let isColoured: Bool

    private func string(_ word: Word, _ text: InputText) -> String {
        String(decoding: text.text[word.range], as: UTF8.self)
    }

    /// The label, the text with its words shaded, and the heaviest words.
    func text(_ text: InputText, _ explanation: Explanation, hasCounterfactual: Bool) -> [UInt8] {
        let percent = (explanation.score.probabilities[explanation.label] * 10_000).rounded() / 100
        var result = "\(labels[explanation.label].printable) \(percent) %: "
        let heaviest = explanation.words.map { abs($0.weight) }.max() ?? 0
        var end = 0
        for (word, weight) in explanation.words {
            result += String(decoding: text.text[end..<word.range.lowerBound], as: UTF8.self).printable
            let name = string(word, text).printable
            let level = heaviest > 0 ? Int((abs(weight) / heaviest * 4).rounded()) : 0
            // Greens for the label, reds against it, both dark enough for white text.
            let colour = (weight > 0 ? [0, 22, 22, 28, 34] : [0, 52, 52, 88, 124])[level]
            result += isColoured && level > 0 ? "\u{1B}[97;48;5;\(colour)m\(name)\u{1B}[0m" : name
            end = word.range.upperBound
        }
        result += String(decoding: text.text[end...], as: UTF8.self).printable + "\n"
        let order = explanation.words.sorted { abs($0.weight) > abs($1.weight) }.prefix(5)
        if !order.isEmpty {
            result +=
                "  " + order.map { "\(string($0.word, text).printable) \(signed($0.weight))" }.joined(separator: "  ")
                + "\n"
        }
        if hasCounterfactual {
            if let counterfactual = explanation.counterfactual {
                let words = counterfactual.removed.map { string($0, text).printable }.joined(separator: ", ")
                result += "  \(labels[counterfactual.label].printable) without: \(words)\n"
            } else {
                result += "  no other label without the heaviest words\n"
            }
        }
        return Array(result.utf8)
    }

    private func signed(_ weight: Double) -> String {
        let rounded = (abs(weight) * 100).rounded() / 100
        return (weight < 0 ? "−" : "+") + "\(rounded)"
    }
}
