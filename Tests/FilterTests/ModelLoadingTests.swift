// Model directories that aren't what they should be (group F, 74–80): one line, the right code, never a crash.

import Foundation
import TestSupport
import Testing

struct ModelLoadingTests {
    private let folder: Folder
    init() throws { folder = try TinyModel.shared().workspace() }

    private var weights: URL { folder.url.appendingPathComponent("model/model.safetensors") }
    private func score() throws -> FilterResult { try shell("echo hi | score --model model", in: folder.url) }

    /// The header's JSON and what follows it.
    private func parts() throws -> (header: String, data: Data) {
        let bytes = try Data(contentsOf: weights)
        let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        return (String(decoding: bytes[8..<8 + length], as: UTF8.self), Data(bytes[(8 + length)...]))
    }

    private func write(header: String, length: UInt64? = nil, _ data: Data) throws {
        let length = length ?? UInt64(header.utf8.count)
        try (Data((0..<8).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) }) + Data(header.utf8) + data)
            .write(to: weights)
    }

    @Test("weights cut at any byte give 65 [F74]")
    func cutWeights() throws {
        let bytes = try Data(contentsOf: weights)
        let header = bytes.count - (try parts().data.count)
        let places = [0, 1, 7, 8, 9, header / 2, header - 1, header, header + 1, bytes.count / 2, bytes.count - 1]
        for place in places {
            try bytes.prefix(place).write(to: weights)
            expectFailure(try score(), 65, "score", "model/model.safetensors")
        }
        try (bytes + [0]).write(to: weights)
        expectFailure(try score(), 65, "score", "follow the last tensor")
    }

    @Test("an impossible header length gives 65 [F75]", arguments: [0, 1, 1 << 40, 100_000_001, 1 << 63, UInt64.max])
    func headerLength(length: UInt64) throws {
        let (header, data) = try parts()
        try write(header: header, length: length, data)
        expectFailure(try score(), 65, "score", "header")
    }

    @Test(
        "a header that contradicts the file or the configuration is refused [F76] [F77]",
        arguments: [
            (#""shape":\[300,16\]"#, #""shape":[300,17]"#, 65), (#""shape":\[300,16\]"#, #""shape":[16,300]"#, 78),
            (#""shape":\[300,16\]"#, #""shape":[4294967296,4294967296]"#, 65),
            (#""dtype":"F32""#, #""dtype":"F31""#, 65), (#""data_offsets":\[0,"#, #""data_offsets":[4,"#, 65),
            ("transformer.ln_f.bias", "transformer.ln_f.weight", 65), ("transformer.wte.weight", "wte.wight", 78),
            ("score.weight", "score.wight", 78),
        ])
    func headerContent(pattern: String, replacement: String, status: Int32) throws {
        let (header, data) = try parts()
        let changed = header.replacingOccurrences(of: pattern, with: replacement, options: .regularExpression)
        #expect(changed != header)
        try write(header: changed, data)
        expectFailure(try score(), status, "score", "model")
    }

    @Test("a missing tensor is named [F77]")
    func missingTensor() throws {
        let (header, data) = try parts()
        try write(header: header.replacingOccurrences(of: "transformer.h.1.attn.c_attn.bias", with: "other"), data)
        expectFailure(try score(), 78, "score", "tensor h.1.attn.c_attn.bias is missing")
        let tuning = try shell("\(TinyModel.finetune) --base model --out new <all.st", in: folder.url)
        expectFailure(tuning, 78, "finetune", "tensor h.1.attn.c_attn.bias is missing")
        #expect(try !folder.names().contains("new"))
    }

    @Test(
        "NaN and infinity among the weights give 65 [F78]",
        arguments: [[0x00, 0x00, 0xC0, 0x7F], [0x00, 0x00, 0x80, 0x7F], [0x00, 0x00, 0x80, 0xFF]] as [[UInt8]])
    func weightsNotFinite(pattern: [UInt8]) throws {
        var (header, data) = try parts()
        data.replaceSubrange(data.count / 2 / 4 * 4..<data.count / 2 / 4 * 4 + 4, with: pattern)
        try write(header: header, data)
        let result = try score()
        expectFailure(result, 65, "score", "infinite or NaN")
        #expect(result.output.isEmpty)
    }

    @Test("pickled weights are refused with the reason [F80]", arguments: ["pytorch_model.bin", "model.pt"])
    func pickledWeights(name: String) throws {
        _ = try shell("mv model/model.safetensors model/\(name)", in: folder.url)
        expectFailure(try score(), 65, "score", "pickle can run code: convert")
    }

    @Test("files of a model directory that are missing or another model's are named")
    func mismatchedDirectory() throws {
        for (change, status, words) in [
            ("rm model/config.json", 66, "model/config.json: no such file"),
            ("rm model/model.safetensors", 66, "no model.safetensors"),
            ("rm model/merges.txt", 66, "model/merges.txt: no such file"),
            ("echo '{' >model/config.json", 65, "config.json"),
            ("echo '{}' >model/config.json", 78, "vocab_size is missing"),
            ("sed -i 's/\"n_head\":2/\"n_head\":3/' model/config.json", 78, "not a multiple"),
            ("sed -i 's/\"n_embd\":16/\"n_embd\":32/' model/config.json", 78, "has shape"),
            ("sed -i 's/\"max_length\":[0-9]*/\"max_length\":-3/' model/config.json", 78, "max_length"),
            (
                "train-tokenizer --vocab-size 280 --out other all.ndjson; cp other/* model", 78,
                "isn't the one that the model was trained with"
            ),
            ("rm -r model", 66, "no such file"), ("rm -r model; cp all.st model", 66, "model"),
        ] as [(String, Int32, String)] {
            let folder = try TinyModel.shared().workspace()
            let result = try shell("\(change); echo hi | score --model model", in: folder.url)
            expectFailure(result, status, "score", words)
        }
    }

    @Test(
        "values of the wrong type in config.json's gpt2kit are refused, not ignored",
        arguments: [
            ("max_length", "[0-9]+", [#""12""#, "1.5", "9223372036854775808", "0", "null", "[8]"]),
            ("tokenizer_sha256", "\"[^\"]*\"", ["5", "null", #""""#, #""5""#, "{}"]),
            ("weights_sha256", "\"[^\"]*\"", ["5", "null", #""""#, #""5""#, "{}"]),
            ("pooling", "\"[^\"]*\"", ["7", "null", #""middle""#]),
            ("causal_mask", "true", ["1", #""true""#, "null"]),
            ("gpt2kit", #"\{.*\}(?=\})"#, ["null", "[]", #""x""#]),
        ])
    func wrongConfiguration(key: String, pattern: String, values: [String]) throws {
        let original = String(decoding: try folder.read("model/config.json"), as: UTF8.self)
        for value in values {
            let changed = original.replacingOccurrences(
                of: "\"\(key)\":\(pattern)", with: "\"\(key)\":\(value)", options: .regularExpression)
            #expect(changed != original)
            try folder.write("model/config.json", changed)
            expectFailure(try score(), 78, "score", key)
        }
    }
}
