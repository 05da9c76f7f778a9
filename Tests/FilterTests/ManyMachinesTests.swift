// Work that is cut into pieces for several machines, and put together again.

import Foundation
import TestSupport
import Testing

struct ManyMachinesTests {
    private let folder: Folder
    init() throws { folder = try TinyModel.shared().workspace() }

    @Test("pieces that are scored by themselves are the whole, put together, line numbers and errors included")
    func scoredPieces() throws {
        let result = try shell(
            """
            { cat all.ndjson all.ndjson; echo no record; cat all.ndjson; } >lines
            score -q --model model --input ndjson lines >whole; echo $?
            total=$(wc -l <lines)
            for first in $(seq 1 7 $total); do
              sed -n "$first,$((first + 6))p" lines | score -q --model model --input ndjson --first-line $first --threads 1
            done >pieces 2>errors
            cmp whole pieces && echo same; grep -c . errors; grep -c '"error"' pieces
            """, in: folder.url)
        #expect(result.lines == ["65", "same", "1", "1"], "\(result.text)\(result.errors)")
        expectFailure(
            try shell("score --model model --first-line 0 all.ndjson", in: folder.url), 64, "score", "--first-line")
    }

    @Test("a task of the array job writes its stretch of the lines")
    func arrayJob() throws {
        let result = try shell(
            """
            for i in $(seq 50); do echo "line $i of some"; done >texts; score -q --model model texts >whole
            for task in 3 0 2 1; do
              STRETCH=15 TEXTS=texts MODEL=model OUT=out SLURM_ARRAY_TASK_ID=$task "\(repository.path)/pipelines/slurm/score.sh"
            done; ls out | wc -l; cat out/part-* | cmp - whole && echo same
            STRETCH=15 TEXTS=none MODEL=model OUT=out2 SLURM_ARRAY_TASK_ID=0 "\(repository.path)/pipelines/slurm/score.sh" || ls out2 | wc -l
            """, in: folder.url)
        #expect(result.lines == ["4", "same", "0"], "\(result.text)\(result.errors)")
    }

    @Test("the documented array reaches a last line without a line feed, in a file of any name")
    func lastLine() throws {
        let pages = ["docs/many-machines.md", "pipelines/slurm/score.sh"].map { "'\(repository.path)/\($0)'" }
        let formulas = try pages.map {
            try #require(try shell("grep -ho 'lines=\\$([^)]*)' \($0)", in: folder.url).lines.first)
        }
        #expect(formulas[0] == formulas[1])
        let result = try shell(
            """
            for i in $(seq 30); do echo "line $i of some"; done >messages.txt; printf 'line 31' >>messages.txt
            score -q --model model messages.txt >whole; cp messages.txt ./-texts
            \(formulas[0]); echo $lines
            for task in $(seq 0 $(((lines - 1) / 15))); do
              STRETCH=15 TEXTS=-texts MODEL=model OUT=out SLURM_ARRAY_TASK_ID=$task "\(repository.path)/pipelines/slurm/score.sh"
            done; ls out | wc -l; cat out/part-* | cmp - whole && echo same
            """, in: folder.url)
        #expect(result.lines == ["31", "3", "same"], "\(result.text)\(result.errors)")
    }

    @Test("a task that is ended, or can't read its stretch, leaves no part")
    func failedTask() throws {
        let result = try shell(
            """
            set +e
            for i in $(seq 50); do echo '{"text":"some text"}'; done >texts
            task="\(repository.path)/pipelines/slurm/score.sh"; export TEXTS=texts MODEL=model SLURM_ARRAY_TASK_ID=0
            mkdir bin; printf '#!/bin/sh\\nhead -n 5 texts; printf "{bad"; exit 4\\n' >bin/sed; chmod +x bin/sed
            OUT=cut PATH="$PWD/bin:$PATH" "$task" --input ndjson 2>/dev/null; echo $?; ls -A cut
            printf '#!/bin/sh\\nhead -n 5; exec sleep 60\\n' >slow; chmod +x slow
            OUT=ended SCORE=./slow setsid "$task" &
            until ls -A ended 2>/dev/null | grep -q part; do sleep 0.1; done; kill -TERM -$!; wait $!; echo $?; ls ended
            """, in: folder.url)
        #expect(result.lines == ["4", "143"], "\(result.text)\(result.errors)")
    }

    @Test(
        "a partition that Spark can't read to its end fails", .enabled(if: exists("python3"), "needs python3"))
    func unreadablePartition() throws {
        try FileManager.default.createDirectory(
            at: folder.url.appending(path: "pyspark"), withIntermediateDirectories: true)
        try folder.write("pyspark/__init__.py", "SparkFiles = None")
        try folder.write("pyspark/sql.py", "SparkSession = None")
        try folder.write(
            "job.py",
            """
            import sys
            sys.path.insert(0, sys.argv[1])
            import score_job
            def lines():
                for i in range(20):
                    yield "text"
                raise OSError("no more")
            command = ["score", "--model", "model"]
            print(len(list(score_job.scored(["text"] * 20, command, 1))))
            try:
                list(score_job.scored(lines(), command, 1))
            except OSError as error:
                print(error)
            """)
        let result = try shell("python3 job.py \"\(repository.path)/pipelines/spark\"", in: folder.url)
        #expect(result.lines == ["20", "no more"], "\(result.text)\(result.errors)")
    }

    @Test("machines that share the frozen pass give the model that one gives, and the last one computes nothing")
    func sharedFeatures() throws {
        let command =
            "finetune -q --base random:config.json --tokenizer tok --validation validation.st --epochs 2 --lr 1e-2"
        let result = try shell(
            """
            tokenize-pad -q --tokenizer tok --length 30 all.ndjson >all2.st
            jq -c '.text += " again"' all.ndjson | tokenize-pad -q --tokenizer tok --length 30 >validation.st
            \(command) --out one <all2.st >/dev/null
            for part in 1/3 2/3 3/3; do
              \(command) --out none --features f --features-only --features-part $part <all2.st >metrics; ls f | wc -l
            done
            jq -r 'select(.event == "frozen") | .features, (.skipped_tokens > 0)' metrics; ls none 2>/dev/null
            \(command) --out two --features f <all2.st | jq -r 'select(.event == "frozen").features'
            cmp one/model.safetensors two/model.safetensors && echo same
            """, in: folder.url)
        #expect(
            result.lines == ["1", "2", "2", "computed", "true", "reused", "same"],
            "\(result.text)\(result.errors)")
        for (options, words) in [
            ("--features-only", "goes with --features"),
            ("--features f --features-part 1/2", "goes with --features-only"),
            ("--features f --features-only --features-part 3/2", "i/n"),
            ("--features f --features-only --features-part x", "i/n"),
        ] {
            expectFailure(try shell("\(command) --out none \(options) <all2.st", in: folder.url), 64, "finetune", words)
        }
    }
}
