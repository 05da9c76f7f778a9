// pretrain as a process: streams, stops, and what belongs together.

import Foundation
import TestSupport
import Testing

struct PretrainTests {
    private let folder: Folder
    private let command = """
        pretrain -q --base random:config.json --tokenizer tok --validation packed.st --batch-rows 4 --out new
        """

    init() throws {
        folder = try TinyModel.shared().workspace()
        _ = try shell(
            """
            train-tokenizer --vocab-size 270 --out tok all.ndjson
            sed 's/300/270/' config.json >c && mv c config.json
            tokenize-pad --tokenizer tok --pack --length 32 --rows-per-shard 7 all.ndjson >packed.st
            """, in: folder.url)
    }

    private func expectNothingNew(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let names = try folder.names()
        #expect(
            !names.contains("new") && !names.contains { $0.hasPrefix(".") }, "\(names)", sourceLocation: sourceLocation)
    }

    /// The hash of the model of an undisturbed run, which goes away.
    private func undisturbed(_ options: String) throws -> String {
        let result = try shell(
            "\(command) \(options) packed.st >o && sha256sum <new/model.safetensors; rm -r new", in: folder.url)
        #expect(result.errors.isEmpty)
        return try #require(result.lines.first)
    }

    private func expectModel(
        _ hash: String, _ result: FilterResult, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(result.status == 0, "\(result.errors)", sourceLocation: sourceLocation)
        let found = try shell("sha256sum <new/model.safetensors; rm -r new", in: folder.url).lines.first
        #expect(found == hash, "\(result.errors)", sourceLocation: sourceLocation)
        let names = try folder.names()
        #expect(
            !names.contains { $0.hasPrefix(".") || $0.hasSuffix(".checkpoints") }, "\(names)",
            sourceLocation: sourceLocation)
    }

    @Test(
        "embeddings from co-occurrence stand in the metrics; a trained base keeps its own, and is refused before it is read"
    )
    func embeddings() throws {
        let result = try shell("\(command) --embeddings cooccurrence packed.st >o && grep embeddings o", in: folder.url)
        #expect(result.status == 0 && result.lines.count == 2, "\(result.errors)")
        #expect(result.lines[0].contains(#""embeddings":"cooccurrence""#))
        #expect(result.lines[1].hasPrefix(#"{"event":"embeddings","seconds":"#))
        _ = try shell("mv new trained", in: folder.url)
        let refused = try shell(
            "pretrain -q --base trained --validation packed.st --out new --embeddings cooccurrence packed.st",
            in: folder.url)
        #expect(
            refused.status == 64 && refused.output.isEmpty
                && refused.errors.contains("the embeddings of a model directory"))
        try expectNothingNew()
    }

    @Test("file, stdin and pipe give the same model on any number of threads, and nothing stays in $TMPDIR [P1] [P4]")
    func sameModel() throws {
        let hash = try undisturbed("--epochs 2 --threads 1")
        for run in ["\(command) packed.st", "\(command) <packed.st", "cat packed.st | \(command) -"] {
            try expectModel(
                hash, shell("mkdir -p t; TMPDIR=$PWD/t; export TMPDIR; \(run) --epochs 2 >o", in: folder.url))
            #expect(try folder.names("t").isEmpty)
        }
        // What was read of stdin before doesn't belong to the shards.
        try expectModel(
            hash,
            shell(
                "{ echo before; cat packed.st; } >both; { read -r line; \(command) --epochs 2; } <both >o",
                in: folder.url))
    }

    @Test("metrics are NDJSON with the losses of steps, evaluations and the end")
    func metrics() throws {
        let result = try shell("\(command) --epochs 3 --validate-every 5 packed.st", in: folder.url)
        let events = try result.lines.map {
            try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        func all(_ name: String) -> [[String: Any]] { events.filter { $0["event"] as? String == name } }
        #expect(all("start").count == 1 && all("end").count == 1 && events.count > 5)
        let steps = try #require(all("start")[0]["steps"] as? Int)
        #expect(all("step").count == steps && all("eval").count == (steps - 1) / 5)
        for key in ["tokens", "tokens_per_second", "loss", "learning_rate", "gradient_norm"] {
            #expect(all("step").allSatisfy { $0[key] is NSNumber }, "\(key)")
        }
        for key in ["validation_loss", "bits_per_byte", "seconds"] {
            #expect((all("eval") + all("end")).allSatisfy { $0[key] is NSNumber }, "\(key)")
        }
        let tokens = try #require(all("step").last?["tokens"] as? Int)
        #expect(all("end")[0]["tokens"] as? Int == tokens)
    }

    @Test("the summary is one line, and tells which weights are kept")
    func summary() throws {
        let loud = command.replacing("-q ", with: "")
        let result = try shell("\(loud) --epochs 2 packed.st >o", in: folder.url)
        #expect(result.errorLines.count == 1 && result.errors.contains("weights, which are kept"), "\(result.errors)")
        #expect(result.errors.contains("nats a token") && result.errors.contains("bits a byte"))
    }

    @Test("the model is a base of finetune and pretrain, and its card tells of the run")
    func base() throws {
        let result = try shell(
            """
            set -e
            \(command) --epochs 2 packed.st >o
            tokenize-pad --tokenizer new all.ndjson >labelled.st
            finetune -q --base new --validation labelled.st --epochs 1 --out classifier <labelled.st >o
            pretrain -q packed.st --base new --validation packed.st --max-steps 3 --out more --weights bf16 >o
            pretrain -q packed.st --base classifier --validation packed.st --max-steps 3 --out adapted >o
            echo a prize | score --model classifier | grep -c probability
            """, in: folder.url)
        #expect(result.status == 0 && result.lines == ["1"], "\(result.errors)")
        let card = String(decoding: try folder.read("new/README.md"), as: UTF8.self)
        for words in ["random:config.json", "nats a token", "bits per byte", "packed.st: ", "--epochs 2 packed.st"] {
            #expect(card.contains(words), "\(words)")
        }
        let config = String(decoding: try folder.read("more/config.json"), as: UTF8.self)
        #expect(config.contains(#""architectures":["GPT2LMHeadModel"]"#) && config.contains(#""dtype":"bfloat16""#))
        let scored = try shell("echo a | score --model new", in: folder.url)
        expectFailure(scored, 78, "score", "no classification head")
    }

    @Test("TERM and INT save the run, give 143 and 130, and it resumes to the same model [P3] [A9]")
    func signals() throws {
        let hash = try undisturbed("--epochs 60")
        for (signal, status) in [("TERM", 143), ("INT", 130)] {
            let stopped = try shell(
                """
                (while [ ! -e new.checkpoints/step-000040.safetensors ]; do sleep 0.01; done
                kill -\(signal) $(cat pid)) &
                sh -c 'echo $$ >pid; exec \(command) --epochs 60 --checkpoint-every 20 packed.st >o'
                """, in: folder.url)
            #expect(stopped.status == Int32(status), "\(stopped.errors)")
            try expectNothingNew()
            try expectModel(hash, shell("\(command) --epochs 60 --resume packed.st >>o", in: folder.url))
        }
        // Without checkpoints it ends at once.
        let result = try shell(
            "timeout -s TERM --preserve-status 0.5 \(command) --epochs 9999999 packed.st >o", in: folder.url)
        #expect(result.status == 143)
        try expectNothingNew()
    }

    @Test("a run killed at random moments, again and again, resumes to the same model [P3]")
    func killed() throws {
        let hash = try undisturbed("--epochs 60")
        let result = try shell(
            """
            newest() { ls new.checkpoints 2>/dev/null | tail -1; }
            \(command) --epochs 60 --checkpoint-every 7 packed.st >o & run=$!; i=0
            while i=$((i + 1)); [ $i -le 8 ]; do
              last=$(newest)
              while kill -0 $run 2>/dev/null && [ "$(newest)" = "$last" ]; do sleep 0.005; done
              sleep 0.0$((10 + i * 37 % 41)); kill -KILL $run 2>/dev/null || break
              wait $run
              \(command) --epochs 60 --checkpoint-every 7 --resume packed.st >>o & run=$!
            done
            wait $run; code=$?; grep -c '"event":"resume"' o; exit $code
            """, in: folder.url)
        #expect(result.lines.last.flatMap { Int($0) } ?? 0 >= 3, "\(result.text)")
        try expectModel(hash, result)
    }

    @Test("a run that time ends leaves a model and its checkpoint, and goes on with more minutes [P5]")
    func outOfTime() throws {
        let hash = try undisturbed("--epochs 60")
        let loud = command.replacing("-q ", with: "")
        let short = try shell("\(loud) --epochs 60 --max-minutes 0.001 packed.st >o", in: folder.url)
        #expect(short.status == 0 && short.errors.contains("continue with --resume"), "\(short.errors)")
        #expect(try folder.names("new.checkpoints").count == 1 && folder.names("new").contains("config.json"))
        expectFailure(
            try shell("\(command) --epochs 60 --max-minutes 9 packed.st", in: folder.url), 73, "pretrain", "--resume")
        try expectModel(
            hash, shell("\(command) --epochs 60 --max-minutes 9 --resume packed.st >>o", in: folder.url))
    }

    @Test("a run that is finished has nothing to do, and a model is replaced only where that is asked for")
    func finished() throws {
        let run = "\(command) --epochs 2 --checkpoint-every 5 packed.st"
        #expect(try shell("\(run) >o", in: folder.url).status == 0)
        let before = try folder.snapshot()
        let again = try shell("\(run.replacing("-q ", with: "")) --resume", in: folder.url)
        #expect(again.status == 0 && again.errors.contains("nothing to do"), "\(again.errors)")
        #expect(try folder.snapshot() == before)
        expectFailure(try shell(run, in: folder.url), 73, "pretrain", "replace the model with --force")
        #expect(try shell("\(run) --force >o", in: folder.url).status == 0)
    }

    @Test("shards that are cut, empty, no shards or another tokenizer's are refused, and no model is there [P1] [P2]")
    func badInput() throws {
        let cases: [(input: String, status: Int32, words: String)] = [
            ("head -c 2000 packed.st |", 65, "before their end mark"), ("</dev/null", 65, "no records"),
            ("<all.ndjson", 65, "tokenize-pad first"), ("<.", 74, "is a directory"),
            ("tokenize-pad --tokenizer model all.ndjson |", 78, "another tokenizer"),
            ("(cat packed.st packed.st) |", 65, "bytes follow the last shard"),
            ("tokenize-pad --tokenizer tok --pack --length 64 all.ndjson |", 78, "but the model has 32 positions"),
            ("echo '{\"text\":\"\"}' | tokenize-pad --tokenizer tok --pack --length 9 |", 65, "no row has two tokens"),
        ]
        for (input, status, words) in cases {
            let run = input.hasSuffix("|") ? "\(input) \(command)" : "\(command) \(input)"
            expectFailure(try shell(run, in: folder.url), status, "pretrain", words)
            try expectNothingNew()
        }
        expectFailure(try shell("\(command) none", in: folder.url), 66, "pretrain", "none: no such file")
        expectFailure(
            try shell("\(command) --validation all.st packed.st", in: folder.url), 78, "pretrain", "another tokenizer")
        expectFailure(
            try shell("\(command) --tokenizer model packed.st", in: folder.url), 78, "pretrain", "set vocab_size to")
        expectFailure(
            try shell("\(command) --base model packed.st", in: folder.url), 78, "pretrain", "the model's own tokenizer")
        try expectNothingNew()
    }

    @Test("a run of one step learns: its rate is not that of a warm-up's first step")
    func oneStep() throws {
        let result = try shell(
            "\(command) --epochs 1 --batch-rows 1000 packed.st | jq -r 'select(.event == \"step\").learning_rate'",
            in: folder.url)
        #expect(
            result.lines.compactMap(Double.init).count == 1 && result.lines[0] != "0", "\(result.text)\(result.errors)")
    }

    @Test("a checkpoint is read whatever interval it was asked for with")
    func hugeInterval() throws {
        let result = try shell(
            """
            \(command) --epochs 3 --checkpoint-every 9007199254740993 --max-minutes 1e-9 packed.st >metrics
            \(command) --epochs 3 --resume packed.st
            """, in: folder.url)
        #expect(result.status == 0, "\(result.errors)")
    }

    @Test("impossible options give 64, and a model beyond the machine's memory 71, before input is read [P7] [A17]")
    func impossible() throws {
        let options = [
            "--batch-rows 0", "--ema 1", "--epochs -1", "--decay-from 1", "--warmup x", "--max-minutes 0",
            "--schedule steep", "--muon-lr 1", "--schedule linear --decay-from 0.5", "--validation -",
            "--clip-norm nan", "--precision int8", "--weights f16", "--epoch 3",
        ]
        for option in options {
            let result = try shell(
                "\(command) \(option); code=$?; cat; exit $code", input: Data("rest\n".utf8), in: folder.url)
            expectFailure(result, 64, "pretrain", "arguments: ")
            #expect(result.text == "rest\n")
        }
        try folder.write(
            "huge.json", #"{"vocab_size":270,"n_positions":32,"n_embd":1048576,"n_layer":16777216,"n_head":2}"#)
        let result = try shell(
            "\(command) --base random:huge.json; code=$?; cat; exit $code", input: Data("rest\n".utf8), in: folder.url)
        expectFailure(result, 71, "pretrain", "MiB are needed")
        #expect(result.text == "rest\n")
        expectFailure(
            try shell("\(command) --lr 1e30 --clip-norm 0 --warmup 0 packed.st >o", in: folder.url), 65, "pretrain",
            "loss not finite at step")
        try expectNothingNew()
    }

    @Test(
        "without stdout pretrain completes, publishes the model and gives 74 [A2]",
        arguments: [">/dev/full", ">&-", "| :"])
    func failedMetrics(output: String) throws {
        let result = try shell("(sleep 0.3; \(command) packed.st; echo $? >code) \(output)", in: folder.url)
        #expect(String(decoding: try folder.read("code"), as: UTF8.self) == "74\n")
        #expect(result.errorLines.count == 1 && result.errors.contains("the model in new isn't"), "\(result.errors)")
        #expect(try folder.names("new").contains("model.safetensors"))
        expectFailure(try shell("pretrain --help >/dev/full", in: folder.url), 74, "pretrain", "No space")
    }

    @Test("a disk that is full for a pipe's rows gives 74, and nothing is left [P1]")
    func fullTemporaryDirectory() throws {
        let result = try shell(
            "mkdir t; trap '' XFSZ; ulimit -f 4; cat packed.st packed.st | TMPDIR=$PWD/t \(command) 2>&1 | cat",
            in: folder.url)
        #expect(
            result.text.contains("raise the file size limit") || result.text.contains("can't be written"),
            "\(result.text)")
        #expect(try folder.names("t").isEmpty)
    }
}
