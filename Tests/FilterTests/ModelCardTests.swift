// The model card and tokenizer_config.json: what they say of a model is what made it.

import Foundation
import TestSupport
import Testing

struct ModelCardTests {
    private let folder: Folder
    init() throws { folder = try TinyModel.shared().workspace() }

    private func card(_ model: String) throws -> String {
        String(decoding: try folder.read("\(model)/README.md"), as: UTF8.self)
    }

    @Test("the card names data, records, date, processor and command, and no weight depends on it")
    func cardContent() throws {
        let before = Date(timeIntervalSinceNow: -60)
        let result = try shell(
            "cp all.st 'te st.st'; \(TinyModel.finetune) --test 'te st.st' --out new <all.st >o", in: folder.url)
        #expect(result.status == 0, "\(result.errors)")
        let lines = try card("new").split(separator: "\n").map(String.init)
        #expect(
            lines.contains(
                "| data | training: 60 records of stdin; validation: 60 records of all.st; test: 60 records of te st.st |"
            ))
        #expect(lines.contains("    \(TinyModel.finetune) --test 'te st.st' --out new"))
        let date = try #require(lines.first { $0.hasPrefix("| date | ") })
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "UTC")
        format.dateFormat = "'| date | 'yyyy-MM-dd HH:mm 'UTC |'"
        let time = try #require(format.date(from: date), "\(date)")
        #expect(time >= before && time <= Date())
        let processor = try #require(lines.first { $0.hasPrefix("| CPU | ") })
        #expect(processor.count > "| CPU |  |".count)
        #expect(try shell("cmp new/model.safetensors model/model.safetensors", in: folder.url).status == 0)
    }

    @Test("precision and recall of every label are those of evaluate")
    func cardResults() throws {
        let result = try shell(
            """
            sed 's/"ham"/"a|b"/' all.ndjson >bar.ndjson; tokenize-pad -q --tokenizer tok bar.ndjson >bar.st
            \(TinyModel.finetune.replacing("all.st", with: "bar.st")) --epochs 1 --lr 1e-3 --test bar.st --out new \
              <bar.st >o
            score -q --model new --precision f32 --input ndjson bar.ndjson | evaluate --format json
            """, in: folder.url)
        let evaluation = try #require(try JSONSerialization.jsonObject(with: result.output) as? [String: Any])
        let classes = try #require(evaluation["classes"] as? [String: [String: Any]])
        let card = try card("new")
        #expect(classes.count == 2)
        for (name, known) in classes {
            let label = name.replacing("|", with: "\\|")
            let shares = ["precision", "recall", "f1"].map { key in
                (known[key] as? Double).map { "\(($0 * 10_000).rounded() / 100) %" } ?? "–"
            }
            let row = "| \(label) | \(shares.joined(separator: " | ")) | \(known["records"] ?? "") |\n"
            #expect(card.contains(row), "\(row)\(card)")
        }
        #expect(try !self.card("model").contains("## Evaluation"))
        // The head of the card has the same numbers, in YAML.
        let head = try #require(card.split(separator: "---\n").first)
        for (key, name) in [("accuracy", "accuracy"), ("balanced_accuracy", "balanced_accuracy"), ("macro_f1", "f1")] {
            let value = try #require(evaluation[key] as? Double)
            let pattern = try Regex("    - type: \(name)\n      name: [A-Z a-z0-9]+\n      value: ([0-9.e-]+)\n")
            let found = try #require(head.firstMatch(of: pattern)?[1].substring.flatMap { Double($0) })
            #expect(abs(found - value) < 1e-12)
        }
        #expect(head.contains("      type: local\n") && head.contains("\"bar.st, 60 records\""))
        #expect(try !self.card("model").contains("model-index"))
    }

    @Test("a search's card has the winner's results by label")
    func searchCard() throws {
        let result = try shell(
            "\(TinyModel.finetune) --test all.st --search lr=1e-3..1e-2 --trials 2 --out new <all.st >o", in: folder.url
        )
        #expect(result.status == 0, "\(result.errors)")
        #expect(try card("new").contains("\n| spam | "))
    }

    @Test("transformers is given the length at which texts are cut")
    func maximumLength() throws {
        let result = try shell(
            "jq -c .gpt2kit.max_length model/config.json; jq -c .model_max_length model/tokenizer_config.json",
            in: folder.url)
        #expect(result.lines.count == 2 && result.lines.first == result.lines.last, "\(result.text)")
        #expect(try #require(result.lines.first.flatMap { Int($0) }) < 32)
        #expect(try card("model").contains("truncation=True"))
    }
}
