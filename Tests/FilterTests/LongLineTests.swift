// One line of 20 MB: what a filter holds is bounded by a small multiple of the line, whatever the line is made of.

import Foundation
import TestSupport
import Testing

@Suite(.enabled(if: exists("python3"), "needs python3"))
struct LongLineTests {
    private let folder: Folder

    /// Runs a command with a file as its input, and tells the most memory that it had, in bytes.
    private static let measure = """
        import resource, subprocess, sys
        with open(sys.argv[1]) as source, open("out", "wb") as target:
            status = subprocess.run(sys.argv[2:], stdin=source, stdout=target).returncode
        unit = 1 if sys.platform == "darwin" else 1024
        print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit)
        """
    private static let length = 20_000_000

    init() throws {
        folder = try TinyModel.shared().workspace()
        try folder.write("measure.py", Self.measure)
    }

    @Test(
        "a long line takes at most four times its length and 100 MB, and is scored by its first tokens",
        arguments: ["win a free prize, ", "etaoinshrdlu", "\u{E9}", " "], [false, true])
    func longLineMemory(unit: String, isRecord: Bool) throws {
        let text = String(repeating: unit, count: Self.length / unit.utf8.count)
        let start = String(text.prefix(2_000))
        func line(_ text: String) -> Data { Data((isRecord ? "{\"text\":\"\(text)\"}\n" : text + "\n").utf8) }
        try folder.write("long", line(text))
        try folder.write("short", line(start))
        var commands = ["score -q --model model --input \(isRecord ? "ndjson" : "text")"]
        if isRecord { commands.append("tokenize-pad -q --tokenizer tok --length 20") }
        for command in commands {
            let run = try shell(
                "python3 measure.py long \(command) && mv out long.out && python3 measure.py short \(command)",
                in: folder.url)
            #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
            let results = run.lines.map { $0.split(separator: " ").compactMap { Int($0) } }
            try #require(results.count == 2 && results[0].count == 2, "\(run.errors)")
            #expect(results[0][0] == 0 && results[1][0] == 0, "\(command): \(run.errors)")
            #expect(results[0][1] < 4 * Self.length + 100_000_000, "\(command)")
            let (long, short) = (try folder.read("long.out"), try folder.read("out"))
            if command.hasPrefix("score") {
                let head = Data("{\"text\":\"\(text)\"".utf8)
                #expect(long.prefix(head.count) == head, "\(command)")
                #expect(
                    long.dropFirst(head.count) == short.dropFirst("{\"text\":\"\(start)\"".utf8.count), "\(command)")
            } else {
                #expect(long == short, "\(command)")
            }
        }
    }

    @Test("a long line of nothing but members or columns is refused, and takes at most as much memory")
    func manyFields() throws {
        let record = "{" + (0..<Self.length / 12).map { "\"k\($0)\":0" }.joined(separator: ",") + "}\n"
        let row = String(repeating: ",", count: Self.length)
        let width = Self.length + 1
        for (command, input, problem) in [
            ("balance", record, "stdin:1: not valid JSON (more than 65536 keys in one object)"),
            ("fetch-unzip -q --format csv -", row, "stdin:1: \(width) columns instead of 2"),
            ("fetch-unzip -q --format csv --header -", "label,text\n" + row, "stdin:2: \(width) columns instead of 2"),
            ("fetch-unzip -q --format csv --header -", row, "stdin:1: \(width) columns instead of 65536"),
        ] {
            try folder.write("long", input)
            let run = try shell("python3 measure.py long \(command)", in: folder.url)
            let results = run.text.split { $0 == " " || $0 == "\n" }.compactMap { Int($0) }
            try #require(results.count == 2, "\(run.errors)")
            #expect(results[0] == 65 && run.errors.contains(problem), "\(command): \(run.errors)")
            #expect(results[1] < 4 * Self.length + 100_000_000, "\(command)")
        }
    }

    @Test("a header has at most 65,536 columns", arguments: [("csv", ","), ("tsv", "\t")])
    func mostColumns(format: String, separator: String) throws {
        func table(_ width: Int) -> Data {
            let names = ["label", "text"] + (2..<width).map { "c\($0)" }
            let row = ["ham", "a"] + Array(repeating: "", count: width - 2)
            return Data([names, row].map { $0.joined(separator: separator) + "\n" }.joined().utf8)
        }
        let command = "fetch-unzip -q --format \(format) --header -"
        let record = #"{"id":"stdin-1","label":"ham","text":"a"}"# + "\n"
        #expect(try shell(command, input: table(65_536)).text == record)
        expectFailure(
            try shell(command, input: table(65_537)), 65, "fetch-unzip", "stdin:1: 65537 columns instead of 65536")
    }
}
