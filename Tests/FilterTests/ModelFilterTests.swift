// What every filter that works with a model owes its user (group A): outputs that can't be written, inputs that can't
// be read, usage, locales, limits.

import Foundation
import TestSupport
import Testing

/// A filter, its options, and the input that it takes.
struct FilterCase: CustomTestStringConvertible, Sendable {
    let command: String
    let input: String
    var tool: String { String(command.prefix { $0 != " " }) }
    var testDescription: String { tool }

    static let all = [
        FilterCase(command: "train-tokenizer --vocab-size 300 --out new", input: "all.ndjson"),
        FilterCase(command: "tokenize-pad --tokenizer tok", input: "all.ndjson"),
        FilterCase(command: "\(TinyModel.finetune) --out new", input: "all.st"),
        FilterCase(command: "score --model model --input ndjson", input: "all.ndjson"),
        FilterCase(command: "evaluate", input: "scored.ndjson"),
        FilterCase(command: "explain --model model --input ndjson", input: "all.ndjson"),
        FilterCase(command: "generate --model model --input ndjson --tokens 3", input: "all.ndjson"),
    ]
    static let writers = all.filter { $0.tool != "train-tokenizer" }
}

struct ModelFilterTests {
    private let folder: Folder
    init() throws { folder = try TinyModel.shared().workspace() }

