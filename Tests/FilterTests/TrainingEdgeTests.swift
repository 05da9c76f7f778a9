// Training at its edges: what searches share, sets that don't belong together, odd sizes, models that are replaced.

import Foundation
import TestSupport
import Testing

struct TrainingEdgeTests {
    private let folder: Folder
    init() throws { folder = try TinyModel.shared().workspace() }

    private func shell(_ command: String) throws -> FilterResult { try FilterTests.shell(command, in: folder.url) }

    @Test(
        "a trial has the model of a run with its settings",
        arguments: ["label-smoothing=0.5", "weight-decay=0.3", "dropout=0.2", "lr=0.003", "batch=4"])
    func trialAlone(_ setting: String) throws {
        let (name, value) = (setting.prefix { $0 != "=" }, setting.drop { $0 != "=" }.dropFirst())
        let option = "--\(name) \(value)"
        let result = try shell(
            """
            \(TinyModel.finetune) --search \(name)=\(value)..\(value) --trials 1 --out trial <all.st >/dev/null
            \(TinyModel.finetune.replacing("--lr 1e-2", with: name == "lr" ? "" : "--lr 1e-2")) \(option) --out alone <all.st >/dev/null
            cmp trial/model.safetensors alone/model.safetensors && echo same
            cmp -s trial/model.safetensors model/model.safetensors || echo "another than without"
            """)
        #expect(result.lines == ["same", "another than without"], "\(result.text)\(result.errors)")
    }

    @Test("sets of other padded lengths than the training set's are refused", arguments: ["validation", "test"])
    func otherLength(_ set: String) throws {
        let result = try shell(
            """
            tokenize-pad -q --tokenizer tok --length 30 all.ndjson >other.st
            \(TinyModel.finetune.replacing("--validation all.st", with: "")) \
              \(set == "test" ? "--validation all.st " : "")--\(set) other.st --out m <all.st
            """)
        expectFailure(result, 78, "finetune", "other.st: its texts are padded to or cut at 30 tokens")
    }

    @Test(
        "settings that mean nothing, or too much, are one line",
        arguments: [
            ("--features f --features-only", 64, "no block is frozen"),
            ("--search lr=1e-5..1e-3 --trials 9223372036854775807", 64, "trials are too many"),
            ("--search label-smoothing=0..1", 64, "label-smoothing doesn't take"),
        ])
    func settings(_ options: String, _ status: Int, _ words: String) throws {
        expectFailure(try shell("\(TinyModel.finetune) \(options) --out m <all.st"), Int32(status), "finetune", words)
    }

    @Test(
        "another tokenizer than the base's is refused, before anything is trained", arguments: ["finetune", "suspects"])
    func otherTokenizer(_ filter: String) throws {
        let run =
            filter == "finetune"
            ? "finetune -q --base model --tokenizer tok2 --validation other.st --out m <other.st"
            : "suspects -q --base model --tokenizer tok2 other.st"
        let result = try shell(
            """
            jq -c '.text |= ascii_upcase' all.ndjson >upper.ndjson
            train-tokenizer --vocab-size 300 --out tok2 upper.ndjson
            tokenize-pad -q --tokenizer tok2 all.ndjson >other.st
            \(run)
            """)
        expectFailure(result, 78, filter, "tok2: the tokenizer isn't the one that the model was trained with")
        #expect(try !folder.names().contains("m"))
    }

    @Test("gradients that aren't finite end a run that clips them, and leave metrics that are JSON")
    func gradients() throws {
        let result = try shell(
            """
            \(TinyModel.finetune) --class-weights spam=1e39 --clip-norm 1 --out m <all.st >metrics; code=$?
            jq -e . metrics >/dev/null && echo JSON; exit $code
            """)
        expectFailure(result, 65, "finetune", "training: gradients not finite at step 0: lower the learning rate")
        #expect(result.lines == ["JSON"])
        #expect(try !folder.names().contains("m"))
    }

