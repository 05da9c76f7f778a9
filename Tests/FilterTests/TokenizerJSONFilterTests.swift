// A directory with nothing but tokenizer.json goes wherever one with vocab.json and merges.txt goes.

import Foundation
import TestSupport
import Testing

struct TokenizerJSONFilterTests {
    private let folder: Folder
    init() throws {
        folder = try TinyModel.shared().workspace()
        let made = try shell(
            """
            mkdir json; jq -n --slurpfile vocabulary tok/vocab.json --rawfile merges tok/merges.txt '{version: "1.0",
              added_tokens: [{id: 299, content: "<|endoftext|>", special: true}], normalizer: null,
              pre_tokenizer: {type: "ByteLevel", add_prefix_space: false, use_regex: true}, post_processor: null,
              model: {type: "BPE", vocab: $vocabulary[0], merges: ($merges | split("\\n")[1:-1])}}' >json/tokenizer.json
            sed -i "s/\\"id\\": 299/\\"id\\": $(jq '."<|endoftext|>"' tok/vocab.json)/" json/tokenizer.json
            """, in: folder.url)
        #expect(made.status == 0, "\(made.errors)")
    }

    @Test("tokens, training and scores are those of vocab.json and merges.txt")
    func sameAsVocabulary() throws {
        let result = try shell(
            """
            tokenize-pad -q --tokenizer json all.ndjson | cmp - all.st
            \(TinyModel.finetune.replacing("--tokenizer tok", with: "--tokenizer json")) --out new <all.st >o
            cmp new/model.safetensors model/model.safetensors
            jq -S . model/vocab.json >a; jq -S . new/vocab.json | cmp - a; cmp new/merges.txt model/merges.txt
            score -q --model new --input ndjson all.ndjson | cmp - scored.ndjson
            rm new/vocab.json new/merges.txt; cp json/tokenizer.json new
            score -q --model new --input ndjson all.ndjson | cmp - scored.ndjson
            finetune -q --base new --validation all.st --max-steps 1 --out again <all.st >o && ls again/merges.txt
            """, in: folder.url)
        #expect(result.lines == ["again/merges.txt"] && result.errors.isEmpty, "\(result.text)\(result.errors)")
    }

    @Test("another kind of tokenizer is refused by name, with 78")
    func otherKind() throws {
        _ = try shell("sed -i 's/ByteLevel/Metaspace/' json/tokenizer.json", in: folder.url)
        let result = try shell("tokenize-pad --tokenizer json all.ndjson", in: folder.url)
        expectFailure(result, 78, "tokenize-pad", "json/tokenizer.json: pre_tokenizer Metaspace isn't supported: ")
    }
}
