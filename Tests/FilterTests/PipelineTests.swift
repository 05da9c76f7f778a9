// The pipelines as make sees them, without running their stages.

import Foundation
import Testing

@Suite struct PipelineTests {
    /// The folder of the Makefile.
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The commands of a goal, all of them, as if nothing had been made yet.
    private func commands(_ goal: String) throws -> FilterResult {
        try shell("env -u MAKEFLAGS -u MAKELEVEL make --dry-run --always-make \(goal)", in: Self.root)
    }

    private static var names: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent("pipelines").path)
                .filter { $0.hasSuffix(".mk") }.map { String($0.dropLast(3)) }.sorted()
        }
    }

    @Test func `every pipeline goes from records to an evaluation`() throws {
        #expect(try Self.names.contains("demo"))
        for name in try Self.names {
            let result = try commands("all PIPELINE=\(name) MODEL=gpt2")
            #expect(result.status == 0, "\(name): \(result.errors)")
            for filter in ["split", "tokenize-pad", "finetune", "score", "evaluate"] {
                #expect(result.text.contains(".build/release/\(filter) "), "\(name) lacks \(filter)")
            }
        }
    }

    @Test func `sms-spam balances the training part alone`() throws {
        let lines = try commands("all PIPELINE=sms-spam").lines
        #expect(lines.filter { $0.contains("/balance ") }.count == 1)
        let balance = try #require(lines.first { $0.contains("/balance ") })
        #expect(balance.hasSuffix("balance build/sms-spam/unbalanced.ndjson > build/sms-spam/train.ndjson"))
        let splits = lines.filter { $0.contains("/split ") }
        #expect(splits.count == 3)
        #expect(splits.allSatisfy { $0.contains("--group-by text --stratify") && $0.contains("records.ndjson >") })
    }

    @Test func `routing makes a record of every line, and has five classes`() throws {
        let folder = try Folder()
        let records = folder.url.appendingPathComponent("records.ndjson").path
        let recipe = try commands("build/routing/records.ndjson PIPELINE=routing").lines.filter { $0.hasPrefix("jq ") }
        let command = try #require(recipe.first).replacing("build/routing/records.ndjson", with: records)
        #expect(try shell(command, in: Self.root).status == 0)
        let counts = try shell("jq -r .label \(records) | sort | uniq -c | tr -s ' '", in: Self.root).text
        #expect(counts == " 220 account\n 329 billing\n 216 cancellation\n 394 delivery\n 328 technical\n")
        let table = #"jq -r '[.label, .text] | join("\t")'"#
        let texts = try shell("\(table) \(records) | cmp - pipelines/routing/messages.tsv", in: Self.root)
        #expect(texts.status == 0, "\(texts.text)\(texts.errors)")
        #expect(try shell("jq -r .id \(records) | sort -u | wc -l", in: Self.root).text.contains("1487"))
    }

    @Test func `overlap counts the texts that are known from training`() throws {
        let folder = try Folder()
        try folder.write("train", #"{"text":"See you  at 8"}"# + "\n" + #"{"text":"b"}"#)
        try folder.write(
            "test", [" see YOU at 8", "see you at 9", "B", "c"].map { "{\"text\":\"\($0)\"}\n" }.joined())
        let program = Self.root.appendingPathComponent("pipelines/common/overlap.jq").path
        let result = try shell("jq -nr --arg part test --slurpfile train train -f '\(program)' test", in: folder.url)
        #expect(result.text == "test: 2 of 4 texts are also in the training part (50 %)\n", "\(result.errors)")
    }
}
