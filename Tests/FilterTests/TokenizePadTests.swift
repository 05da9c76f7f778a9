// tokenize-pad and train-tokenizer as processes, through real pipes.

import Foundation
import TestSupport
import Testing

struct TokenizePadTests {
    private let folder: Folder
    private static let records = """
        {"text":"the cat sat on the mat","label":"ham"}
        {"text":"","label":"spam"}
        {"text":"the other cat sat there","label":"ham","more":[1,2]}

        """

    init() throws {
        folder = try Folder()
        try folder.write("in.ndjson", Self.records)
        let trained = try shell("train-tokenizer --vocab-size 270 --out tok < in.ndjson", in: folder.url)
        #expect(trained.status == 0 && trained.output.isEmpty, "\(trained.errors)")
        #expect(try folder.names("tok") == ["merges.txt", "vocab.json"])
    }

    @Test("records through a pipe become shards whose length and labels another run takes over")
    func pipedShards() throws {
        let first = try shell("cat in.ndjson | tokenize-pad --tokenizer tok > a.tokens", in: folder.url)
        #expect(first.status == 0 && first.errors.isEmpty, "\(first.errors)")
        let again = try shell("tokenize-pad --tokenizer tok - < in.ndjson | cmp - a.tokens", in: folder.url)
        #expect(again.status == 0, "\(again.errors)")
        let second = try shell(
            "head -1 in.ndjson | tokenize-pad --tokenizer tok --length a.tokens --labels-from a.tokens > b.tokens",
            in: folder.url)
        #expect(second.status == 0 && second.errors.isEmpty, "\(second.errors)")
        let header = try shell("head -c 1000 b.tokens", in: folder.url).text
        #expect(header.contains(#""label_names":"[\"ham\",\"spam\"]""#))
    }

    @Test("--pack writes rows of whole texts, whatever their labels, and streams them")
    func packedRows() throws {
        let packed = try shell("tokenize-pad --tokenizer tok --pack --length 256 in.ndjson > packed", in: folder.url)
        #expect(packed.status == 0 && packed.errors.isEmpty, "\(packed.errors)")
        let header = try shell("head -c 1000 packed", in: folder.url).text
        #expect(header.contains(#""label_names":"[]""#) && header.contains(#""rows_total":"1""#), "\(header)")
        let bytes = try shell(
            "sed 's/\"label\":\"[a-z]*\"/\"label\":\"x\"/' in.ndjson | tokenize-pad --tokenizer tok --pack --length 256 | cmp - packed",
            in: folder.url)
        #expect(bytes.status == 0, "\(bytes.errors)")
        _ = try shell("head -n 1 in.ndjson | tokenize-pad --tokenizer tok --length 1 >one", in: folder.url)
        for options in ["--length one", "--strict", "--labels a", "--labels-from packed", "--length 1"] {
            expectFailure(
                try shell("tokenize-pad --tokenizer tok --pack \(options) in.ndjson", in: folder.url), 64,
                "tokenize-pad",
                "--pack")
        }
        expectFailure(
            try shell("tokenize-pad --tokenizer tok --pack < /dev/null", in: folder.url), 65, "tokenize-pad",
            "no records")
    }

    @Test("a directory that isn't a tokenizer gives 78 [D54]")
    func notATokenizer() throws {
        _ = try shell("sed -i '$d' tok/merges.txt", in: folder.url)
        expectFailure(
            try shell("tokenize-pad --tokenizer tok in.ndjson", in: folder.url), 78, "tokenize-pad", "no merge makes")
        expectFailure(
            try shell("tokenize-pad --tokenizer nowhere in.ndjson", in: folder.url), 66, "tokenize-pad", "no such file")
    }

    @Test("cut texts are counted, and refused with --strict [D55]")
    func cutTexts() throws {
        let cut = try shell("tokenize-pad --tokenizer tok --length 4 in.ndjson > x", in: folder.url)
        #expect(cut.status == 0)
        #expect(cut.errors == "tokenize-pad: texts cut to 4 tokens: 2 of 3\n")
        expectFailure(
            try shell("tokenize-pad --tokenizer tok --length 4 --strict in.ndjson", in: folder.url), 65,
            "tokenize-pad",
            "in.ndjson:1: the text has more than 4 tokens: shorten the text, or raise --length, or leave out --strict"
        )
    }

    @Test("wrong records and labels are reported with their line")
    func wrongRecords() throws {
        expectFailure(
            try shell("tokenize-pad --tokenizer tok --labels ham in.ndjson", in: folder.url), 65, "tokenize-pad",
            "in.ndjson:2: unknown label 'spam': the labels are ham")
        expectFailure(
            try shell("(cat in.ndjson; echo '{') | tokenize-pad --tokenizer tok", in: folder.url), 65, "tokenize-pad",
            "stdin:4: ")
        expectFailure(
            try shell("tokenize-pad --tokenizer tok < /dev/null", in: folder.url), 65, "tokenize-pad", "no records")
        expectFailure(
            try shell("train-tokenizer --vocab-size 300 --out t2 < /dev/null", in: folder.url), 65, "train-tokenizer",
            "no records")
        #expect(try folder.names().contains("t2") == false)
    }

    @Test(
        "wrong options are refused before input is read [A17]",
        arguments: [
            "--length 0", "--length 99999999999999999999", "--length model", "--labels a,,b", "--rows-per-shard 0",
            "--labels a --labels-from x", "--nonsense",
        ])
    func wrongOptions(options: String) throws {
        expectFailure(
            try shell("tokenize-pad --tokenizer tok \(options) in.ndjson", in: folder.url), 64, "tokenize-pad",
            "arguments: ")
    }

    @Test(
        "shards aren't written to a terminal",
        .enabled(
            if: (try? shell("script --version"))?.text.contains("util-linux") ?? false, "needs script of util-linux"))
    func noTerminal() throws {
        let run = "script -qec 'tokenize-pad --tokenizer tok in.ndjson' /dev/null"
        let result = try shell(run, in: folder.url)
        #expect(result.status == 64)
        let words = "the output is binary, and stdout is a terminal: give it to a file or another filter"
        #expect(result.text.hasPrefix("tokenize-pad: arguments: \(words)"), "\(result.text)")
        #expect(result.lines.count == 1)
    }

    @Test("a cut shard to take settings from is refused [D57]")
    func cutShard() throws {
        _ = try shell("tokenize-pad --tokenizer tok in.ndjson | head -c 700 > cut.tokens", in: folder.url)
        expectFailure(
            try shell("tokenize-pad --tokenizer tok --length cut.tokens in.ndjson", in: folder.url), 65,
            "tokenize-pad", "ended before")
    }

    @Test("a full disk is an error [A1]")
    func fullDisk() throws {
        expectFailure(
            try shell("tokenize-pad --tokenizer tok in.ndjson > /dev/full", in: folder.url), 74, "tokenize-pad",
            "No space")
    }
}
