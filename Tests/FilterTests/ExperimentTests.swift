// The chapter's experiments: one run with a small model, what is run again, and the table.

import Foundation
import TestSupport
import Testing

struct ExperimentTests {
    private static let folder = PipelineTests.root.appendingPathComponent("pipelines/experiments").path

    private static let config = PipelineTests.root.appendingPathComponent("pipelines/demo/config.json").path

    /// A tokenizer, and three parts of 24 texts.
    private func prepare(_ folder: Folder) throws {
        let texts = (0..<24).map { #"{"label":"\#($0 % 2 == 0 ? "a" : "b")","text":"word \#($0)"}"# + "\n" }
        try folder.write("records", texts.joined())
        let command = """
            train-tokenizer -q --vocab-size 512 --out tokenizer records
            for part in train validation test; do tokenize-pad -q --tokenizer tokenizer records > $part.safetensors; done
            """
        let result = try shell(command, in: folder.url)
        #expect(result.status == 0, "\(result.errors)")
    }

    private func object(_ data: Data) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test("a run is made once, copied to rows with the same options, and kept when they change")
    func madeOnce()
        throws
    {
        let folder = try Folder()
        try prepare(folder)

        func run(_ row: Int, _ options: String) throws -> FilterResult {
            try shell(
                """
                BIN='\(binaries.path)' '\(Self.folder)/run.sh' runs/row-\(row) 7 . tokenizer \
                  'random:\(Self.config)' --quiet --trainable last-1 \(options)
                """, in: folder.url)
        }
        let first = try run(1, "--epochs 2")
        #expect(first.status == 0, "\(first.errors)")
        let result = try object(folder.read("runs/row-1/current/seed-7.json"))
        #expect(result["row"] as? Int == 1 && result["seed"] as? Int == 7 && result["test_rows"] as? Int == 24)
        #expect(result["test_accuracy"] is Double && (result["base"] as? String)?.hasPrefix("random:") == true)
        #expect(try folder.names("runs/row-1/current") == ["metrics-7.ndjson", "seed-7.json", "settings"])

        let before = try folder.read("runs/row-1/current/seed-7.json")
        #expect(try run(1, "--epochs 2").text.isEmpty, "the run is made again")
        #expect(try folder.read("runs/row-1/current/seed-7.json") == before)

        #expect(try run(2, "--epochs 2").text.isEmpty, "a run of the same kind is made again")
        let copy = try object(folder.read("runs/row-2/current/seed-7.json"))
        #expect(copy["row"] as? Int == 2 && copy["same_as"] as? Int == 1)
        #expect(copy["test_accuracy"] as? Double == result["test_accuracy"] as? Double)

        // What doesn't change the result doesn't make another run.
        #expect(try run(1, "--epochs 2 --threads 1 --features=x").text.isEmpty)
        #expect(try run(1, "--epochs 1").text.contains("row 1, seed 7"))
        #expect(try folder.read("runs/row-1/current/seed-7.json") != before)
        #expect(try run(1, "--epochs 2").text.isEmpty, "the first run is lost")
        #expect(try folder.read("runs/row-1/current/seed-7.json") == before)
    }

    @Test("a stopped run resumes from its checkpoint")
    func resumedExperiment() throws {
        let folder = try Folder()
        try prepare(folder)
        let run = """
            '\(Self.folder)/run.sh' runs/row-1 7 . tokenizer random:\(Self.config) --quiet --trainable last-1 \
              --epochs 400
            """
        #expect(try shell("BIN='\(binaries.path)' \(run)", in: folder.url).status == 0)
        let whole = try object(folder.read("runs/row-1/current/seed-7.json"))
        // A finetune that says which process it is.
        _ = try shell("mkdir bin", in: folder.url)
        try folder.write("bin/finetune", "#!/bin/sh\necho $$ >pid\nexec '\(binaries.path)/finetune' \"$@\"\n")
        let stopped = try shell(
            """
            rm -r runs; chmod +x bin/finetune
            (while ! ls runs/row-1/current/model-7.checkpoints/step-* >/dev/null 2>&1; do sleep 0.01; done
            kill $(cat pid)) &
            BIN=bin \(run)
            """, in: folder.url)
        #expect(stopped.status == 143, "\(stopped.errors)")
        #expect(
            try folder.names("runs/row-1/current") == ["metrics-7.ndjson.partial", "model-7.checkpoints", "settings"])
        let resumed = try shell("BIN='\(binaries.path)' \(run)", in: folder.url)
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(try folder.names("runs/row-1/current") == ["metrics-7.ndjson", "seed-7.json", "settings"])
        let result = try object(folder.read("runs/row-1/current/seed-7.json"))
        for key in ["test_rows", "train_accuracy", "validation_accuracy", "test_accuracy", "parameters"] {
            #expect(result[key] as? Double == whole[key] as? Double && result[key] != nil)
        }
        let metrics = String(decoding: try folder.read("runs/row-1/current/metrics-7.ndjson"), as: UTF8.self)
        #expect(metrics.contains(#"{"event":"resume","step":"#))
        #expect(metrics.components(separatedBy: #""event":"end""#).count == 2)
    }

