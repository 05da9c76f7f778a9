// The demo pipeline whole, as pipelines/demo.mk runs it, with fewer epochs.

import Foundation
import TestSupport
import Testing

struct DemoPipelineTests {
    private static let demo = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("pipelines/demo")

    @Test("the demo's archive holds the demo's messages, byte for byte")
    func archiveContent() throws {
        let result = try shell(
            "fetch-unzip --quiet messages.zip --entry MessageCollection --format raw | cmp - messages.tsv",
            in: Self.demo)
        #expect(result.status == 0, "\(result.text)\(result.errors)")
    }

    @Test("a model trained on the demo's messages tells spam from ham")
    func demoModel() throws {
        let folder = try Folder()
        let result = try shell(
            """
            set -e; demo='\(Self.demo.path)'
            fetch-unzip --quiet "$demo/messages.zip" --entry MessageCollection | tee records | balance >balanced
            for part in train validation test; do split --part $part <balanced >$part.ndjson; done
            wc -l <records; wc -l <balanced; for part in train validation test; do wc -l <$part.ndjson; done
            train-tokenizer --vocab-size 512 --out tok train.ndjson
            tokenize-pad --tokenizer tok <train.ndjson >train.st
            for part in validation test; do
              tokenize-pad --tokenizer tok --length train.st --labels-from train.st <$part.ndjson >$part.st
            done
            tokenize-pad --tokenizer tok <train.ndjson \\
              | finetune -q --base "random:$demo/config.json" --tokenizer tok --trainable all --pool mean --epochs 3 \\
                --lr 1e-3 --validation validation.st --test test.st --out model >metrics.ndjson
            score --model model --input ndjson <test.ndjson | evaluate --format json >evaluation.json
            """, in: folder.url)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        let counts = result.lines.map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(counts == ["2076", "1036", "725", "103", "208"])
        let file = try folder.read("evaluation.json")
        let evaluation = try #require(try JSONSerialization.jsonObject(with: file) as? [String: Any])
        let accuracy = try #require(evaluation["accuracy"] as? Double)
        #expect(evaluation["records"] as? Int == 208)
        #expect(accuracy > 0.75)
        let last = try #require(try shell("tail -1 metrics.ndjson", in: folder.url).lines.first)
        let end = try #require(try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any])
        #expect(try abs(#require(end["test_accuracy"] as? Double) - accuracy) < 1e-9)
    }
}
