// tokenizer.json as transformers 5 writes it, and what isn't of GPT-2's kind.

import Foundation
import Records
import TestSupport
import Testing
import Tokenization

struct TokenizerJSONTests {
    private let place: Folder
    private let json: String

    init() throws {
        place = try Folder()
        json = try String(contentsOfFile: fixture("tokenizer-json/tokenizer.json"), encoding: .utf8)
    }

    /// The tokenizer of a directory with nothing but a tokenizer.json.
    private func read(_ text: String) throws -> Tokenizer {
        try Data(text.utf8).write(to: URL(filePath: place.path + "/tokenizer.json"))
        return try Tokenizer(directory: place.path)
    }

    private func changed(_ old: String, _ new: String) throws -> String {
        try #require(json.contains(old), "\(old)")
        return json.replacingOccurrences(of: old, with: new)
    }

    @Test("a tokenizer.json saved by transformers gives its ids and is the original tokenizer")
    func savedByTransformers() throws {
        let tokenizer = try read(json)
        let lines = LineReader(try ByteSource(path: fixture("tokenizer-json/expected.ndjson")))
        while let line = try lines.next() {
            let value = try JSONValue(parsing: Array(line.content))
            let ids = try #require(value["ids"]?.array).compactMap { $0.int.map(Int32.init) }
            #expect(tokenizer.encode(try #require(value["text"]?.string)) == ids, "line \(line.number)")
        }
        #expect(lines.lineNumber == 10)
        let original = try Tokenizer(directory: fixture("tokenizer-json"))
        #expect(tokenizer.sha256 == original.sha256 && tokenizer.endOfText == original.endOfText)
    }

    @Test("merges may be strings, and members that older versions omit may be missing")
    func olderVersions() throws {
        let pairs = try #require(json.range(of: #""merges": [["#)?.upperBound)
        let end = try #require(json.range(of: "]]}", range: pairs..<json.endIndex)?.lowerBound)
        let strings = json[pairs..<end].replacingOccurrences(of: "], [", with: "; ")
            .replacingOccurrences(of: #"", ""#, with: " ").replacingOccurrences(of: "; ", with: ", ")
        var text = json
        text.replaceSubrange(pairs..<text.index(end, offsetBy: 2), with: "\(strings)]")
        text = text.replacingOccurrences(of: #""merges": [["#, with: #""merges": ["#)
            .replacingOccurrences(of: #", "use_regex": true"#, with: "")
            .replacingOccurrences(of: #", "byte_fallback": false, "ignore_merges": false"#, with: "")
        #expect(text != json)
        #expect(try read(text).sha256 == Tokenizer(directory: fixture("tokenizer-json")).sha256)
    }

    @Test(
        "any other kind is refused by name",
        arguments: [
            (#""type": "BPE""#, #""type": "WordPiece""#, "model.type WordPiece isn't supported"),
            (#""dropout": null"#, #""dropout": 0.1"#, "model.dropout 0.1"),
            (#""ignore_merges": false"#, #""ignore_merges": true"#, "model.ignore_merges true"),
            (#""end_of_word_suffix": """#, #""end_of_word_suffix": "</w>""#, "model.end_of_word_suffix </w>"),
            (#""normalizer": null"#, #""normalizer": {"type": "NFC"}"#, "normalizer NFC"),
            (#""add_prefix_space": false"#, #""add_prefix_space": true"#, "pre_tokenizer.add_prefix_space true"),
            (#""use_regex": true"#, #""use_regex": false"#, "pre_tokenizer.use_regex false"),
            (
                #""pre_tokenizer": {"type": "ByteLevel""#, #""pre_tokenizer": {"type": "Whitespace""#,
                "pre_tokenizer Whitespace"
            ),
            (#""type": "TemplateProcessing""#, #""type": "BertProcessing""#, "post_processor BertProcessing"),
            (#""single": ["#, #""single": [{"SpecialToken": {}}, "#, "post_processor TemplateProcessing"),
            (#""content": "<|endoftext|>""#, #""content": "[PAD]""#, "the added token '[PAD]'"),
            (#""added_tokens": [{"id": 299"#, #""added_tokens": [{"id": 7"#, "is added with the id 7"),
            (#""merges""#, #""others""#, "there is no 'merges'"),
            (#""version": "1.0""#, #""version": "1.0", "model": {}"#, "'model' is there twice"),
            (#""<|endoftext|>": 299"#, #""<|endoftext|>": 500"#, "id 500 among 300 tokens leaves a gap"),
            (#""merges": [["#, #""merges": [["zz", "zz"], ["#, "merge 1: token 'zz' isn't in the vocabulary"),
            (#""merges": [["#, #""merges": [["a b", "c"], ["#, "a token of a merge has white space"),
            (#""merges": [["#, #""merges": [7, ["#, "expected"),
            (#"{"version""#, #"["version""#, "expected '{'"),
        ]) func otherKinds(old: String, new: String, words: String) throws
    {
        let text = try changed(old, new)
        let error = try #require(throws: TokenizerError.self) { try read(text) }
        #expect(error.diagnosis.message.contains(words), "\(error)")
        #expect(error.diagnosis.status == .configuration && !error.diagnosis.remedy.isEmpty)
    }

    @Test("a file cut at any byte is refused")
    func cutFile() throws {
        let bytes = Array(json.utf8)
        for count in stride(from: 0, to: bytes.count, by: 97) {
            try Data(bytes.prefix(count)).write(to: URL(filePath: place.path + "/tokenizer.json"))
            #expect(throws: TokenizerError.self) { try Tokenizer(directory: place.path) }
        }
    }

    @Test("a tokenizer is identified by its tokens and merges, and by the hash of earlier versions")
    func identity() throws {
        let original = try Tokenizer(directory: fixture("tokenizer-json"))
        let vocabulary = try String(contentsOfFile: fixture("tokenizer-json/vocab.json"), encoding: .utf8)
        try Data((vocabulary + "\n").utf8).write(to: URL(filePath: place.path + "/vocab.json"))
        try FileManager.default.copyItem(
            atPath: fixture("tokenizer-json/merges.txt"), toPath: place.path + "/merges.txt")
        let spaced = try Tokenizer(directory: place.path)
        #expect(spaced.sha256 == original.sha256 && spaced.isIdentified(by: original.sha256))
        #expect(!original.isIdentified(by: String(repeating: "0", count: 64)))
    }
}
