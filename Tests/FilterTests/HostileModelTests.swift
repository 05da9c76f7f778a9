// Models of others whose files contradict themselves: one line each, and nothing written.

import Foundation
import TestSupport
import Testing

struct HostileModelTests {
    private let folder: Folder

    init() throws {
        folder = try Folder()
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder.path)/in", withDestinationPath: fixture("conversion"))
    }

    /// A safetensors file of zeros, or of another number.
    private func tensors(_ shapes: [(name: String, shape: [Int])], of number: Float = 0) throws -> Data {
        var header: [String: Any] = [:]
        var size = 0
        for (name, shape) in shapes {
            let bytes = shape.contains(0) ? 0 : 4 * shape.reduce(1, *)
            header[name] = ["dtype": "F32", "shape": shape, "data_offsets": [size, size + bytes]]
            size += bytes
        }
        let json = try JSONSerialization.data(withJSONObject: header)
        var data = withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) } + json
        for _ in 0..<size / 4 { withUnsafeBytes(of: number.bitPattern.littleEndian) { data.append(contentsOf: $0) } }
        return data
    }

    private static let block = "base_model.model.transformer.h.0."

    @Test(
        "an adapter that fits no model is refused with the tensor's name",
        arguments: [
            ([("ln_1.lora_A.weight", [2, 8]), ("ln_1.lora_B.weight", [8, 2])], "of a parameter that is no matrix"),
            (
                [("attn.c_attn.lora_A.weight", [1 << 60, 0]), ("attn.c_attn.lora_B.weight", [24, 0])], "has rank 11529"
            ),
            ([("attn.c_attn.lora_A.weight", [0, 8]), ("attn.c_attn.lora_B.weight", [24, 0])], "has rank 0"),
            ([("attn.c_attn.lora_A.weight", [2, 8]), ("attn.c_attn.lora_B.weight", [24, 3])], "instead of [24, 2]"),
        ] as [([(String, [Int])], String)])
    func adapters(_ shapes: [(String, [Int])], _ message: String) throws {
        _ = try shell("cp -r in/adapter-language a; chmod -R u+w a", in: folder.url)
        try folder.write("a/adapter_model.safetensors", tensors(shapes.map { (Self.block + $0.0, $0.1) }))
        let result = try shell("convert-model a --base in/base --out x", in: folder.url)
        expectFailure(result, 65, "convert-model", message)
        #expect(try !folder.names().contains("x"))
    }

    @Test("an adapter that changes a weight under two names, or makes it infinite, is refused")
    func doubled() throws {
        _ = try shell("cp -r in/adapter-language a; chmod -R u+w a", in: folder.url)
        let pair = [("attn.c_attn.lora_A.weight", [2, 8]), ("attn.c_attn.lora_B.weight", [24, 2])]
        let names = ["base_model.model.transformer.h.0.", "base_model.model.h.0."]
        try folder.write(
            "a/adapter_model.safetensors",
            tensors(names.flatMap { name in pair.map { (name + $0.0, $0.1) } }))
        expectFailure(
            try shell("convert-model a --base in/base --out x", in: folder.url), 65, "convert-model",
            "h.0.attn.c_attn.weight is changed under two names")
        try folder.write(
            "a/adapter_model.safetensors", tensors(pair.map { (Self.block + $0.0, $0.1) }, of: 1e30))
        expectFailure(
            try shell("convert-model a --base in/base --out x", in: folder.url), 65, "convert-model", "infinite or NaN")
    }

    @Test("heads and blocks of any number are refused before memory is taken for them")
    func numbers() throws {
        _ = try shell("cp -r in/base m; chmod -R u+w m", in: folder.url)
        let base = try Data(contentsOf: URL(filePath: fixture("conversion/base/model.safetensors")))
        try folder.write("m/head.safetensors", tensors([("score.weight", [1 << 60, 0])]))
        try folder.write("m/rest.safetensors", base)
        try FileManager.default.removeItem(atPath: folder.path + "/m/model.safetensors")
        try folder.write(
            "m/model.safetensors.index.json",
            #"{"weight_map":{"score.weight":"head.safetensors","transformer.wte.weight":"rest.safetensors"}}"#)
        let scored = try shell("echo hi | (ulimit -v 3000000; score --model m)", in: folder.url)
        expectFailure(scored, 78, "score", "which is no head of a classifier")
        let book = [
            ("tok_emb.weight", [257, 8]), ("pos_emb.weight", [12, 8]), ("trf_blocks.0.norm1.scale", [8]),
            ("trf_blocks.0.ff.layers.0.weight", [32, 8]), ("out_head.weight", [1 << 60, 0]),
        ]
        let options = "--tokenizer in/base --heads 2 --length 10 --out x"
        try folder.write("b.safetensors", tensors(book))
        expectFailure(
            try shell("convert-model b.safetensors \(options)", in: folder.url), 65, "convert-model", "is missing")
        try folder.write(
            "b.safetensors",
            tensors(book.dropLast() + [("out_head.weight", [2, 8]), ("trf_blocks.\(Int.max).x", [1])]))
        expectFailure(
            try shell("convert-model b.safetensors \(options)", in: folder.url), 78, "convert-model", "n_layer is")
    }

    @Test("weights with more blocks than config.json has are another model's")
    func surplus() throws {
        let result = try shell(
            "cp -r in/base m; chmod -R u+w m; sed -i 's/\"n_layer\": *2/\"n_layer\": 1/' m/config.json; convert-model m --out x",
            in: folder.url)
        expectFailure(result, 78, "convert-model", "but config.json has 1 blocks")
    }

    @Test("labels that are the same, and lengths beyond the model's, are refused")
    func choices() throws {
        let book = "in/book-classifier.safetensors --tokenizer in/base --heads 2"
        for (options, status, words) in [
            ("\(book) --length 9 --labels a,a,b", 64, "two labels are the same"),
            ("\(book) --length 9 --labels a,,b", 64, "--labels has an empty label"),
            ("in/adapter --base in/base --length 100000", 78, "not 100000"),
        ] {
            expectFailure(
                try shell("convert-model \(options) --out x", in: folder.url), Int32(status), "convert-model", words)
        }
        let made = try shell(
            """
            convert-model \(book) --length 9 --labels a,b,c --out c
            convert-model c --length 100000 --out x; echo $?
            sed -i 's/"1":"b"/"1":"a"/' c/config.json; echo hi | score --model c; echo $?
            """, in: folder.url)
        #expect(made.lines == ["78", "78"] && made.errors.contains("another name for every class"), "\(made.errors)")
        #expect(try !folder.names().contains("x"))
    }

    @Test("a pad that isn't <|endoftext|> stays the pad, and <|endoftext|> keeps its number")
    func pad() throws {
        let result = try shell(
            """
            set -e
            convert-model in/book-classifier.safetensors --tokenizer in/base --heads 2 --length 9 --labels a,b,c --out c
            jq 'del(.gpt2kit) | .pad_token_id = 5' c/config.json >config; cp config c/config.json
            convert-model c --out d
            jq -c '[.bos_token_id, .eos_token_id, .pad_token_id]' d/config.json
            jq -c '.added_tokens[0].id' d/tokenizer.json
            jq -c '[.eos_token, .pad_token]' d/tokenizer_config.json
            echo hi | score --model d >/dev/null; mkdir t; cp d/tokenizer.json t
            echo '{"text":"hi"}' | tokenize-pad --tokenizer t >/dev/null
            """, in: folder.url)
        #expect(
            result.status == 0 && result.lines == ["[256,256,5]", "256", #"["<|endoftext|>","&"]"#],
            "\(result.text)\(result.errors)")
    }
}
