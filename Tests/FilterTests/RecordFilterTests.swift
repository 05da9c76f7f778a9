import Foundation
import TestSupport
import Testing

/// Twelve records of two classes.
private let records = (0..<12).map {
    "{\"id\":\"\($0)\",\"label\":\"\($0 % 4 == 0 ? "spam" : "ham")\",\"text\":\"t\($0)\"}\n"
}
.joined()
private let tools = ["balance", "split --part train"]
private func name(_ tool: String) -> String { tool.split(separator: " ").first.map(String.init) ?? tool }

struct RecordFilterTests {
    @Test("/dev/full gives 74 [A1]", arguments: tools + ["balance --help", "split --version", "fetch-unzip --help"])
    func fullDevice(tool: String) throws {
        try #require(FileManager.default.fileExists(atPath: "/dev/full"))
        expectFailure(try shell("\(tool) >/dev/full", input: Data(records.utf8)), 74, name(tool), "No space")
    }

    @Test("a file size limit gives 74 and its remedy, not a signal [A8]", arguments: tools)
    func fileSizeLimit(tool: String) throws {
        let folder = try Folder()
        let many = Data(String(repeating: records, count: 3000).utf8)
        expectFailure(
            try shell("ulimit -f 8; \(tool) >x", input: many, in: folder.url), 74, name(tool), "(ulimit -f)")
    }

    @Test("a closed stdout gives 74 [A2]", arguments: tools)
    func closedOutput(tool: String) throws {
        expectFailure(try shell("\(tool) >&-", input: Data(records.utf8)), 74, name(tool), "written")
        expectFailure(try shell("\(tool) <&-"), 74, name(tool), "read")
        #expect(try shell("\(tool) <&- >&- 2>&-").status != 0)
    }

    @Test("a closed stdout never becomes a file of --out [A2]")
    func closedOutputDirectory() throws {
        let folder = try Folder()
        #expect(try shell("split --out parts >&- 2>&-", input: Data(records.utf8), in: folder.url).status == 0)
        let parts = try shell("cat parts/* | sort", in: folder.url)
        #expect(parts.lines == records.split(separator: "\n").map(String.init).sorted())
    }

    @Test("a closed pipe ends the filter silently, or with 74 where SIGPIPE is ignored [A3] [A4]")
    func closedPipe() throws {
        let many = Data(String(repeating: records, count: 20_000).utf8)
        let silent = try shell("(split --part train; echo $? >&2) | :", input: many)
        #expect(silent.errors == "141\n")
        let loud = try shell("(trap '' PIPE; split --part train; echo $? >&2) | :", input: many)
        #expect(loud.errorLines.count == 2 && loud.errors.contains("closed") && loud.errors.hasSuffix("74\n"))
    }

    @Test("directories, missing and unreadable files have their exit codes [A5]", arguments: tools)
    func badInputs(tool: String) throws {
        let folder = try Folder()
        expectFailure(try shell("\(tool) . ", in: folder.url), 74, name(tool), "directory")
        expectFailure(try shell("\(tool) <. ", in: folder.url), 74, name(tool), "directory")
        expectFailure(try shell("\(tool) none ", in: folder.url), 66, name(tool), "none: no such file")
        if getuid() != 0 {
            try folder.write("secret", records)
            expectFailure(try shell("chmod 0 secret; \(tool) secret", in: folder.url), 77, name(tool), "denied")
        }
    }

    @Test("empty stdin gives 65 [A11]", arguments: tools)
    func emptyInput(tool: String) throws {
        expectFailure(try shell(tool), 65, name(tool), "stdin: no records")
    }

