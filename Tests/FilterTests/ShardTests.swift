// Token shards between processes (group D): odd texts survive, damage doesn't.

import Foundation
import TestSupport
import Testing

struct ShardTests {
    private let folder: Folder
    init() throws { folder = try TinyModel.shared().workspace() }

    @Test(
        "a text that repeats one character a hundred thousand times is tokenized and scored [D52]",
        arguments: ["x", "^", " ", "\\n", "7", "漢", "👍"])
    func repeatedCharacter(character: String) throws {
        let text = String(repeating: character, count: 100_000)
        try folder.write("long", "{\"label\":\"ham\",\"text\":\"\(text)\"}\n")
        let shard = try shell("tokenize-pad --tokenizer tok --labels ham,spam long >long.st", in: folder.url)
        #expect(shard.status == 0 && shard.errors == "tokenize-pad: texts cut to 1024 tokens: 1 of 1\n")
        let scored = try shell("score --model model --input ndjson long", in: folder.url)
        #expect(scored.status == 0 && scored.lines.count == 1 && scored.errors.hasPrefix("score: texts cut to"))
    }

    @Test("<|endoftext|> inside a text is ordinary text [D53]")
    func endOfText() throws {
        try folder.write("in", "{\"label\":\"ham\",\"text\":\"<|endoftext|>\"}\n{\"label\":\"ham\",\"text\":\"\"}\n")
        let result = try shell(
            "tokenize-pad --tokenizer tok --labels ham,spam in | tail -c 160 | od -An -v -t d4 -w4", in: folder.url)
        let end = try shell("grep -o '<|endoftext|>\":[0-9]*' tok/vocab.json | cut -d: -f2", in: folder.url).lines[0]
        // The data end with lines (2 × I64); the texts' tokens come first: several for the word, pads for nothing.
        #expect(result.status == 0 && result.lines.contains { $0.hasSuffix(" \(end)") })
        let scored = try shell("score --model model --input ndjson in", in: folder.url)
        #expect(scored.lines.count == 2 && Set(scored.lines.map { $0.suffix(30) }).count == 2)
    }

    @Test("an empty text is a row and has a score [D56]")
    func emptyText() throws {
        let result = try shell("printf '\\n\\n' | score --model model", in: folder.url)
        #expect(
            result.status == 0 && result.lines.count == 2
                && result.lines.allSatisfy { $0.contains("\"probability\":0.") })
    }

    @Test("shards that are cut or have a bit flipped give 65, and there is no model [D57]")
    func damagedShards() throws {
        let shard = try folder.read("all.st")
        let tune = "\(TinyModel.finetune) --out new <bad.st"
        for place in stride(from: 0, to: shard.count, by: shard.count / 23) {
            try folder.write("bad.st", shard.prefix(place))
            #expect(try shell(tune, in: folder.url).status == 65, "cut at \(place)")
            var flipped = shard
            flipped[place] ^= 1 << UInt8(place % 8)
            try folder.write("bad.st", flipped)
            let result = try shell(tune, in: folder.url)
            #expect(result.status == 65 && result.errorLines.count == 1, "flipped at \(place): \(result.errors)")
        }
        try folder.write("bad.st", shard + [0])
        expectFailure(try shell(tune, in: folder.url), 65, "finetune", "bytes follow the last shard")
        #expect(try !folder.names().contains("new"))
    }

    @Test("files that --validation, --length and --labels-from name are checked as well [D57] [D58]")
    func damagedSideInputs() throws {
        _ = try shell("head -c 1500 all.st >cut.st", in: folder.url)
        for file in ["cut.st", "all.ndjson", "config.json"] {
            for option in ["--length", "--labels-from"] {
                let result = try shell("tokenize-pad --tokenizer tok \(option) \(file) all.ndjson", in: folder.url)
                expectFailure(result, 65, "tokenize-pad", file)
                #expect(result.output.isEmpty)
            }
            let command = TinyModel.finetune.replacingOccurrences(of: "all.st", with: file)
            expectFailure(try shell("\(command) --out new <all.st", in: folder.url), 65, "finetune", file)
        }
        #expect(try !folder.names().contains("new"))
    }

    @Test("--length and --labels-from check the whole stream, not its first shard alone")
    func wholeStream() throws {
        _ = try shell("tokenize-pad --tokenizer tok --rows-per-shard 7 all.ndjson >many.st", in: folder.url)
        let whole = try folder.read("many.st")
        var flipped = whole
        flipped[whole.count - 100] ^= 4
        try folder.write("flipped.st", flipped)
        try folder.write("cut.st", whole.prefix(whole.count - 1))
        try folder.write("longer.st", whole + [0])
        for option in ["--length", "--labels-from"] {
            #expect(
                try shell("tokenize-pad --tokenizer tok \(option) many.st all.ndjson", in: folder.url).status == 0)
            for file in ["flipped.st", "cut.st", "longer.st"] {
                let result = try shell("tokenize-pad --tokenizer tok \(option) \(file) all.ndjson", in: folder.url)
                expectFailure(result, 65, "tokenize-pad", file)
                #expect(result.output.isEmpty)
            }
        }
    }

    @Test("shards of another tokenizer than --tokenizer are refused", arguments: ["--length", "--labels-from"])
    func otherTokenizer(option: String) throws {
        let result = try shell(
            """
            train-tokenizer --vocab-size 280 --out other all.ndjson
            tokenize-pad --tokenizer other \(option) all.st all.ndjson
            """, in: folder.url)
        expectFailure(result, 78, "tokenize-pad", "all.st: its tokens were made with another tokenizer")
        #expect(result.output.isEmpty)
    }

    @Test("shards of version 1 are read with a note, and version 2 needs its checksum")
    func shardVersions() throws {
        // The sum of the metadata changes with the version; without it version 1 alone is whole.
        for (version, status) in [(1, 0), (2, 65)] as [(Int, Int32)] {
            _ = try shell(
                """
                LC_ALL=C sed 's#gpt2kit.tokens/[12]#gpt2kit.tokens/\(version)#; s/metadata_crc32/metadata_crc33/' \
                  all.st >old.st
                """, in: folder.url)
            let padded = try shell("tokenize-pad --tokenizer tok --length old.st all.ndjson", in: folder.url)
            #expect(padded.status == status && padded.errorLines.count == 1, "\(padded.errors)")
            let tuned = try shell(
                "\(TinyModel.finetune.replacingOccurrences(of: "-q ", with: "")) --out new --force <old.st",
                in: folder.url)
            #expect(tuned.status == status, "\(tuned.errors)")
            #expect(
                tuned.errors.contains(version == 1 ? "stdin: the shards are of version 1" : "metadata_crc32 is missing")
            )
            #expect(
                padded.errors.contains(
                    version == 1 ? "old.st: the shards are of version 1" : "metadata_crc32 is missing"))
        }
    }
}
