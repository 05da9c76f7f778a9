// docs/own-data.md, from the table to the evaluation, as a reader would run it.

import Foundation
import TestSupport
import Testing

struct OwnDataTests {
    @Test("the commands of docs/own-data.md run, write what is shown, and make a classifier better than chance")
    func ownData() throws {
        let document = try Document("docs/own-data.md")
        let folder = try Folder()
        try FileManager.default.createSymbolicLink(
            at: folder.url.appendingPathComponent("docs"),
            withDestinationURL: repository.appendingPathComponent("docs"))

        // What every block writes goes to a file of its own.
        var script = "set -eu\n"
        var expected: [(name: String, text: String)] = []
        var count = 0
        for (index, block) in document.blocks.enumerated() where block.language == "sh" {
            count += 1
            script += "exec > '\(folder.url.path)/block-\(count)'\n\(block.text)"
            // A block of text under the commands is what they write; one of the language console is an example.
            if index + 1 < document.blocks.count, document.blocks[index + 1].language == "text" {
                expected.append(("block-\(count)", document.blocks[index + 1].text))
            }
        }
        try #require(count > 5 && expected.count > 3)
        try folder.write("commands", script)
        let result = try shell("bash commands", in: folder.url)
        try #require(result.status == 0, "\(result.errors)")
        for (name, text) in expected {
            #expect(String(decoding: try folder.read(name), as: UTF8.self) == text, "\(name)")
        }

        #expect(try folder.names("build/tickets/model").contains("model.safetensors"))
        let evaluation = try shell("evaluate --format json build/tickets/scores.ndjson | jq .accuracy", in: folder.url)
        let accuracy = try #require(Double(evaluation.text.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(accuracy > 0.6, "chance is 0.27")
    }

    @Test("the example's table has quoted fields with commas, quotes and line breaks")
    func table() throws {
        let file = repository.appendingPathComponent("docs/examples/tickets.csv")
        let csv = try String(contentsOf: file, encoding: .utf8)
        let rows = csv.matches(of: /(?m)^\d{4},/).count
        #expect(rows == 467)
        #expect(csv.split(separator: "\n").count > rows + 100 && csv.contains(#""""#))
    }
}