    @Test("last line feed, CR LF and byte order mark make no difference to the output [A12] [A13]")
    func lineEnds() throws {
        let plain = try shell("balance", input: Data(records.utf8))
        #expect(plain.status == 0 && plain.lines.count == 6 && plain.errors.isEmpty)
        #expect(try shell("balance", input: Data(records.dropLast().utf8)).output == plain.output)
        #expect(try shell("balance", input: Data("\u{FEFF}\(records)".utf8)).output == plain.output)
        let dos = Data(records.replacingOccurrences(of: "\n", with: "\r\n").utf8)
        let kept = try shell("balance", input: dos)
        #expect(kept.text.replacingOccurrences(of: "\r\n", with: "\n") == plain.text)
    }

    @Test(
        "control characters and broken UTF-8 are errors with their line [A14] [A15]",
        arguments: [
            [0x00], [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82],
        ] as [[UInt8]])
    func invalidBytes(bytes: [UInt8]) throws {
        let input = Data(records.utf8) + Data("{\"label\":\"ham\",\"text\":\"".utf8) + Data(bytes) + Data("\"}\n".utf8)
        expectFailure(try shell("balance", input: input), 65, "balance", "stdin:13: ")
    }

    @Test("a line beyond --max-line is an error with its line [A16]", arguments: tools)
    func longLine(tool: String) throws {
        let input = Data((records + String(repeating: "x", count: 5000)).utf8)
        expectFailure(
            try shell("\(tool) --max-line 999", input: input), 65, name(tool),
            "stdin:13: the line is longer than 999 bytes: check that the input has line ends, or raise --max-line")
    }

    @Test(
        "usage errors are one line and 64, and no input is read [A17] [C47]",
        arguments: [
            "balance --per-class 0", "balance --per-class -1", "balance --seed nan",
            "balance --seed 99999999999999999999",
            "balance --unknown", "balance a b", "split", "split --part train --out x", "split --part none",
            "split --part train --fractions 0.5,0.5", "split --part train --fractions 1.5,-0.7,0.2",
            "split --part train --fractions nan,0,1", "split --part train --group-by label", "balance --max-line 0",
            "split --part train --stable --stratify", "split --part train --similarity 0.9",
            "split --part train --group-by near-duplicates --similarity 0.1",
            "split --part train --group-by near-duplicates --similarity 2",
        ])
    func usageErrors(command: String) throws {
        let result = try shell("\(command); code=$?; cat; exit $code", input: Data("untouched\n".utf8))
        #expect(result.text == "untouched\n")
        expectFailure(result, 64, name(command), "arguments: ")
    }

    @Test("the locale makes no difference, and neither does the run [A18] [C46]")
    func locale() throws {
        let results = try ["C", "tr_TR.UTF-8", "de_DE.UTF-8"].flatMap { locale in
            try tools.map { try shell("LC_ALL=\(locale) \($0)", input: Data(records.utf8)).output }
        }
        #expect(Set(results).count == 2)
    }

    @Test("an --out that can't be written gives 73, and one that is the input 64 [A19]")
    func badOutputs() throws {
        let folder = try Folder()
        try folder.write("file", records)
        expectFailure(try shell("split --out file file", in: folder.url), 73, "split", "isn't a directory")
        expectFailure(try shell("split --out /proc/none/x file", in: folder.url), 73, "split", "created")
        try folder.write("train.ndjson", records)
        expectFailure(try shell("split --out . train.ndjson", in: folder.url), 64, "split", "is the input")
        #expect(try folder.names() == ["file", "train.ndjson"])
    }

    @Test("TERM and INT give 143 and 130 and leave nothing [A9]", arguments: [("TERM", 143), ("INT", 130)])
    func interruption(signal: String, status: Int) throws {
        let folder = try Folder()
        let command = """
            mkfifo in; (exec split --out parts <in) & pid=$!; exec 3>in; printf '%s' '{"text":' >&3; sleep 0.2
            kill -\(signal) $pid; wait $pid
            """
        // A background job of a shell without job control ignores SIGINT, so that one is sent by `timeout`.
        let interrupted =
            signal == "INT"
            ? try shell(
                "mkfifo in; (sleep 5 >in & echo $! >pid); timeout --foreground -s INT --preserve-status 0.3 split --out parts <in; code=$?; kill $(cat pid); exit $code",
                in: folder.url)
            : try shell(command, in: folder.url)
        #expect(interrupted.status == Int32(status))
        #expect(try !folder.names().contains { $0.contains("partial") || $0 == "parts" })
    }