    @Test(
        "examples in the help can be pasted at any page width",
        arguments: [
            "fetch-unzip", "balance", "split", "train-tokenizer", "tokenize-pad", "pretrain", "generate", "finetune",
            "score", "evaluate", "calibrate", "suspects", "explain",
            "fetch-model", "convert-model", "baseline", "report",
        ])
    func helpExamples(tool: String) throws {
        let help = try shell("\(tool) --help | sed -n '/^EXAMPLE/,/^EXIT CODES/p'", in: folder.url)
        let lines = help.text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.contains { $0.hasPrefix("  \(tool) ") || $0.contains("| \(tool)") }, "no example")
        for (line, next) in zip(lines, lines.dropFirst()) where line.hasPrefix("  ") {
            #expect(next.isEmpty || next.hasPrefix("  "), "\(line)\n\(next)")
        }
    }

    @Test("a full disk gives 74 for the output, the help and the version [A1]", arguments: FilterCase.writers)
    func fullDisk(_ filter: FilterCase) throws {
        for command in ["\(filter.command) <\(filter.input)", "\(filter.tool) --help", "\(filter.tool) --version"] {
            expectFailure(try shell("\(command) >/dev/full", in: folder.url), 74, filter.tool, "No space")
        }
    }

    @Test("a closed stdout gives 74, and closed descriptors never hit a file [A2]", arguments: FilterCase.writers)
    func closedOutput(_ filter: FilterCase) throws {
        expectFailure(try shell("\(filter.command) <\(filter.input) >&-", in: folder.url), 74, filter.tool, "stdout")
        let before = try folder.read("model/model.safetensors")
        #expect(try shell("\(filter.command) <&- >&- 2>&-", in: folder.url).status != 0)
        #expect(try folder.read("model/model.safetensors") == before)
    }

    @Test(
        "a closed pipe ends a filter silently, or with 74 where SIGPIPE is ignored [A3] [A4]",
        arguments: FilterCase.writers.filter { $0.tool != "finetune" })
    func closedPipe(_ filter: FilterCase) throws {
        let silent = try shell("(sleep 0.3; \(filter.command) <\(filter.input); echo $? >&2) | :", in: folder.url)
        #expect(silent.errors == "141\n")
        let loud = try shell(
            "(sleep 0.3; trap '' PIPE; \(filter.command) <\(filter.input); echo $? >&2) | :", in: folder.url)
        #expect(loud.errors.contains("closed") && loud.errors.hasSuffix("\n74\n"), "\(loud.errors)")
    }

    @Test("directories and missing files as input have their exit codes [A5]", arguments: FilterCase.all)
    func badInputs(_ filter: FilterCase) throws {
        expectFailure(try shell("\(filter.command) <.", in: folder.url), 74, filter.tool, "directory")
        if filter.tool != "finetune" {
            expectFailure(try shell("\(filter.command) none", in: folder.url), 66, filter.tool, "none: no such file")
        }
        #expect(try !folder.names().contains("new"))
    }

    @Test(
        "a read error gives 74, and an interrupted call is repeated [A6] [A7]",
        .enabled(if: exists("strace"), "needs strace"), arguments: FilterCase.all)
    func readErrors(_ filter: FilterCase) throws {
        func traced(_ error: String) throws -> FilterResult {
            try shell(
                """
                strace -f -o trace -P $PWD/\(filter.input) -e inject=read:error=\(error):when=1 \
                  \(filter.command) <\(filter.input)
                """, in: folder.url)
        }
        let failed = try traced("EIO")
        expectFailure(failed, 74, filter.tool, "can't be read")
        #expect(try !folder.names().contains("new"))
        #expect(try traced("EINTR").status == 0)
    }

    @Test("empty input gives 65, and an empty output for score, generate and explain [A11]", arguments: FilterCase.all)
    func emptyInput(_ filter: FilterCase) throws {
        let result = try shell("\(filter.command) </dev/null", in: folder.url)
        if ["score", "generate", "explain"].contains(filter.tool) {
            #expect(result.status == 0 && result.output.isEmpty && result.errors.isEmpty)
        } else {
            expectFailure(result, 65, filter.tool, "no records")
        }
        #expect(try !folder.names().contains("new"))
    }

    @Test("last line feed, CR LF and byte order mark make no difference to labels [A12] [A13]")
    func lineEnds() throws {
        let lines = "win a prize\nsee you at lunch\nmilk\n"
        let plain = try shell("score --model model", input: Data(lines.utf8), in: folder.url)
        #expect(plain.status == 0 && plain.lines.count == 3)
        for variant in [
            String(lines.dropLast()), "\u{FEFF}" + lines, lines.replacingOccurrences(of: "\n", with: "\r\n"),
        ] {
            #expect(try shell("score --model model", input: Data(variant.utf8), in: folder.url).output == plain.output)
        }
        let tokens = try shell("tokenize-pad --tokenizer tok all.ndjson", in: folder.url)
        let dos = TinyModel.records.replacingOccurrences(of: "\n", with: "\r\n")
        #expect(
            try shell("tokenize-pad --tokenizer tok", input: Data(dos.utf8), in: folder.url).output == tokens.output)
    }

    @Test("score keeps NUL and repairs UTF-8, and the other filters refuse both with the line [A14] [A15]")
    func invalidBytes() throws {
        let bad: [[UInt8]] = [[0x61, 0, 0x62], [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82]]
        let scored = try shell("score --model model", input: Data(bad.joined(separator: [0x0A])), in: folder.url)
        #expect(scored.status == 0 && scored.lines.count == 5)
        #expect(scored.lines[0].contains("a\\u0000b"))
        #expect(scored.lines.dropFirst().allSatisfy { $0.contains("\u{FFFD}") })
        #expect(scored.errors == "score: lines with bytes that are not UTF-8, read as U+FFFD: 4\n")
        for bytes in bad {
            let line = Data("{\"label\":\"ham\",\"text\":\"a\"}\n{\"label\":\"ham\",\"text\":\"".utf8) + bytes
            for command in ["tokenize-pad --tokenizer tok", "train-tokenizer --vocab-size 300 --out new"] {
                let result = try shell(command, input: line + Data("\"}\n".utf8), in: folder.url)
                expectFailure(result, 65, String(command.prefix { $0 != " " }), "stdin:2: ")
            }
        }
        #expect(try !folder.names().contains("new"))
    }

    @Test(
        "a line beyond --max-line is refused [A16]",
        arguments: FilterCase.all.filter { $0.tool != "finetune" && $0.tool != "score" })
    func longLine(_ filter: FilterCase) throws {
        expectFailure(
            try shell("\(filter.command) --max-line 20 <\(filter.input)", in: folder.url), 65, filter.tool,
            "or raise --max-line")
    }

    @Test("a wrong option gives 64, and no input is read [A17]", arguments: FilterCase.all)
    func wrongOptions(_ filter: FilterCase) throws {
        var options = ["--nonsense", "a b"]
        if ["score", "finetune"].contains(filter.tool) {
            options += ["0", "-1", "99999999999999999999", "nan"].map { "--threads \($0)" }
        }
        if filter.tool == "finetune" {
            options += ["--lr 0", "--lr nan", "--lr -1", "--epochs 0", "--batch 0", "--trainable last-0", "--pool x"]
        }
        for option in options {
            let result = try shell(
                "\(filter.command) \(option); code=$?; cat; exit $code", input: Data("rest\n".utf8), in: folder.url)
            #expect(result.text == "rest\n", "\(option)")
            expectFailure(result, 64, filter.tool, "arguments: ")
        }
    }

    @Test("the locale makes no difference [A18]", arguments: FilterCase.all)
    func locale(_ filter: FilterCase) throws {
        let results = try ["C", "tr_TR.UTF-8", "de_DE.UTF-8"].map { locale in
            // A minute may pass between two models: their cards have other dates then.
            try shell(
                """
                export LC_ALL=\(locale); rm -rf new; \(filter.command) <\(filter.input) >o
                grep -a -v seconds o; cat new/* | LC_ALL=C grep -a -v '^| date |'; true
                """, in: folder.url
            ).output
        }
        #expect(Set(results).count == 1 && !results[0].isEmpty)
    }

    @Test("few file descriptors are enough, or give 71 [A20]", arguments: FilterCase.all)
    func fewDescriptors(_ filter: FilterCase) throws {
        let result = try shell("ulimit -n 12; \(filter.command) <\(filter.input) >o", in: folder.url)
        #expect(result.status == 0 || result.status == 71, "\(result.errors)")
        let none = try shell("exec <\(filter.input); ulimit -n 4; \(filter.command)", in: folder.url)
        #expect(none.status == 71 && none.output.isEmpty, "\(none.errors)")
        #expect(none.errorLines.count == 1 && none.errors.contains("raise the limit (ulimit -n)"), "\(none.errors)")
    }
}
