// generate as a process: prompts in, continuations out.

import Foundation
import TestSupport
import Testing

struct GenerateTests {
    private let folder: Folder

    init() throws {
        folder = try TinyModel.shared().workspace()
        let made = try shell(
            """
            tokenize-pad --tokenizer tok --pack --length 32 all.ndjson >packed.st &&
              pretrain -q packed.st --base random:config.json --tokenizer tok --validation packed.st --batch-rows 4 \
                --epochs 40 --lr 1e-2 --out base >metrics
            """, in: folder.url)
        #expect(made.status == 0, "\(made.errors)")
    }

    private func generate(_ options: String, _ prompts: String) throws -> FilterResult {
        try shell("generate --model base \(options)", input: Data(prompts.utf8), in: folder.url)
    }

    @Test("a base writes on as the texts that it has learned")
    func learned() throws {
        let result = try generate("--temperature 0 --tokens 6", "win a free\nsee you at\n")
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        #expect(
            result.text.contains("win a free prize now") && result.text.contains("see you at lunch"), "\(result.text)")
    }

    @Test("a continuation depends on seed, line and prompt, not on threads or on other prompts")
    func sameTexts() throws {
        let all = try generate("--temperature 2 --json", "win\nsee\n\nbuy some\n").lines
        #expect(all.count == 4)
        #expect(try generate("--temperature 2 --json --threads 1", "win\nsee\n\nbuy some\n").lines == all)
        #expect(try generate("--temperature 2 --json", "are\nsee\n").lines[1] == all[1])
        #expect(try generate("--temperature 2 --json --seed 5", "win\nsee\n\nbuy some\n").lines != all)
        let samples = try generate("--temperature 2 --json --samples 3", "win\n").lines
        #expect(samples.count == 3 && Set(samples).count > 1 && samples[0] == all[0])
    }

    @Test("lines tell number of tokens and the reason of the end, and records keep their keys")
    func lines() throws {
        let text = try generate("--temperature 0 --tokens 2 --json", "win a\n").lines
        let first = try #require(try JSONSerialization.jsonObject(with: Data(text[0].utf8)) as? [String: Any])
        #expect(first["text"] as? String == "win a" && first["line"] as? Int == 1 && first["tokens"] as? Int == 2)
        #expect(first["end"] as? String == "length" && first["continuation"] as? String != nil)
        let record = #"{"id":7,"text":"win a","continuation":"old","tokens":1}"#
        let answer = try generate("--temperature 0 --tokens 2 --input ndjson", record + "\n").text
        #expect(
            answer.hasPrefix(#"{"id":7,"text":"win a","line":1,"continuation":""#) && !answer.contains("old"),
            "\(answer)")
        let renamed = try generate("--temperature 0 --input ndjson --text-field body", #"{"body":"see"}"# + "\n")
        #expect(renamed.status == 0 && renamed.text.hasPrefix(#"{"body":"see","line":1"#))
        let ends = try generate("--temperature 0 --json --tokens 400", "win a free prize\n").text
        #expect(ends.contains(#""end":"end-of-text""#) || ends.contains(#""end":"positions""#), "\(ends)")
    }

    @Test("no more tokens are written than the model has positions, and a longer prompt is an error with its line")
    func positions() throws {
        let long = Array(repeating: "xq", count: 20).joined(separator: " ")
        let result = try generate("--json", "see\n\(long) \(long)\n")
        expectFailure(result, 65, "generate", "stdin:2: the prompt has ")
        #expect(result.text.split(separator: "\n").count == 1)
    }

    @Test("usage errors and models that can't write are told in one line")
    func errors() throws {
        for (command, status, words) in [
            ("generate", 64, "--model"), ("generate --model base --tokens 0", 64, "positive"),
            ("generate --model base --temperature=-1", 64, "from 0 on"),
            ("generate --model base --samples 0", 64, "positive"),
            ("generate --model nowhere", 66, "nowhere/config.json: no such file"),
            ("generate --model random:config.json", 64, "no model directory"),
            ("generate --model base --tokenizer nowhere", 66, "nowhere"),
            ("generate --model base missing.txt", 66, "missing"),
        ] {
            let result = try shell(command, input: Data("a\n".utf8), in: folder.url)
            expectFailure(result, Int32(status), "generate", words)
        }
        let record = try generate("--input ndjson", "{\"text\":5}\n")
        expectFailure(record, 65, "generate", "stdin:1: ")
        let cut = try shell(
            "head -c 2000 base/model.safetensors >m && mv m base/model.safetensors && echo a | generate --model base",
            in: folder.url)
        #expect(cut.status != 0 && cut.output.isEmpty && cut.errors.split(separator: "\n").count == 1, "\(cut.errors)")
    }

    @Test("a record keeps its own keys, its label too")
    func recordKeys() throws {
        let result = try generate("--input ndjson", #"{"id":1,"text":"a","label":"spam","expected":"ham"}"# + "\n")
        #expect(
            result.text.hasPrefix(#"{"id":1,"text":"a","label":"spam","expected":"ham","line":1,"#), "\(result.text)")
    }

    @Test("bytes that aren't UTF-8 are read as U+FFFD, and what is written is UTF-8")
    func invalid() throws {
        let result = try shell(
            "generate --model base --temperature 3 --top-k 0", input: Data([0x61, 0xFF, 0x0A]), in: folder.url)
        #expect(result.status == 0 && result.errors.contains("not UTF-8"))
        #expect(String(validating: result.output, as: UTF8.self) != nil && result.text.hasPrefix("a\u{FFFD}"))
    }
}
