// finetune's options for training as a process: what they write, and what is refused before anything is read.

import Foundation
import TestSupport
import Testing

struct TrainingOptionTests {
    private let folder: Folder
    private let command = "\(TinyModel.finetune) --out new --force"
    init() throws { folder = try TinyModel.shared().workspace() }

    private func objects(_ result: FilterResult) throws -> [[String: Any]] {
        try result.lines.map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    private func kit(_ model: String) throws -> [String: Any] {
        let config = try JSONSerialization.jsonObject(with: try folder.read("\(model)/config.json"))
        return try #require((config as? [String: Any])?["gpt2kit"] as? [String: Any])
    }

    @Test(
        "an impossible option gives 64, and no input is read [A17]",
        arguments: [
            "--dropout 1", "--dropout -0.1", "--dropout nan", "--label-smoothing 1", "--warmup 1.5", "--warmup -1",
            "--schedule square", "--clip-norm 0", "--clip-norm inf", "--accumulate 0", "--max-steps 0",
            "--max-minutes 0",
            "--patience 0", "--keep first", "--class-weights spam", "--class-weights spam=0", "--class-weights =1",
            "--class-weights ''", "--class-weights spam=1,",
            "--class-weights spam=2,ham=1,spam=3", "--lora-rank 0", "--lora-rank 17", "--lora-alpha 0",
            "--lora-targets wte", "--lora-targets ''", "--trainable head --dropout 0.1",
            "--trainable all --lora-rank 4",
            "--word-dropout 1", "--word-dropout nan", "--trainable last-1 --word-dropout 0.1",
            "--trainable all --pool first --word-dropout 0.1",
            "--lora-rank 99999999999999999999", "--trainable last-0",
        ])
    func impossibleOptions(option: String) throws {
        // `--trainable all` of the command itself excludes adapters.
        let plain = command.replacing("--trainable all ", with: "")
        let result = try shell(
            "\(plain) \(option); code=$?; cat; exit $code", input: Data("rest\n".utf8), in: folder.url)
        expectFailure(result, 64, "finetune", "finetune: arguments: ")
        #expect(result.text == "rest\n")
        #expect(try !folder.names().contains("new"))
    }

    @Test("--trainable lists its values", arguments: ["last2", "last-0", "last", "everything"])
    func trainableValues(value: String) throws {
        expectFailure(
            try shell("\(command) --trainable \(value)", in: folder.url), 64, "finetune",
            "'\(value)' is none of head, last-1 (or more blocks), all, lora")
    }

    @Test("a forgotten --tokenizer is named before input is read")
    func forgottenTokenizer() throws {
        _ = try shell("cp -r model bare; rm bare/vocab.json bare/merges.txt bare/tokenizer.json", in: folder.url)
        for base in ["random:config.json", "random:gpt2", "bare"] {
            let result = try shell(
                "finetune --base \(base) --validation all.st --out new; code=$?; cat; exit $code",
                input: Data("rest\n".utf8), in: folder.url)
            expectFailure(
                result, 64, "finetune", "has no tokenizer: name the directory that tokenize-pad used with --tokenizer")
            #expect(result.text == "rest\n")
        }
    }

    @Test("a weight for a missing class gives 64 and lists the classes")
    func missingClass() throws {
        expectFailure(
            try shell("\(command) --class-weights eggs=2 <all.st", in: folder.url), 64, "finetune", "use 'ham', 'spam'")
    }

    @Test("a label may have a comma")
    func commaInLabel() throws {
        let result = try shell(
            """
            sed 's/"ham"/"a,b"/' all.ndjson | tokenize-pad -q --tokenizer tok >comma.st
            \(command.replacing("all.st", with: "comma.st")) --max-steps 1 --class-weights 'spam=2,a,b=3' <comma.st
            """, in: folder.url)
        #expect(result.status == 0, "\(result.errors)")
        #expect(try kit("new").description.contains("a,b"))
        let weights = try #require(try kit("new")["training"] as? [String: Any])["class_weights"] as? [String: Double]
        #expect(weights == ["spam": 2, "a,b": 3])
    }

    @Test("settings are in the start event and in config.json, rates and norms in the steps")
    func recordedSettings() throws {
        let result = try shell(
            """
            \(command) --schedule linear --warmup 0.25 --clip-norm 0.5 --accumulate 2 --batch 4 --dropout 0.1 --word-dropout 0.2 \
              --label-smoothing 0.1 --class-weights spam=2,ham=1 --keep best --max-steps 8 --eval-every 2 <all.st
            """, in: folder.url)
        #expect(result.status == 0, "\(result.errors)")
        let events = try objects(result)
        let recipe = try #require(try kit("new")["training"] as? [String: Any])
        for settings in [events[0], recipe] {
            #expect(settings["schedule"] as? String == "linear" && settings["warmup"] as? Double == 0.25)
            #expect(settings["clip_norm"] as? Double == 0.5 && settings["accumulate"] as? Int == 2)
            #expect(settings["word_dropout"] as? Double == 0.2)
            #expect(settings["dropout"] as? Double == 0.1 && settings["label_smoothing"] as? Double == 0.1)
            #expect(settings["class_weights"] as? [String: Double] == ["spam": 2, "ham": 1])
            #expect(settings["keep"] as? String == "best" && settings["max_steps"] as? Int == 8)
            #expect(settings["patience"] is NSNull && settings["causal_mask"] as? Bool == true)
        }
        let steps = events.filter { $0["event"] as? String == "step" }
        let rates = steps.compactMap { $0["learning_rate"] as? Double }
        #expect(rates.map { ($0 * 1e5).rounded() } == [0, 500, 1000, 833, 667, 500, 333, 167])
        #expect(steps.allSatisfy { ($0["gradient_norm"] as? Double ?? 0) > 0 })
        let evaluations = events.filter { $0["event"] as? String == "eval" }
        #expect(evaluations.count == 4 && evaluations.allSatisfy { $0["best"] is Bool })
        let end = try #require(events.last)
        #expect(end["reason"] as? String == "max-steps" && end["steps"] as? Int == 8 && end["kept_step"] is Int)
    }

    @Test("without options the stream has no fields of theirs")
    func noExtraFields() throws {
        let events = try objects(try shell("\(command) <all.st", in: folder.url))
        #expect(events.allSatisfy { $0["gradient_norm"] == nil && $0["best"] == nil })
        #expect(events.last?["reason"] as? String == "epochs")
    }

    @Test("a model without causal mask says so, and score reads it so")
    func withoutCausalMask() throws {
        let trained = try shell("\(command) --no-causal-mask --features kept <all.st", in: folder.url)
        #expect(trained.status == 0, "\(trained.errors)")
        #expect(try kit("new")["causal_mask"] as? Bool == false && kit("model")["causal_mask"] as? Bool == true)
        let card = String(decoding: try folder.read("new/README.md"), as: UTF8.self)
        #expect(card.contains("can't leave out the causal mask"))
        let scores = try shell(
            """
            score --model new <all.ndjson >unmasked
            sed -i 's/"causal_mask":false/"causal_mask":true/' new/config.json
            score --model new <all.ndjson >masked; cmp -s masked unmasked; echo $?
            sed -i 's/"causal_mask":true/"causal_mask":1/' new/config.json; score --model new <all.ndjson
            """, in: folder.url)
        #expect(scores.lines == ["1"])
        #expect(scores.status == 78 && scores.errors.contains("gpt2kit.causal_mask"))
    }

    @Test("features with and without causal mask are kept apart")
    func separateFeatures() throws {
        let last = "\(command.replacing("--trainable all", with: "--trainable last-1")) --features kept"
        let outcomes = try shell(
            """
            for mask in '' --no-causal-mask --no-causal-mask ''; do
              \(last) $mask <all.st | grep -o '"features":"[a-z-]*"'
            done
            """, in: folder.url)
        #expect(outcomes.lines.map { $0.contains("computed") } == [true, true, false, false], "\(outcomes.text)")
    }

    @Test("LoRA writes a model like any other")
    func loraModel() throws {
        let plain = command.replacing("--trainable all ", with: "")
        let result = try shell(
            """
            \(plain) --lora-rank 4 --lora-alpha 8 --lora-targets c_attn,mlp.c_proj,head <all.st
            score --model new <all.ndjson >scores || exit 1
            cmp new/vocab.json model/vocab.json
            """, in: folder.url)
        #expect(result.status == 0, "\(result.errors)")
        let start = try #require(try objects(result).first)
        #expect(start["trainable"] as? String == "lora" && start["lora_rank"] as? Int == 4)
        #expect(start["lora_targets"] as? [String] == ["attn.c_attn", "mlp.c_proj", "score"])
        // Two blocks of width 16: A and B of [16,48] and [64,16], and of the head's [16,2].
        #expect(start["trainable_parameters"] as? Int == 2 * 4 * (16 + 48 + 64 + 16) + 4 * (16 + 2))
        let size = try shell("wc -c <new/model.safetensors; wc -c <model/model.safetensors", in: folder.url)
        #expect(Set(size.lines).count == 1)
        let defaults = try shell("\(plain) --trainable lora <all.st | head -1", in: folder.url)
        #expect(defaults.text.contains(#""lora_rank":16,"lora_alpha":16.0"#))
    }

    @Test("threads and repetition make no difference with every option [E72]")
    func sameModelOnAnyThreads() throws {
        let result = try shell(
            """
            for t in 1 2 2; do
              \(command) --threads $t --dropout 0.2 --clip-norm 1 --accumulate 2 --schedule cosine --warmup 3 \
                --class-weights balanced --keep best --eval-every 3 --no-causal-mask <all.st >o
              sha256sum <new/model.safetensors
            done | sort -u
            """, in: folder.url)
        #expect(result.lines.count == 1 && result.errors.isEmpty, "\(result.text)\(result.errors)")
    }
}
