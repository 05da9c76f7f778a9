// What the filters' errors say can be done: the option that helps, the command that mends the input.

import Foundation
import TestSupport
import Testing

private func name(_ command: String) -> String { command.split(separator: " ").first.map(String.init) ?? command }

struct MessageTests {
    @Test("score names the first line that it can't score, and the option that helps")
    func firstBadLine() throws {
        let folder = try TinyModel.shared().workspace()
        let result = try shell(
            #"printf '{"text":"a"}\n{"body":"b"}\n{"body":"c"}\n' | score --model model --input ndjson"#, in: folder.url
        )
        expectFailure(
            result, 65, "score",
            #"stdin: 2 of 3 lines could not be scored, first line 2 (no "text"): look for "error" in the output, or name the "#
                + "key of the text with --text-field")
        #expect(result.lines.count == 3)
    }

    @Test(
        "the remedy for a record that jq accepts is the record that jq makes of it [C43]",
        arguments: [
            ("{\"label\":\"a\",\"label\":\"b\"}", "jq -c . keeps the last"),
            ("{\"label\":\"a\"}{\"label\":\"b\"}", "one object on every line, as jq -c . does"),
            ("{\"label\":\"a\",\"n\":01}", "as jq -c . does"), ("{\"label\":\"a\",\"n\":NaN}", "as jq -c . does"),
        ])
    func jqRemedy(line: String, words: String) throws {
        expectFailure(try shell("balance", input: Data(line.utf8)), 65, "balance", words)
        #expect(try shell("jq -c . | balance", input: Data(line.utf8)).status == 0)
    }

    @Test(
        "an error about a record names the option that helps, where the filter has it",
        arguments: [
            ("balance", #"{"text":"a"}"#, #"no "label": add it, or name the key of the label with --label-field"#),
            (
                "balance", #"{"label":1}"#,
                #""label" isn't a string: jq -c '.label |= tostring' makes it one, or name the key of the label with -"#
            ),
            ("balance --label-field 'my key'", #"{"my key":1}"#, "write it as a string, or name the key of the label"),
            ("balance --per-class 2", #"{"label":"a"}"#, "add records of that class, or lower --per-class"),
            ("balance --labels a,b", #"{"label":"a"}"#, "check the labels, or correct --labels"),
            ("split --part train --stratify", #"{"text":"a"}"#, "or name the key of the label with --label-field"),
            (
                "split --part test --group-by text", #"{"label":"a"}"#,
                #"no "text": add it, or name the key of the text with --text-field"#
            ),
            ("train-tokenizer --vocab-size 300 --out x", #"{"label":"a"}"#, "of the text with --text-field"),
            (
                "evaluate", #"{"label":"a"}"#,
                #"no "expected" in this record: score records that have a label, or name the key of the right label with"#
            ),
            ("evaluate", #"{"expected":"a"}"#, "name the key of the predicted label with --predicted-field"),
            (
                "evaluate", #"{"expected":1,"label":"a"}"#,
                "tostring' makes it one, or name the key of the right label with --expected-field"
            ),
        ])
    func helpfulOption(command: String, line: String, words: String) throws {
        let folder = try Folder()
        expectFailure(try shell(command, input: Data(line.utf8), in: folder.url), 65, name(command), words)
    }

    @Test("the jq line for numeric labels makes labels that can be read")
    func numericLabels() throws {
        let result = try shell("jq -c '.label |= tostring' | balance", input: Data(#"{"label":1}"#.utf8))
        #expect(result.text == "{\"label\":\"1\"}\n")
    }

    @Test(
        "an unknown option is reported before a missing one, with the option that was meant",
        arguments: [
            ("tokenize-pad --lenth 5", "unknown option '--lenth': did you mean --length? see 'tokenize-pad --help'"),
            ("train-tokenizer --vocab 300 --out=x", "unknown option '--vocab': did you mean --vocab-size?"),
            ("train-tokenizer --outt=x", "unknown option '--outt': did you mean --out?"),
            ("split --fraction 1,0,0", "did you mean --fractions?"), ("finetune --epoch 3", "did you mean --epochs?"),
            ("score --modle x", "did you mean --model?"), ("evaluate --formt json", "did you mean --format?"),
            ("fetch-unzip --entyr x", "did you mean --entry?"), ("fetch-model --mirorr x", "did you mean --mirror?"),
            ("tokenize-pad --label a", "did you mean --labels?"),
            ("train-tokenizer --tokenizer x", "unknown option '--tokenizer': see 'train-tokenizer --help'"),
            ("split -x", "unknown option '-x': see 'split --help'"),
            ("train-tokenizer --vocab-size 300", "Missing expected argument '--out <dir>'"),
            ("split -q -- --outt", "give either --out or --part"),
        ])
    func unknownOptions(command: String, words: String) throws {
        expectFailure(try shell(command), 64, name(command), words)
    }
}
