// A pipeline whose base is adapted to texts without labels before it is fine-tuned (pipelines/common/adapt.mk).

import Foundation
import TestSupport
import Testing

struct AdaptationTests {
    private static let make = "env -u MAKEFLAGS -u MAKELEVEL make --no-print-directory SWIFT=true PIPELINE=tiny"
    private let folder: Folder

    /// The Makefile and the pipelines, with a pipeline of 40 records and a model of one block.
    init() throws {
        folder = try Folder()
        let copied = try shell(
            "cp -r Makefile pipelines '\(folder.url.path)' && ln -s \"$PWD/.build\" '\(folder.url.path)/.build'",
            in: PipelineTests.root)
        #expect(copied.status == 0, "\(copied.errors)")
        try folder.write(
            "pipelines/tiny.mk",
            """
            OUT := build/tiny
            SMALL := random:tiny.json
            SMALL_VOCABULARY := 257
            BASE := $(SMALL)
            FROM_RANDOM := --trainable all --epochs 1
            include pipelines/common/small.mk
            $(OUT)/train.ndjson $(OUT)/validation.ndjson $(OUT)/test.ndjson: records.ndjson | build
            \t@mkdir -p $(OUT)
            \t$(BIN)/split --part $(notdir $(basename $@)) $< > $@
            include pipelines/common/stages.mk

            """)
        try folder.write(
            "tiny.json",
            """
            {"model_type":"gpt2","vocab_size":257,"n_positions":128,"n_embd":8,"n_layer":1,"n_head":2}
            """)
        let records = (0..<40).map { "{\"label\":\"\($0 % 2)\",\"text\":\"\(text($0))\"}\n" }
        try folder.write("records.ndjson", records.joined())
        // Texts of their own, one of them twice, and all those of the records.
        let more = (40..<50).map(text) + [text(40)] + (0..<40).map(text)
        try folder.write("more.ndjson", more.map { "{\"text\":\"\($0)\"}\n" }.joined())
    }

    private func text(_ index: Int) -> String { "message \(index) of \(index % 2 == 0 ? "some" : "other") kind" }

    private func base() throws -> String {
        try shell("jq -r .gpt2kit.training.base build/tiny/model/config.json", in: folder.url).text
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test("texts without labels adapt the base, but not those of validation and test")
    func unlabelled() throws {
        let options = "UNLABELLED=more.ndjson ADAPT='--epochs 2 --batch-rows 4' SEED=7"
        let made = try shell("\(Self.make) build/tiny/model/model.safetensors \(options)", in: folder.url)
        #expect(made.status == 0, "\(made.errors)")
        #expect(try base() == "build/tiny/adapted")
        let texts = try shell("jq -r .text build/tiny/texts.ndjson", in: folder.url).lines
        let held = try shell("jq -r .text build/tiny/validation.ndjson build/tiny/test.ndjson", in: folder.url).lines
        #expect(held.count == 12 && Set(texts).isDisjoint(with: held))
        #expect(Set(texts) == Set((0..<50).map(text)).subtracting(held) && texts.count == 38)
        let seeds = try shell(
            "jq -r 'select(.event == \"start\") | .seed' build/tiny/adaptation.ndjson build/tiny/metrics.ndjson",
            in: folder.url)
        #expect(seeds.lines == ["7", "7"])

        // The same again is up to date; without adaptation it is another run.
        let again = try shell("\(Self.make) build/tiny/model/model.safetensors \(options)", in: folder.url)
        #expect(again.status == 0 && !again.text.contains("/finetune"))
        // Other options of finetune fine-tune again, and nothing before that.
        let tuned = try shell(
            "\(Self.make) build/tiny/model/model.safetensors \(options) FINETUNE='--trainable all --epochs 2'",
            in: folder.url)
        #expect(tuned.status == 0 && tuned.text.contains("/finetune "), "\(tuned.errors)")
        #expect(
            !["/pretrain ", "/split ", "/tokenize-pad ", "/train-tokenizer "].contains { tuned.text.contains($0) },
            "\(tuned.text)")
        // Other options of pretrain adapt again.
        let adapted = try shell(
            "\(Self.make) build/tiny/model/model.safetensors \(options.replacing("--epochs 2", with: "--epochs 1"))",
            in: folder.url)
        #expect(adapted.status == 0 && adapted.text.contains("/pretrain "), "\(adapted.errors)")
        let plain = try shell("\(Self.make) build/tiny/model/model.safetensors", in: folder.url)
        #expect(plain.status == 0 && !plain.text.contains("/pretrain"), "\(plain.errors)")
        #expect(try base() == "random:tiny.json")
    }

    @Test("a file of unlabelled texts that isn't there is told before any work")
    func missing() throws {
        let result = try shell("\(Self.make) all UNLABELLED=nothing.ndjson", in: folder.url)
        #expect(result.status == 2 && result.errors.contains("there is no nothing.ndjson to read"), "\(result.errors)")
        #expect(
            !FileManager.default.fileExists(atPath: folder.url.appendingPathComponent("build/tiny/train.ndjson").path))
    }
}
