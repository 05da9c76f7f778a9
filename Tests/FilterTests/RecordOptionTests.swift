// Every filter offers the record options that have an effect in it, and no others.

import Foundation
import TestSupport
import Testing

struct RecordOptionTests {
    private static let lines = #"""
        {"id":"one","text":"a b","label":"x","body":"c d","class":"z"}
        {"id":"two","text":"a b","label":"y","body":"e f","class":"w"}
        {"id":"three","text":"g h","label":"y","body":"e f","class":"w"}

        """#

    @Test(
        "a key's option changes what is written",
        arguments: [
            ("--label-field class", "balance --labels w OPTION"),
            ("--text-field body", "split --part train --group-by text --fractions 0.5,0,0.5 OPTION"),
            ("--label-field text", "split --part train --stratify --fractions 0.5,0,0.5 OPTION"),
            ("--text-field body", "train-tokenizer --vocab-size 300 --out out OPTION && cat out/merges.txt"),
        ])
    func optionHasEffect(option: String, command: String) throws {
        let folder = try Folder()
        let input = Data(Self.lines.utf8)
        let plain = try shell(command.replacing("OPTION", with: ""), input: input, in: folder.url)
        let chosen = try shell(command.replacing("OPTION", with: option), input: input, in: folder.url)
        #expect(chosen.status == 0 && !chosen.text.isEmpty, "\(chosen.errors)")
        #expect(plain.text != chosen.text)
    }

    @Test(
        "an option that would have no effect is unknown",
        arguments: [
            ("balance", "--id-field"), ("balance", "--text-field"), ("split --part test", "--id-field"),
            ("train-tokenizer --vocab-size 300 --out x", "--id-field"),
            ("train-tokenizer --vocab-size 300 --out x", "--label-field"), ("tokenize-pad --tokenizer x", "--id-field"),
            ("score --model x", "--id-field"), ("evaluate", "--id-field"),
        ])
    func optionIsUnknown(command: String, option: String) throws {
        let tool = String(command.prefix { $0 != " " })
        expectFailure(try shell("\(command) \(option) key"), 64, tool, "unknown option '\(option)'")
        #expect(!(try shell("\(tool) --help").text.contains(option)))
    }

    @Test("an id passes through balance, split and score, whatever it is")
    func idPassesThrough() throws {
        let folder = try TinyModel.shared().workspace()
        let line = #"{"id":{"n":7},"text":"a","label":"spam"}"# + "\n"
        #expect(try shell("balance", input: Data(line.utf8)).text == line)
        #expect(try shell("split --part test --fractions 0,0,1", input: Data(line.utf8)).text == line)
        let scored = try shell("score --model model --input ndjson", input: Data(line.utf8), in: folder.url)
        #expect(scored.text.hasPrefix(#"{"id":{"n":7},"text":"a","expected":"spam","line":1,"#), "\(scored.text)")
    }
}
