// The pipelines as make sees them, without running their stages.

import Foundation
import TestSupport
import Testing

struct PipelineTests {
    /// The folder of the Makefile.
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The commands of a goal, all of them, as if nothing had been made yet.
    private func commands(_ goal: String) throws -> FilterResult {
        try shell("env -u MAKEFLAGS -u MAKELEVEL make --dry-run --always-make \(goal)", in: Self.root)
    }

    private static var names: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent("pipelines").path)
                .filter { $0.hasSuffix(".mk") }.map { String($0.dropLast(3)) }.sorted()
        }
    }

    @Test("every pipeline leads from records to an evaluation")
    func allPipelines() throws {
        #expect(try Self.names.contains("demo"))
        for name in try Self.names where name != "base" {
            let result = try commands("all PIPELINE=\(name) MODEL=gpt2")
            #expect(result.status == 0, "\(name): \(result.errors)")
            for filter in ["split", "tokenize-pad", "finetune", "score", "evaluate"] {
                #expect(result.text.contains(".build/release/\(filter) "), "\(name) lacks \(filter)")
            }
        }
    }

    @Test("the base's recipe makes shards of a corpus, without the texts that models are tested on")
    func baseShards() throws {
        let folder = try copy()
        let linked = try shell("ln -s '\(Self.root.path)/.build' .build && mkdir corpus", in: folder.url)
        #expect(linked.status == 0, "\(linked.errors)")
        let unseen = try #require(
            String(contentsOf: Self.root.appendingPathComponent("pipelines/routing/messages.tsv"), encoding: .utf8)
                .split(separator: "\n").lazy.map { $0.split(separator: "\t")[1] }.first {
                    $0.count > 40 && !$0.contains("\"")
                })
        let texts = (0..<300).map { "{\"text\":\"The \($0)th of them went home at \($0 * 7) o'clock\"}" }
        try folder.write(
            "corpus/invented.ndjson", (texts + ["{\"text\":\"\(unseen)\"}"]).joined(separator: "\n") + "\n")
        let made = try shell("\(Self.make) base-shards CORPUS=corpus VOCABULARY=300", in: folder.url)
        #expect(made.status == 0, "\(made.errors)")
        let counted = try shell("cat build/base/train.ndjson build/base/validation.ndjson | wc -l", in: folder.url)
        #expect(counted.text.trimmingCharacters(in: .whitespacesAndNewlines) == "300")
        let dropped = try shell("grep -c 'unseen' build/base/clean.tsv; ls build/base/v300/*.shard", in: folder.url)
        #expect(dropped.text.hasPrefix("1\n"), "\(dropped.text)")
        #expect(dropped.text.split(separator: "\n").dropFirst().count == 4)

        let missing = try shell("\(Self.make) base-shards CORPUS=nowhere VOCABULARY=300", in: folder.url)
        #expect(missing.status != 0 && missing.errors.contains("nowhere has no .ndjson"), "\(missing.errors)")
    }

    @Test("the summary of the tests fails where a run failed, and where there was none")
    func summary() throws {
        for (printed, status, words) in [
            ("✔ Test run with 3 tests in 1 suite passed after 0.1 seconds.", 0, "3 tests ran"),
            ("✘ Test run with 3 tests in 1 suite failed after 0.1 seconds with 1 issue.", 1, "3 tests ran"),
            ("error: fatalError", 1, "no whole run"),
        ] {
            let result = try shell("echo '\(printed)' | awk -f Tests/summary.awk", in: Self.root)
            #expect(result.status == Int32(status) && result.text.contains(words), "\(result.text)\(result.errors)")
        }
    }

    @Test("other options of finetune repeat no split, those of split reach it in every pipeline")
    func splitSettings() throws {
        for name in ["demo", "routing", "sms-spam", "book"] {
            let lines = try commands("all PIPELINE=\(name) SPLIT='--fractions 0.5,0.2,0.3'").lines
                .filter { $0.contains("/split ") }
            #expect(lines.count == 3 && lines.allSatisfy { $0.contains("/split --fractions 0.5,0.2,0.3 --part ") })
        }
        let folder = try copy()
        func made(_ options: String) throws -> String {
            // A split that writes nothing.
            let result = try shell(
                """
                mkdir -p .build/release; printf '#!/bin/sh\\n' >.build/release/split; chmod +x .build/release/split
                \(Self.make) build/routing/test.ndjson build/routing/settings PIPELINE=routing \(options)
                """, in: folder.url)
            #expect(result.status == 0, "\(result.errors)")
            return result.text
        }
        #expect(try made("").contains("/split "))
        #expect(try !made("FINETUNE='--epochs 1'").contains("/split "))
        let settings = try String(decoding: folder.read("build/routing/settings"), as: UTF8.self)
        #expect(settings.hasSuffix(" finetune --epochs 1\n"), "\(settings)")
        #expect(try made("FINETUNE='--epochs 1' SPLIT=--stratify").contains("/split "))
    }

    @Test("scores and explanations that make writes are as the model gives them, whatever calibrate has fitted")
    func rawScores() throws {
        let lines = try commands("all").lines
        #expect(lines.filter { $0.contains("/score --raw --model build/demo/model ") }.count == 2)
        #expect(lines.contains { $0.contains("/explain --quiet --raw --model build/demo/model ") })
    }

    @Test("a seed reaches the mix and both stages of the base, and without one neither changes")
    func baseSeed() throws {
        let folder = try copy()
        _ = try shell("mkdir corpus; touch corpus/a.ndjson", in: folder.url)
        func lines(_ options: String) throws -> [String] {
            let result = try shell("\(Self.make) -n -B base LOCKED=1 CORPUS=corpus \(options)", in: folder.url)
            #expect(result.status == 0, "\(result.errors)")
            return result.text.replacing("\\\n", with: "").split(separator: "\n").map(String.init)
        }
        let seeded = try lines("SEED=7")
        #expect(seeded.filter { $0.contains("/pretrain ") && $0.contains(" --seed 7 ") }.count == 2)
        #expect(seeded.filter { $0.contains("/mix.awk ") && $0.contains(" -v seed=7 ") }.count == 2)
        let plain = try lines("")
        #expect(!plain.contains { $0.contains("--seed") || $0.contains("build/base/seed") })
        #expect(plain.filter { $0.contains("/mix.awk ") && $0.contains(" -v seed=1 ") }.count == 2)
    }

    @Test("verify checks the pipeline's model and makes none")
    func verifyGoal() throws {
        for name in ["demo", "sms-spam"] {
            let result = try commands("verify PIPELINE=\(name)")
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.text.contains("score --verify --model build/\(name)/model < /dev/null"))
            #expect(!result.text.contains("/finetune "))
        }
    }

    @Test("sms-spam balances the training part alone")
    func balancedTraining() throws {
        let lines = try commands("all PIPELINE=sms-spam").lines
        #expect(lines.filter { $0.contains("/balance ") }.count == 1)
        let balance = try #require(lines.first { $0.contains("/balance ") })
        #expect(
            balance.contains("balance build/sms-spam/unbalanced.ndjson > build/sms-spam/train.ndjson.partial && mv "))
        let splits = lines.filter { $0.contains("/split ") }
        #expect(splits.count == 3)
        #expect(splits.allSatisfy { $0.contains("--group-by text --stratify") && $0.contains("records.ndjson >") })
    }

    @Test("sms-spam from the small base learns from all messages of the training part, and weighs spam")
    func weightedTraining() throws {
        let lines = try commands("all PIPELINE=sms-spam BASE=pipelines/base").lines
        #expect(!lines.contains { $0.contains("/balance ") })
        #expect(
            lines.contains {
                $0.hasPrefix("cat build/sms-spam/unbalanced.ndjson > build/sms-spam/train.ndjson.partial")
            })
        let training = try #require(lines.first { $0.contains("/finetune ") })
        #expect(training.contains("--epochs 3 ") && training.contains("--class-weights spam=3"))
    }

    @Test("routing makes a record of every line and has five classes")
    func routingRecords() throws {
        let folder = try Folder()
        let records = folder.url.appendingPathComponent("records.ndjson").path
        let recipe = try commands("build/routing/records.ndjson PIPELINE=routing").lines.filter { $0.hasPrefix("jq ") }
        let command = try #require(recipe.first).replacing("build/routing/records.ndjson", with: records)
        #expect(try shell(command, in: Self.root).status == 0)
        let counts = try shell("jq -r .label \(records) | sort | uniq -c | tr -s ' '", in: Self.root).text
        #expect(counts == " 220 account\n 329 billing\n 216 cancellation\n 394 delivery\n 328 technical\n")
        let table = #"jq -r '[.label, .text] | join("\t")'"#
        let texts = try shell("\(table) \(records) | cmp - pipelines/routing/messages.tsv", in: Self.root)
        #expect(texts.status == 0, "\(texts.text)\(texts.errors)")
        #expect(try shell("jq -r .id \(records) | sort -u | wc -l", in: Self.root).text.contains("1487"))
    }

    @Test("overlap counts the texts that are also in the training part")
    func overlapGoal() throws {
        let folder = try Folder()
        try folder.write("train", #"{"text":"See you  at 8"}"# + "\n" + #"{"text":"b"}"#)
        try folder.write(
            "test", [" see YOU at 8", "see you at 9", "B", "c"].map { "{\"text\":\"\($0)\"}\n" }.joined())
        let program = Self.root.appendingPathComponent("pipelines/common/overlap.jq").path
        let result = try shell("jq -nr --arg part test --slurpfile train train -f '\(program)' test", in: folder.url)
        #expect(result.text == "test: 2 of 4 texts are also in the training part (50 %)\n", "\(result.errors)")
    }

    /// The Makefile and the pipelines, in a folder of their own, with a pipeline `slow` that notices when it isn't alone.
    private func copy() throws -> Folder {
        let folder = try Folder()
        let copied = try shell("cp -r Makefile pipelines '\(folder.url.path)'", in: Self.root)
        #expect(copied.status == 0, "\(copied.errors)")
        try folder.write(
            "pipelines/slow.mk",
            """
            OUT := build/slow
            $(OUT)/evaluation.txt: | build
            \t@mkdir -p $(OUT); mkdir $(OUT)/busy; until [ -e done ]; do sleep 0.1; done; rmdir $(OUT)/busy; echo made >> $(OUT)/log; touch $@
            $(OUT)/%.svg $(OUT)/report%html: $(OUT)/evaluation.txt
            \t@touch $@

            """)
        return folder
    }

    private static let make = "env -u MAKEFLAGS -u MAKELEVEL make SWIFT=true"

    @Test("of several makes at once, one works and the others wait")
    func concurrentMakes() throws {
        let folder = try copy()
        let result = try shell(
            """
            for i in 1 2 3; do { \(Self.make) all PIPELINE=slow >/dev/null 2>errors$i || echo failed >&2; } & done
            # The first one works until both others wait.
            for i in $(seq 600); do [ $(cat errors? | grep -c waits) = 2 ] && break; sleep 0.1; done
            touch done; wait; cat errors? >&2; cat build/slow/log
            """, in: folder.url)
        #expect(result.text == "made\n", "the others work as well: \(result.errors)")
        #expect(result.errorLines.count == 2 && !result.errors.contains("failed"), "\(result.errors)")
        #expect(result.errorLines.allSatisfy { $0.contains("another make is at work on build/slow") })
    }

    @Test("an unknown setting is refused and named")
    func unknownSetting() throws {
        let result = try shell("\(Self.make) help MODLE=gpt2", in: Self.root)
        #expect(result.status == 2 && result.errors.contains("There is no MODLE"), "\(result.errors)")
        #expect(result.errors.contains(" MODEL "))
        #expect(try shell("\(Self.make) help MODEL=gpt2-medium PYTHON=python", in: Self.root).status == 0)
    }

    @Test("a source that can't be fetched is reported before any work, with the alternatives")
    func unfetchableSource() throws {
        let folder = try copy()
        _ = try shell("printf '#!/bin/sh\\nexit 1\\n' >pipelines/common/reachable.sh", in: folder.url)
        for (goal, words) in [
            ("all PIPELINE=sms-spam BASE=model", "sms+spam+collection.zip can't be had"),
            ("all PIPELINE=routing BASE=build/models/gpt2", "vocab.json model.safetensors of gpt2 can't be had"),
            ("all PIPELINE=routing BASE=random:gpt2", "vocab.json of gpt2 can't be had"),
        ] {
            let result = try shell("\(Self.make) \(goal)", in: folder.url)
            #expect(result.status == 2 && result.output.isEmpty, "\(goal): \(result.text)")
            #expect(result.errors.contains(words), "\(goal): \(result.errors)")
            #expect(try shell("find build -type f ! -name .lock", in: folder.url).output.isEmpty)
        }
        // A mirror has them.
        try folder.write("sms+spam+collection.zip", "")
        let mirrored = try shell(
            "mkdir gpt2; touch gpt2/vocab.json; \(Self.make) LOCKED=1 check-uci check-gpt2 PIPELINE=sms-spam "
                + "BASE=random:gpt2 MIRROR=.", in: folder.url)
        #expect(mirrored.status == 0, "\(mirrored.errors)")
    }

    @Test("a server that doesn't answer is detected within seconds, and a proxy is trusted")
    func silentServer() throws {
        let script = Self.root.appendingPathComponent("pipelines/common/reachable.sh").path
        let none = "env -u https_proxy -u HTTPS_PROXY -u all_proxy -u ALL_PROXY"
        #expect(try shell("\(none) '\(script)' no.such.host.invalid", in: Self.root).status == 1)
        #expect(try shell("https_proxy=x '\(script)' no.such.host.invalid", in: Self.root).status == 0)
    }

    @Test("a run's metrics get their name when the run has ended")
    func metricsName() throws {
        let lines = try commands("all").lines
        let place = try #require(lines.firstIndex { $0.contains("build/demo/metrics.partial") && $0.contains(">") })
        #expect(lines[place + 1] == "mv build/demo/metrics.partial build/demo/metrics.ndjson")
        #expect(!lines.contains { $0.contains("> build/demo/metrics.ndjson") })
    }
}