    /// What run.sh leaves of row 3 where finetune is a shell script.
    private func run(_ finetune: String, in folder: Folder) throws -> FilterResult {
        for part in ["train", "validation", "test"] { try folder.write("\(part).safetensors", "") }
        _ = try shell("mkdir -p bin", in: folder.url)
        try folder.write("bin/finetune", "#!/bin/sh\n\(finetune)\n")
        return try shell(
            "chmod +x bin/finetune; BIN=bin '\(Self.folder)/run.sh' row-3 1 . tokenizer random:gpt2",
            in: folder.url)
    }

    @Test("a run that fails leaves its reason, and the others continue")
    func failedExperiment() throws {
        for (finetune, status, message) in [
            (#"exec "\#(binaries.path)/finetune" "$@" --pool nowhere"#, 64, "finetune: arguments: "),
            ("echo 'finetune: training 1%' >&2; kill -KILL $$", 137, "finetune: ended by signal KILL, perhaps"),
            ("kill -SEGV $$", 139, "finetune: ended by signal SEGV"),
        ] {
            let folder = try Folder()
            let result = try run(finetune, in: folder)
            #expect(result.status == 0, "\(result.errors)")
            #expect(try folder.names("row-3/current") == ["seed-1.failed", "settings"])
            let failed = try #require(object(folder.read("row-3/current/seed-1.failed"))["failed"] as? [String: Any])
            #expect(failed["status"] as? Int == status)
            #expect((failed["message"] as? String)?.hasPrefix(message) == true, "\(failed)")
        }
    }

    @Test("a run that another one locks out touches none of its files")
    func lockedOut() throws {
        let folder = try Folder()
        _ = try run("echo '{\"event\":\"start\"}'; kill -KILL $$", in: folder)
        // As long as there are no checkpoints of the first run.
        try folder.write("row-3/current/metrics-1.ndjson.partial", "first\n")
        let refused = try run("exit 75", in: folder)
        #expect(refused.status == 75)
        #expect(try folder.names("row-3/current") == ["metrics-1.ndjson.partial", "settings"])
        #expect(try folder.read("row-3/current/metrics-1.ndjson.partial") == Data("first\n".utf8))
    }

    @Test("metrics without an end event are no result")
    func metricsWithoutEnd() throws {
        let folder = try Folder()
        let result = try run("echo '{\"event\":\"start\"}'", in: folder)
        #expect(result.status != 0 && result.errors.contains("the metrics have no end"))
        #expect(try folder.names("row-3/current") == ["metrics-1.ndjson.partial", "settings"])
    }

    /// Runs of rows 1 (three seeds, random weights), 10 (one seed, with LENGTH), 13 and 8 (failed).
    private static let runs = """
        {"row":1,"seed":124,"base":"random:gpt2","padded_to":"longest","length":188,"test_rows":300,"train_accuracy":0.9,\
        "validation_accuracy":0.8,"test_accuracy":0.75,"seconds":60}
        {"row":1,"seed":123,"base":"random:gpt2","padded_to":"longest","length":188,"test_rows":300,"train_accuracy":0.9,\
        "validation_accuracy":0.9,"test_accuracy":0.7,"seconds":30}
        {"row":1,"seed":125,"base":"random:gpt2","padded_to":"longest","length":188,"test_rows":300,"train_accuracy":0.9,\
        "validation_accuracy":0.7,"test_accuracy":0.8,"seconds":90}
        {"row":10,"seed":123,"base":"random:gpt2","padded_to":"120","length":120,"test_rows":300,"train_accuracy":1,\
        "validation_accuracy":0.9664,"test_accuracy":0.9,"seconds":60}
        {"row":13,"seed":123,"base":"random:gpt2","padded_to":"1024","length":1024,"test_rows":300,"train_accuracy":1,\
        "validation_accuracy":0.9,"test_accuracy":0.9,"seconds":60}
        {"row":8,"seed":123,"base":"random:gpt2-xl","failed":{"status":71,"message":"finetune: memory: too little"}}

        """

    @Test("the table has published beside measured, mean and standard deviation, and names what was random")
    func resultTable() throws {
        let folder = try Folder()
        try folder.write("runs", Self.runs)
        let made = try shell(
            """
            jq -cn --arg data book --slurpfile published '\(Self.folder)/published.ndjson' \
              -f '\(Self.folder)/results.jq' < runs > results.ndjson
            jq -rs -f '\(Self.folder)/table.jq' results.ndjson > results.md
            """, in: folder.url)
        #expect(made.status == 0 && made.errors.isEmpty, "\(made.errors)")

        let rows = try folder.read("results.ndjson").split(separator: 0x0A).map { try object(Data($0)) }
        #expect(rows.compactMap { $0["row"] as? Int } == Array(1...19))
        let measured = try #require(rows[0]["measured"] as? [String: Any])
        #expect(measured["weights"] as? String == "random" && measured["seeds"] as? [Int] == [123, 124, 125])
        let test = try #require(measured["test"] as? [String: Any])
        // The sample's standard deviation: √((0.05² + 0.05²) / 2).
        #expect(abs((test["mean"] as? Double ?? 0) - 0.75) < 1e-12 && abs((test["sd"] as? Double ?? 0) - 0.05) < 1e-12)
        #expect(rows[1]["measured"] is NSNull)

        let lines = String(decoding: try folder.read("results.md"), as: UTF8.self).split(separator: "\n")
        func line(_ row: Int) -> Substring { lines.first { $0.hasPrefix("| \(row) |") } ?? "" }
        #expect(line(1).contains("| pretrained | 96.63 / 99.33 / 95.00 | 0.28 | longest | **random** `random:gpt2` |"))
        #expect(line(1).hasSuffix("| 90.00 ± 0.00 / 80.00 ± 10.00 / 75.00 ± 5.00 | 3 | 1.00 |"))
        #expect(line(2).contains("not run yet"))
        #expect(line(8).contains("didn't run") && lines.contains { $0.contains("Row 8 didn't run: finetune: memory") })
        #expect(line(10).hasSuffix("| 120 | **random** `random:gpt2` | 100.00 / 96.64 / 90.00 | 1 | 1.00 |"))
        #expect(lines.contains { $0.contains("random weights say nothing about") })
        #expect(lines.contains { $0.contains("the longest training text has 188 tokens (published: 120)") })
        #expect(lines.filter { $0.contains("LENGTH=") }.count == 1 && !lines.contains { $0.contains("ran with `") })
        #expect(lines.contains { $0.hasPrefix("- Row 10 ran with texts padded to 120 tokens, and longer ones cut") })
    }

    @Test("every combination of options and length has its own table with all its seeds")
    func tablePerChoice() throws {
        let folder = try Folder()
        try prepare(folder)
        func run(_ seed: Int, _ options: String) throws {
            let result = try shell(
                """
                VARIANT=$(bash '\(Self.folder)/options.sh' longest \(options)) OPTIONS='\(options)' \
                  BIN='\(binaries.path)' '\(Self.folder)/run.sh' row-1 \(seed) . tokenizer 'random:\(Self.config)' \
                  -q --trainable head --epochs 2
                """, in: folder.url)
            #expect(result.status == 0, "\(result.errors)")
        }
        try run(7, "")
        try run(8, "")
        try run(7, "--epochs 1 --threads 2")
        #expect(try folder.names("row-1/current").filter { $0.hasPrefix("seed-") } == ["seed-7.json", "seed-8.json"])
        #expect(try folder.names("row-1/current-epochs-1").filter { $0.hasPrefix("seed-") } == ["seed-7.json"])
        let table = try shell(
            """
            cat row-1/current-epochs-1/seed-* | jq -cn --arg data book \
              --slurpfile published '\(Self.folder)/published.ndjson' -f '\(Self.folder)/results.jq' \
              | jq -rs -f '\(Self.folder)/table.jq'
            """, in: folder.url)
        #expect(
            table.lines.contains(
                "**All measured rows ran with `--epochs 1 --threads 2`**, which the published ones didn't."))
    }