    @Test("few file descriptors are enough [A20]")
    func fewDescriptors() throws {
        let folder = try Folder()
        let result = try shell("ulimit -n 12; split --out parts", input: Data(records.utf8), in: folder.url)
        #expect(result.status == 0 || result.status == 71, "\(result.errors)")
    }

    @Test("a record without a usable label is an error with its line [C42]")
    func unusableLabels() throws {
        for line in ["{\"text\":\"a\"}", "{\"label\":null}", "{\"label\":3}", "{\"label\":\"\"}"] {
            let result = try shell("balance", input: Data("{\"label\":\"a\"}\n\(line)\n".utf8))
            expectFailure(result, 65, "balance", "stdin:2: ")
        }
        #expect(
            try shell("split --part train --fractions 1,0,0", input: Data("{\"text\":\"a\"}".utf8)).lines.count == 1)
    }

    @Test("near duplicates stay in one part, and later records move none with --stable")
    func nearDuplicates() throws {
        let first = "Please call our service line before the end of the day to claim it"
        let texts =
            [first, first + "!", first.replacingOccurrences(of: "claim", with: "get")] + (0..<30).map { "text \($0)" }
        let lines = texts.map { "{\"text\":\"\($0)\"}\n" }
        for seed in 1...4 {
            let split = "split --group-by near-duplicates --similarity 0.7 --seed \(seed) --part"
            for option in ["", " --stable"] {
                let parts = try ["train", "validation", "test"].map {
                    try shell("\(split) \($0)\(option)", input: Data(lines.joined().utf8))
                }
                #expect(parts.allSatisfy { $0.status == 0 && $0.errors.isEmpty })
                #expect(parts.map(\.lines.count).reduce(0, +) == 33)
                let home = try #require(parts.first { $0.text.contains("claim it\"") })
                #expect(home.text.contains("claim it!") && home.text.contains("get it"))
                if !option.isEmpty {
                    let early = try shell("\(split) train --stable", input: Data(lines.prefix(20).joined().utf8))
                    #expect(parts[0].text.hasPrefix(early.text))
                }
            }
        }
    }

    @Test("a filter checks the keys that it uses, and passes those that others will refuse")
    func usedKeys() throws {
        let input = Data("{\"label\":\"ham\",\"text\":5}\n".utf8)
        #expect(try shell("balance", input: input).output == input)
        #expect(try shell("split --part train --fractions 1,0,0", input: input).output == input)
        #expect(try shell("split --part train --fractions 1,0,0 --stratify", input: input).output == input)
        expectFailure(
            try shell("split --part train --group-by text", input: input), 65, "split",
            "stdin:1: \"text\" isn't a string")
        let folder = try TinyModel.shared().workspace()
        for reader in ["tokenize-pad --tokenizer tok", "train-tokenizer --vocab-size 300 --out new"] {
            let result = try shell(reader, input: input, in: folder.url)
            expectFailure(result, 65, name(reader), "stdin:1: \"text\" isn't a string")
        }
    }

    @Test("text from a file is shown escaped [C45]")
    func escapedText() throws {
        let input = Data("{\"label\":\"a\\u001b[2J\\n\"}\n{\"label\":\"b\"}\n{\"label\":\"b\"}\n".utf8)
        let result = try shell("balance --per-class 2", input: input)
        expectFailure(result, 65, "balance", "class has 1")
        #expect(!result.errors.contains("\u{1B}"))
    }

    @Test("--out writes all parts or none, and keeps the directory's other files [C49] [C50]")
    func allPartsOrNone() throws {
        let folder = try Folder()
        #expect(try shell("split --out a/b/parts", input: Data(records.utf8), in: folder.url).status == 0)
        #expect(try folder.names("a/b/parts") == ["test.ndjson", "train.ndjson", "validation.ndjson"])
        #expect(try folder.names("a/b") == ["parts"])
        let sizes = try shell("cat a/b/parts/*.ndjson | wc -l; wc -l < a/b/parts/train.ndjson", in: folder.url)
        #expect(sizes.lines.map { $0.trimmingCharacters(in: .whitespaces) } == ["12", "8"])
        let large = Data(String(repeating: records, count: 3000).utf8)
        let before = try shell("cat a/b/parts/*", in: folder.url).output
        let limited = try shell("ulimit -f 64; split --out a/b/parts", input: large, in: folder.url)
        expectFailure(limited, 74, "split", "written")
        #expect(try shell("cat a/b/parts/*", in: folder.url).output == before)
        #expect(try folder.names("a/b/parts").count == 3)
    }

    @Test("more input than --max-memory gives 71 and names the need [C51]")
    func memoryLimit() throws {
        let input = Data(String(repeating: records, count: 3000).utf8)
        expectFailure(try shell("balance --max-memory 1", input: input), 71, "balance", "--max-memory")
    }

    @Test(
        "--max-memory counts what is kept of every record, and its text for near duplicates, too [C51]",
        arguments: [("split --part train", 12_000), ("split --part train --group-by near-duplicates", 2_000)])
    func memoryOfRecords(tool: String, count: Int) throws {
        // Lines of a fifth of a MiB, or less.
        let input = Data((0..<count).map { "{\"text\":\"t\($0)\"}\n" }.joined().utf8)
        expectFailure(try shell("\(tool) --max-memory 1", input: input), 71, "split", "--max-memory")
        let result = try shell("\(tool) --max-memory 2", input: input)
        #expect(result.status == 0 && result.lines.count == count * 7 / 10, "\(result.errors)")
    }

    @Test(
        "input that the system has no memory for gives 71 and the need, not a signal [A10] [C51]",
        arguments: tools + [
            "split --part train --stratify --group-by text", "train-tokenizer --vocab-size 500 --out tokenizer",
        ])
    func systemMemory(tool: String) throws {
        let folder = try Folder()
        try folder.write(
            "in",
            (0..<200_000).map { "{\"label\":\"\($0 % 3)\",\"text\":\"message \($0) of a customer to us\"}\n" }.joined())
        // What a filter takes to start, in KiB, depends on the system's libraries.
        let least = try shell(
            "v=20000; until (ulimit -v $v; \(name(tool)) --help) >/dev/null 2>&1; do v=$((v + 2000)); done; echo $v")
        let start = try #require(least.lines.first.flatMap(Int.init))
        var codes: Set<Int32> = []
        for more in [2000, 4000, 8000, 12_000, 16_000, 24_000, 32_000, 48_000, 64_000, 96_000, 500_000] {
            let result = try shell("ulimit -v \(start + more); \(tool) in >out", in: folder.url)
            codes.insert(result.status)
            if result.status != 0 { expectFailure(result, 71, name(tool), "memory") }
            #expect(!result.errors.contains(" 0 MiB"))
        }
        #expect(codes == [0, 71])
    }

    @Test("a line that the system has no memory for gives 71 [A16]", arguments: tools + ["evaluate"])
    func lineMemory(tool: String) throws {
        let line = Data("{\"label\":\"\(String(repeating: "x", count: 60_000_000))\"}".utf8)
        let result = try shell("ulimit -v 150000; \(tool) >/dev/null", input: line)
        expectFailure(result, 71, name(tool), "stdin:1: out of memory (")
    }

    @Test("a pipe of both filters keeps every line's bytes")
    func pipe() throws {
        let folder = try Folder()
        try folder.write("in", records)
        let result = try shell("balance in | split --part train --fractions 1,0,0 | sort", in: folder.url)
        #expect(result.status == 0 && result.lines.count == 6)
        #expect(Set(result.lines).isSubset(of: Set(records.split(separator: "\n").map(String.init))))
    }
}
