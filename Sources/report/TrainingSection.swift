// The training: what it started from, its settings, how long it took.

import Evaluation
import Records

struct TrainingSection: Section {
    let title = "Training"
    let html: String

    /// Settings of the start event, as people call them.
    private static let names: [(key: String, name: String)] = [
        ("base", "base"), ("trainable", "trained"), ("pooling", "pooling"), ("causal_mask", "causal mask"),
        ("precision", "precision of frozen blocks"), ("training_precision", "precision of trained blocks"),
        ("epochs", "epochs"), ("batch", "texts in a batch"), ("accumulate", "batches in a step"),
        ("learning_rate", "learning rate"), ("schedule", "schedule"), ("warmup", "warm-up"),
        ("layer_decay", "layer decay"),
        ("weight_decay", "weight decay"), ("clip_norm", "clipping"), ("dropout", "dropout"),
        ("word_dropout", "word dropout"),
        ("label_smoothing", "label smoothing"), ("class_weights", "class weights"), ("keep", "kept weights"),
        ("seed", "seed"), ("parameters", "parameters"), ("trainable_parameters", "trained parameters"),
        ("distinct_texts", "distinct texts"), ("tokens", "tokens of them"), ("length", "tokens at which texts are cut"),
        ("steps", "steps"),
    ]

    init(_ events: [JSONValue]) {
        func event(_ name: String) -> JSONValue? { events.last { $0["event"]?.string == name } }
        let start = event("start") ?? event("resume")
        let settings = Self.names.compactMap { key, name in
            (start?[key]).flatMap(Self.text).map { [name, $0] }
        }
        var text = HTMLTable(caption: "Settings", header: [], rows: settings).text
        if let end = event("end") {
            var rows: [[String]] = []
            for (key, name) in [("train", "training"), ("validation", "validation"), ("test", "test")] {
                guard let accuracy = end["\(key)_accuracy"]?.double else { continue }
                rows.append([
                    name, PlainTable.percent(accuracy) + " %",
                    end["\(key)_loss"]?.double.map { PlainTable.number($0, digits: 4) } ?? "",
                ])
            }
            text += HTMLTable(caption: "After training", header: ["part", "accuracy", "loss"], rows: rows).text
            let phases = (end["seconds_by_phase"]?.object ?? []).compactMap { member in
                member.value.double.map { [member.key, PlainTable.number($0, digits: 1)] }
            }
            let total = end["seconds"]?.double.map { [["all", PlainTable.number($0, digits: 1)]] } ?? []
            text += HTMLTable(caption: "Seconds", header: ["phase", "seconds"], rows: phases + total).text
        }
        html = text
    }

    /// With commas between groups of three digits.
    private static func grouped(_ number: Int) -> String {
        let digits = Array("\(number.magnitude)")
        var text = number < 0 ? "−" : ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }

    private static func text(_ value: JSONValue) -> String? {
        switch value {
        case .null: nil
        case .bool(let flag): flag ? "yes" : "no"
        case .string(let text): text.printable
        case .number(let number): Int(number).map(grouped) ?? number
        case .object(let members):
            members.map { "\($0.key.printable) \(text($0.value) ?? "–")" }.joined(separator: ", ")
        case .array(let values): values.compactMap(text).joined(separator: ", ")
        }
    }
}
