// explain as a process: texts in, weights of words out.

import Foundation
import TestSupport
import Testing

struct ExplainTests {
    private let folder: Folder

    init() throws { folder = try TinyModel.shared().workspace() }

    private func explain(_ options: String, _ text: String) throws -> FilterResult {
        try shell("explain --model model \(options)", input: Data(text.utf8), in: folder.url)
    }

    private func objects(_ result: FilterResult) throws -> [[String: Any]] {
        #expect(result.status == 0, "\(result.errors)")
        return try result.lines.map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    @Test("words have their places and weights, beside what score writes")
    func words() throws {
        let text = "win a free  prize"
        let line = try #require(try objects(explain("--precision f32", text + "\n")).first)
        let words = try #require(line["words"] as? [[String: Any]])
        #expect(words.compactMap { $0["word"] as? String } == ["win", "a", "free", "prize"])
        #expect(words.compactMap { $0["start"] as? Int } == [0, 4, 6, 12])
        #expect(words.compactMap { $0["end"] as? Int } == [3, 5, 10, 17])
        let scored = try #require(
            try objects(shell("score --precision f32 --model model", input: Data((text + "\n").utf8), in: folder.url))
                .first)
        #expect(line["label"] as? String == scored["label"] as? String && line["text"] as? String == text)
        #expect(try abs(#require(line["probability"] as? Double) - #require(scored["probability"] as? Double)) < 1e-5)
    }

    @Test("records keep their keys, another label can be explained, and threads don't matter")
    func records() throws {
        let record = #"{"id":7,"text":"win a free prize","label":"spam"}"# + "\n"
        let line = try #require(try objects(explain("--input ndjson --label ham", record)).first)
        #expect(line["id"] as? Int == 7 && line["label"] as? String == "ham" && (line["words"] as? [Any])?.count == 4)
        #expect(
            try explain("--threads 1", "win a free prize\n").output
                == explain("--threads 3", "win a free prize\n").output)
        #expect(try explain("", "").output.isEmpty)
        #expect(try objects(explain("", "\n"))[0]["words"] as? [Any] != nil)
    }

    @Test("a counterfactual changes the label, and text for people names the heaviest words")
    func counterfactual() throws {
        let lines = try objects(
            explain("--counterfactual --most 20", "win a free prize now\nsee you at lunch tomorrow\n"))
        #expect(lines.contains { $0["counterfactual"] is [String: Any] })
        for line in lines {
            #expect(line.keys.contains("counterfactual"))
            guard let found = line["counterfactual"] as? [String: Any] else { continue }
            #expect(
                found["label"] as? String != line["label"] as? String && !(found["removed"] as? [String] ?? []).isEmpty)
        }
        let text = try explain("--format text --counterfactual", "win a free prize now\n").text
        #expect(text.contains(" %: win a free prize now\n  ") && !text.contains("\u{1B}"), "\(text)")
    }

    @Test("a text that the model doesn't read to its end is told, once")
    func cut() throws {
        let words = String(repeating: "win a prize ", count: 40)
        let result = try explain("--counterfactual --most 3", words + "\nshort\n")
        #expect(try objects(result).count == 2 && result.errorLines.count == 1)
        #expect(
            result.errors.contains("explain: texts cut to") && result.errors.contains("tokens: 1"), "\(result.errors)")
    }

    @Test("usage errors and bad lines are one line")
    func errors() throws {
        expectFailure(try explain("--label eggs", "a\n"), 64, "explain", "the model has no label 'eggs'")
        expectFailure(try explain("--most 0", "a\n"), 64, "explain", "positive")
        expectFailure(try explain("--input ndjson", "{}\n"), 65, "explain", "stdin:1: ")
        expectFailure(try explain("none", "a\n"), 66, "explain", "none: no such file")
        expectFailure(try shell("echo a | explain --model nowhere", in: folder.url), 66, "explain", "nowhere")
    }

    @Test("a record's label becomes the expected one, and results of an earlier score make way")
    func labels() throws {
        let record =
            #"{"text":"win a free prize","label":"ham","set":["x"],"verdict":"y","by":"model","error":"e"}"# + "\n"
        let line = try #require(try objects(explain("--input ndjson", record)).first)
        #expect(line["expected"] as? String == "ham" && line["label"] as? String == "spam")
        #expect(["set", "verdict", "by", "error"].allSatisfy { line[$0] == nil })
        #expect(
            try objects(explain("--input ndjson --label-field set", record.replacing("[\"x\"]", with: "\"x\"")))[0][
                "expected"] as? String == "x")
        let fitted = try shell(
            """
            score --raw --model model --input ndjson all.ndjson >scores; calibrate model scores --coverage 0.9 >sets
            tail -n 3 all.ndjson | score --model model --input ndjson --precision f32 | jq -c '[.expected,.label,.set,.verdict]' >a
            tail -n 3 all.ndjson | explain --model model --input ndjson --precision f32 | jq -c '[.expected,.label,.set,.verdict]' | diff a -
            """, in: folder.url)
        #expect(fitted.status == 0, "\(fitted.text)\(fitted.errors)")
    }
}