    @Test(
        "a combination of options and length is named after the options that change results",
        arguments: [
            ("longest", ""), ("longest --threads 2 --features x", ""), ("120 --epochs 3 -q", "-length-120-epochs-3"),
            ("longest --lr 1e-4", "-lr-1e-4"),
        ])
    func choiceName(_ words: String, _ name: String) throws {
        #expect(try shell("bash '\(Self.folder)/options.sh' \(words)", in: PipelineTests.root).text == name)
    }

    @Test("the runs lie in a folder that no setting of make moves, and tokens get their name when they are whole")
    func runFolder() throws {
        let result = try shell(
            "env -u MAKEFLAGS -u MAKELEVEL make -n -B experiment-16 DATA=demo RUNS=elsewhere LOCKED=1",
            in: PipelineTests.root)
        #expect(result.status == 0 && !result.text.contains("elsewhere"), "\(result.text)\(result.errors)")
        #expect(result.text.contains("run.sh build/experiments/demo/runs/pipelines-base/row-16 123"))
        #expect(result.lines.filter { $0.contains("tokens-") && $0.contains(".partial && mv ") }.count == 3)
    }

    @Test("every published accuracy is a whole number of records of its part in the chapter's split")
    func publishedAccuracies() throws {
        let file = try Data(contentsOf: URL(fileURLWithPath: Self.folder + "/published.ndjson"))
        for line in file.split(separator: 0x0A) {
            let row = try object(Data(line))
            let published = try #require(row["published"] as? [String: Double])
            // Training leaves out a last batch that isn't full: 1,040 of 1,045 in batches of 8.
            for (part, sizes) in ["train": [1040, 1045], "validation": [149], "test": [300]] {
                let share = try #require(published[part])
                let isShare = sizes.contains { size in
                    abs((share * Double(size)).rounded() / Double(size) - share) <= 0.5001e-4
                }
                #expect(isShare, "row \(row["row"] ?? "?"), \(part): \(share)")
            }
        }
    }
}
