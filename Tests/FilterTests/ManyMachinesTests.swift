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
            jq -r 'select(.event == "frozen").features' metrics; ls none 2>/dev/null
            \(command) --out two --features f <all2.st | jq -r 'select(.event == "frozen").features'
            cmp one/model.safetensors two/model.safetensors && echo same
            """, in: folder.url)
        #expect(
            result.lines == ["1", "2", "2", "computed", "reused", "same"]
                || result.lines.suffix(2) == ["reused", "same"],
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
