// --precision of score and finetune as processes.

import Foundation
import TestSupport
import Testing

struct PrecisionFilterTests {
    private let folder: Folder
    init() throws { folder = try TinyModel.shared().workspace() }

    @Test("int8 reports how many labels it changes, once there are enough texts, unless --quiet")
    func int8Report() throws {
        let score = "score --model model --input ndjson all.ndjson --precision int8"
        let told = try shell("\(score) --check 50 >scores; wc -l <scores", in: folder.url)
        #expect(told.status == 0 && told.lines == ["60"])
        #expect(told.errors.hasPrefix("score: int8: ") && told.errors.contains(" of 50 labels differ from "))
        // More than a window, whose lines end with the input's.
        let long = try shell(
            """
            for _ in $(seq 25); do cat all.ndjson; done >many.ndjson
            score --model model --input ndjson many.ndjson --precision int8 --check 1400 >/dev/null
            """, in: folder.url)
        #expect(long.errors.contains(" of 1400 labels differ from "), "\(long.errors)")
        for silent in ["--check 61", "--check 0", "--check 50 --quiet", ""] {
            let result = try shell("\(score) \(silent) | cmp - scores", in: folder.url)
            #expect(result.status == 0 && result.errors.isEmpty, "\(silent): \(result.errors)")
        }
    }

    @Test("probabilities of bf16 and int8 are near those of f32, and not the same")
    func nearbyProbabilities() throws {
        func probabilities(_ precision: String) throws -> [Double] {
            let result = try shell(
                "score -q --model model --precision \(precision) --input ndjson all.ndjson | jq .probabilities.spam",
                in: folder.url)
            return try result.lines.map { try #require(Double($0)) }
        }
        let exact = try probabilities("f32")
        for (precision, bound) in [("bf16", 0.01), ("int8", 0.05)] {
            let other = try probabilities(precision)
            let largest = zip(exact, other).map { abs($0 - $1) }.max()
            #expect(other.count == 60 && largest ?? 1 < bound && largest ?? 0 > 0, "\(precision): \(largest ?? .nan)")
        }
    }

    @Test("finetune --check-int8 adds an event and records the precision")
    func int8Event() throws {
        let result = try shell(
            """
            finetune -q --base random:config.json --tokenizer tok --validation all.st --epochs 1 --precision bf16 \\
              --check-int8 --out new <all.st >metrics && jq -c 'select(.event == "int8") | [.texts, .other_labels < 6,
              (.largest_difference > 0 and .largest_difference < 0.1)]' metrics; jq -r .gpt2kit.training.precision new/config.json
            """, in: folder.url)
        #expect(result.status == 0 && result.errors.isEmpty)
        #expect(result.lines == ["[60,true,true]", "bf16"])
    }
}
