import Foundation
import TestSupport
import Testing

struct FetchFilterTests {
    /// A zip archive with one stored entry, `t.tsv`: "ham\ta\n".
    private static let archive =
        Data(
            base64Encoded: "UEsDBBQAAAAAAAAAIQDA1ZmrBgAAAAYAAAAFAAAAdC50c3ZoYW0JYQpQSwECFAMUAAAAAAAAACEAwNWZqwYAAAAGAA"
                + "AABQAAAAAAAAAAAAAApIEAAAAAdC50c3ZQSwUGAAAAAAEAAQAzAAAAKQAAAAAA") ?? Data()
    private static let wrongHash = String(repeating: "0", count: 64)

    @Test("an archive from a file, from stdin and from a mirror gives the same records, and its hash [B21]")
    func archiveSources() throws {
        let folder = try Folder()
        try Self.archive.write(to: folder.url.appendingPathComponent("a+b.zip"))
        for command in ["a+b.zip", "- < a+b.zip", "https://localhost/x/a%2Bb.zip --mirror ."] {
            let result = try shell("fetch-unzip \(command)", in: folder.url)
            #expect(result.text == "{\"id\":\"t-1\",\"label\":\"ham\",\"text\":\"a\"}\n", "\(result.errors)")
            #expect(result.status == 0)
            // Without an expected hash, the one that was found is printed once.
            #expect(result.errorLines.count == 1 && result.errors.contains("SHA-256"))
        }
        #expect(try shell("fetch-unzip -q a+b.zip --format raw", in: folder.url).text == "ham\ta\n")
        #expect(try shell("fetch-unzip -q a+b.zip", in: folder.url).errors.isEmpty)
    }

    @Test("a wrong hash gives 65, and nothing is written [B21]", arguments: ["--sha256", "--entry-sha256"])
    func wrongHash(option: String) throws {
        let result = try shell("fetch-unzip - \(option) \(Self.wrongHash)", input: Self.archive)
        expectFailure(result, 65, "fetch-unzip", "expected \(Self.wrongHash) got ")
        #expect(result.output.isEmpty)
    }

    @Test("usage errors, missing files and a full disk have their exit codes [A1] [A5] [A17]")
    func exitCodes() throws {
        expectFailure(try shell("fetch-unzip none.zip"), 66, "fetch-unzip", "no such file")
        expectFailure(try shell("fetch-unzip ."), 74, "fetch-unzip", "directory")
        expectFailure(try shell("fetch-unzip - --sha256 xyz"), 64, "fetch-unzip", "xyz")
        expectFailure(try shell("fetch-unzip ftp://localhost/a"), 64, "fetch-unzip", "address")
        expectFailure(try shell("fetch-unzip -q - >/dev/full", input: Self.archive), 74, "fetch-unzip", "No space")
        expectFailure(try shell("fetch-unzip -q -", input: Data("text".utf8)), 65, "fetch-unzip", "1 column")
        expectFailure(try shell("fetch-model gpt3 --out x"), 64, "fetch-model", "gpt2-xl")
        expectFailure(try shell("fetch-model gpt2 --out x --files a"), 64, "fetch-model", "vocab.json")
    }

    @Test(
        "an option that would change nothing is a usage error",
        arguments: [
            ("fetch-unzip - --format ndjson --header", "--header goes with"),
            ("fetch-unzip - --format ndjson --columns nope", "--columns goes with"),
            ("fetch-unzip - --format raw --columns label,text", "--columns goes with"),
            ("fetch-unzip - --format raw --max-line 5", "--max-line goes with"),
            ("fetch-unzip - --mirror .", "--mirror goes with an http(s) address"),
            ("fetch-unzip a.zip --cache c", "--cache goes with an http(s) address"),
            ("fetch-unzip a.zip --fallback http://localhost/a.zip", "--fallback goes with an http(s) address"),
            ("fetch-model gpt2 --out x --files ''", "--files names no file"),
            ("fetch-model gpt2 --out x --files ,", "--files names no file"),
            ("fetch-model gpt2 --out x --tokenizer-only --files vocab.json", "--tokenizer-only goes without --files"),
        ])
    func uselessOptions(command: String, words: String) throws {
        let folder = try Folder()
        let tool = String(command.prefix { $0 != " " })
        expectFailure(try shell(command, input: Self.archive, in: folder.url), 64, tool, words)
        #expect(try folder.names().isEmpty)
    }

    @Test("a config.json that is too large to be one gives 65")
    func largeConfiguration() throws {
        let folder = try Folder()
        let result = try shell(
            """
            mkdir -p m/gpt2; dd if=/dev/null of=m/gpt2/config.json bs=1048576 seek=68 2> /dev/null
            fetch-model gpt2 --out out --mirror m --files config.json
            """, in: folder.url)
        expectFailure(result, 65, "fetch-model", "more than 67108864 bytes")
        #expect(try folder.names("out").isEmpty)
    }

    @Test("a mirror's file that isn't the model's gives 65 and leaves nothing")
    func wrongModelFile() throws {
        let folder = try Folder()
        try FileManager.default.createDirectory(
            at: folder.url.appendingPathComponent("m/gpt2"), withIntermediateDirectories: true)
        try folder.write("m/gpt2/vocab.json", "{}")
        try folder.write("m/gpt2/config.json", "{\"model_type\":\"gpt2\",\"n_layer\":24,\"n_head\":12,\"n_embd\":768}")
        for (file, words) in [("vocab.json", "SHA-256"), ("config.json", "n_layer")] {
            let result = try shell("fetch-model gpt2 --out out --mirror m --files \(file)", in: folder.url)
            expectFailure(result, 65, "fetch-model", words)
            #expect(try folder.names("out").isEmpty)
        }
        try folder.write("m/gpt2/config.json", "{\"model_type\":\"gpt2\",\"n_layer\":12,\"n_head\":12,\"n_embd\":768}")
        #expect(try shell("fetch-model gpt2 --out out --mirror m --files config.json", in: folder.url).status == 0)
        #expect(try folder.names("out") == ["config.json"])
    }

    @Test("a device in place of a model gives 66 where it is read, and fetch-model doesn't accept it")
    func deviceAsModel() throws {
        let folder = try TinyModel.shared().workspace()
        let score = try shell(
            "rm model/vocab.json; ln -s /dev/zero model/vocab.json; echo a | score --model model", in: folder.url)
        expectFailure(score, 66, "score", "isn't a regular file")
        let config = "{\"model_type\":\"gpt2\",\"n_layer\":12,\"n_head\":12,\"n_embd\":768}"
        try FileManager.default.createDirectory(
            at: folder.url.appendingPathComponent("m/gpt2"), withIntermediateDirectories: true)
        try folder.write("m/gpt2/config.json", config)
        let fetch = try shell(
            "mkdir out; ln -s /dev/zero out/config.json; fetch-model gpt2 --out out --mirror m --files config.json",
            in: folder.url)
        expectFailure(fetch, 73, "fetch-model", "isn't a regular file")
    }
}