    @Test("numbers of steps that no run reaches don't overflow")
    func hugeCounts() throws {
        for command in [
            "suspects -q --base random:config.json --tokenizer tok --epochs 2000000000000000000 --max-minutes 1e-9 all.st",
            "\(TinyModel.finetune) --epochs 9223372036854775807 --max-minutes 1e-9 --out m <all.st",
        ] {
            let result = try shell(command)
            #expect(result.status == 0, "\(result.errors)")
        }
    }

    @Test("a search over the smallest numbers draws numbers")
    func smallestNumbers() throws {
        let result = try shell(
            """
            \(TinyModel.finetune) --search weight-decay=1e-320..1e-310,lr=3e-308..4e-308 --trials 2 --out m <all.st \
              | jq -c 'select(.event == "trial") | [.weight_decay, .learning_rate] | map(. > 0 and . < 1)'
            """)
        #expect(result.lines.count == 2 && result.lines.allSatisfy { $0 == "[true,true]" }, "\(result.text)")
    }

    @Test("what calibrate fitted for a model goes when another one takes its place")
    func replacedDecision() throws {
        let result = try shell(
            """
            jq -c '.text = "other " + .text' all.ndjson | score -q --raw --model model --input ndjson | calibrate -q model >/dev/null
            ls model | grep -c decision; touch model/notes.txt
            \(TinyModel.finetune) --seed 2 --force --out model <all.st >/dev/null; ls model | grep -E 'decision|notes|hashes'
            echo hi | score -q --model model | wc -l
            """)
        #expect(
            result.lines == ["1", "notes.txt", "training-texts.hashes", "1"], "\(result.text)\(result.errors)")
    }

    @Test("a tokenizer doesn't take the place of a model's")
    func tokenizerOfModel() throws {
        let before = try folder.snapshot()
        expectFailure(
            try shell("train-tokenizer --vocab-size 310 --out model all.ndjson"), 73, "train-tokenizer",
            "a model already exists here")
        #expect(try folder.snapshot() == before)
    }

    @Test("records that aren't those of the shards are told from them by their labels")
    func otherRecords() throws {
        let result = try shell(
            "tac all.ndjson >other.ndjson; suspects -q --base random:config.json --tokenizer tok --records other.ndjson --all all.st"
        )
        expectFailure(result, 65, "suspects", "other.ndjson:1: this record has another label")
    }

    @Test(
        "a configuration that no language model has is refused with its name",
        arguments: [
            (#"."tie_word_embeddings"=false"#, "tie_word_embeddings false"),
            (#"."layer_norm_epsilon"="1e-5""#, "layer_norm_epsilon has to be a number"),
            (".n_head=3", "n_embd 16 is not a multiple of n_head 3"),
            (#".gpt2kit={"causal_mask":false}"#, "without a causal mask"),
        ])
    func configurations(_ change: String, _ words: String) throws {
        let result = try shell(
            """
            jq -c '\(change)' config.json >odd.json; tokenize-pad -q --tokenizer tok --pack --length 16 all.ndjson >packed.st
            pretrain -q packed.st --base random:odd.json --tokenizer tok --validation packed.st --max-steps 1 --out m
            """)
        expectFailure(result, 78, "pretrain", "odd.json: ")
        #expect(result.errors.contains(words), "\(result.errors)")
    }

    @Test("fastText's lines: labels anywhere count, and bytes that aren't UTF-8 are refused")
    func fastText() throws {
        for (text, words) in [
            (#"__label__a hello __label__b\n__label__b y\n"#, "more than one label"),
            (#"__label__\377 x\n__label__b z\n"#, "byte 10 of this line isn't UTF-8"),
        ] {
            try folder.write("lines.txt", "")
            let result = try shell("printf '\(text)' >lines.txt; baseline -q --input fasttext --out linear lines.txt")
            expectFailure(result, 65, "baseline", "lines.txt:1: ")
            #expect(result.errors.contains(words), "\(result.errors)")
        }
    }
}
