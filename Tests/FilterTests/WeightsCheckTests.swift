// The checksum of the weights in config.json (B10): damage is noticed, by whoever reads the weights.

import Foundation
import TestSupport
import Testing

struct WeightsCheckTests {
    private let folder: Folder
    init() throws { folder = try TinyModel.shared().workspace() }

    private static let noticed = "model/model.safetensors: its weights don't have the checksum that config.json names"
    private static let removesChecksum = #"sed -i -E 's/"weights_sha256":"[0-9a-f]*",//' model/config.json"#

    private func shell(_ command: String) throws -> FilterResult { try FilterTests.shell(command, in: folder.url) }

    /// Changes the last digit of a weight, which makes it no other kind of number.
    private func damage(_ directory: String) throws {
        var weights = try folder.read("\(directory)/model.safetensors")
        weights[weights.count / 2 / 4 * 4] ^= 1
        try folder.write("\(directory)/model.safetensors", weights)
    }

    @Test("config.json has the SHA-256 of model.safetensors")
    func recordedChecksum() throws {
        let hash = try #require(try shell("sha256sum <model/model.safetensors").text.split(separator: " ").first)
        let config = String(decoding: try folder.read("model/config.json"), as: UTF8.self)
        #expect(config.contains("\"weights_sha256\":\"\(hash)\""))
    }

    @Test("none of 500 flipped bits in the weights passes, with --verify before any output")
    func flippedBits() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var state = seed
        let weights = try folder.read("model/model.safetensors")
        for round in 0..<500 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let bit = Int(state >> 16) % (8 * weights.count)
            var damaged = weights
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            try folder.write("model/model.safetensors", damaged)
            for option in round % 10 == 0 ? ["", "--verify"] : [""] {
                let result = try shell("echo hi | score --model model \(option)")
                // 78 where the header's names or shapes are others.
                #expect([65, 78].contains(result.status), "bit \(bit), seed \(seed): \(result.errors)")
                #expect(result.output.isEmpty && result.errorLines.count == 1, "bit \(bit), seed \(seed)")
            }
        }
    }

    @Test("damage that leaves numbers of the usual size is one line")
    func plausibleDamage() throws {
        try damage("model")
        // A line of 200 kB is written in pieces.
        for command in [
            "echo hi | score", "echo hi | score --line-buffered", "score --verify </dev/null",
            "yes word | head -n 40000 | tr '\\n' ' ' | score",
        ] {
            let result = try shell("\(command) --model model")
            expectFailure(result, 65, "score", Self.noticed)
            #expect(result.output.isEmpty)
        }
    }

    @Test("a model without a checksum has the same scores, and --verify reports that it has none")
    func noChecksum() throws {
        let whole = try shell("score --model model --verify --input ndjson all.ndjson")
        #expect(whole.status == 0 && whole.errors.isEmpty, "\(whole.errors)")
        #expect(whole.output == (try folder.read("scored.ndjson")))
        let old = try shell("\(Self.removesChecksum); score --model model --input ndjson all.ndjson")
        #expect(old.status == 0 && old.errors.isEmpty && old.output == whole.output)
        let verified = try shell("score --model model --verify </dev/null")
        #expect(verified.status == 0 && verified.output.isEmpty)
        #expect(verified.errors == "score: model: its config.json names no checksum of the weights\n")
        #expect(try shell("score --model model --verify --quiet </dev/null").errors.isEmpty)
    }

    @Test("the checksum of one file doesn't apply to weights in several files")
    func severalFiles() throws {
        let weights = try folder.read("model/model.safetensors")
        let length = weights.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let header = try JSONSerialization.jsonObject(with: weights[8..<8 + length]) as? [String: Any]
        let names = try #require(header).keys.filter { $0 != "__metadata__" }
        let map = names.map { "\"\($0)\":\"model-1.safetensors\"" }.joined(separator: ",")
        try folder.write("model/model.safetensors.index.json", "{\"weight_map\":{\(map)}}")
        let moved = try shell("mv model/model.safetensors model/model-1.safetensors; echo hi | score --model model")
        expectFailure(moved, 65, "score", "the weights are in several files")
        let old = try shell("\(Self.removesChecksum); echo hi | score --model model")
        #expect(old.status == 0 && old.lines.count == 1)
    }

    /// Beyond 64 MiB hashing takes longer than scoring a line.
    @Test("weights of 100 MB are checked where more than a few texts come, or with --verify")
    func largeWeights() throws {
        let config = """
            {"model_type":"gpt2","vocab_size":300,"n_positions":32,"n_embd":1024,"n_layer":2,"n_head":2}
            """
        try folder.write("config.json", config)
        let made = try shell(
            """
            finetune -q --base random:config.json --tokenizer tok --trainable head --validation all.st --epochs 1 \
            --out large <all.st >metrics
            yes 'see you at lunch tomorrow' | head -700 >many
            """)
        #expect(made.status == 0, "\(made.errors)")
        let whole = try shell("score --model large --verify many | wc -l")
        #expect(whole.text.contains("700") && whole.errors.isEmpty)
        try damage("large")
        #expect(try shell("echo hi | score --model large").status == 0)
        for command in ["score many", "echo hi | score --verify", "score --line-buffered many"] {
            let result = try shell("\(command) --model large")
            expectFailure(result, 65, "score", "large/model.safetensors: its weights don't have the checksum")
            #expect(result.output.isEmpty)
        }
        // The second line comes when the first has been answered.
        let answered = try shell(
            """
            mkfifo lines; score --line-buffered --model large <lines >answers & exec 3>lines; echo hi >&3
            while [ ! -s answers ]; do sleep 0.01; done; echo ho >&3; exec 3>&-; wait $!; s=$?; cat answers; exit $s
            """)
        expectFailure(answered, 65, "score", "large/model.safetensors: its weights don't have the checksum")
        #expect(answered.lines.count == 1)
    }

    @Test("a damaged base isn't trained")
    func damagedBase() throws {
        try damage("model")
        let result = try shell("\(TinyModel.finetune) --base model --out new <all.st")
        expectFailure(result, 65, "finetune", Self.noticed)
        #expect(result.output.isEmpty)
        #expect(try !folder.names().contains("new"))
    }

    @Test("a finished run whose model is damaged isn't taken for whole, and --force trains it again")
    func damagedResult() throws {
        let command = "\(TinyModel.finetune) --checkpoint-every 2 --out new"
        #expect(try shell("\(command) <all.st").status == 0)
        let weights = try folder.read("new/model.safetensors")
        #expect(try shell("\(command) --resume <all.st").status == 0)
        try damage("new")
        let resumed = try shell("\(command) --resume <all.st")
        expectFailure(resumed, 65, "finetune", "new/model.safetensors: its weights don't have the checksum")
        #expect(resumed.output.isEmpty)
        let forced = try shell("\(command) --resume --force <all.st")
        #expect(forced.status == 0, "\(forced.errors)")
        #expect(try folder.read("new/model.safetensors") == weights)
    }
}
