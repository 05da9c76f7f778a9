// finetune --checkpoint-every and --resume as processes: which runs resume, which are refused, and how they end.

import Foundation
import TestSupport
import Testing

struct CheckpointFilterTests {
    private let run: CheckpointedRun
    private let folder: Folder
    private let command: String

    init() throws {
        run = try CheckpointedRun()
        (folder, command) = (run.folder, run.command)
    }

    @Test(
        "a damaged newest checkpoint is one line, and no whole checkpoint is an error [E63]",
        .enabled(if: exists("strace"), "needs strace"))
    func damagedCheckpoint() throws {
        let hash = try run.undisturbed("--epochs 4")
        let loud = command.replacingOccurrences(of: "finetune -q", with: "finetune")
        let stop =
            "strace -f -o /dev/null -e inject=rename:signal=KILL:when=5 \(command) --epochs 4 --checkpoint-every 3 <all.st >o"
        _ = try shell("\(stop); cp -r new.checkpoints saved", in: folder.url)
        #expect(try folder.names("saved").count { $0.hasPrefix("step") } == 2)
        for damage in ["head -c 5000 $f >x; mv x $f", "printf x | dd of=$f bs=1 seek=9000 conv=notrunc 2>/dev/null"] {
            let result = try shell(
                """
                rm -rf new.checkpoints; cp -r saved new.checkpoints; f=$(ls new.checkpoints/step* | tail -1); \(damage)
                \(loud) --epochs 4 --resume <all.st
                """, in: folder.url)
            #expect(
                result.errorLines.count == 1 && result.errors.contains("the one before it is used"), "\(result.errors)")
            try run.expectCleanEnd(hash, result)
        }
        let result = try shell(
            """
            cp -r saved new.checkpoints; for f in new.checkpoints/step*; do : >$f; done
            \(command) --epochs 4 --resume <all.st
            """, in: folder.url)
        expectFailure(result, 65, "finetune", "too few for safetensors")
        #expect(result.output.isEmpty)
    }

    @Test(
        "resuming with other data or settings gives 78 and the differences [E64]",
        .enabled(if: exists("strace"), "needs strace"))
    func changedSettings() throws {
        _ = try shell(
            """
            strace -f -o /dev/null -e inject=rename:signal=KILL:when=2 \(command) --checkpoint-every 2 <all.st >o
            head -50 all.ndjson | tokenize-pad --tokenizer tok --length all.st >fewer.st; cp -r new.checkpoints saved
            """, in: folder.url)
        for (options, words) in [
            ("--lr 1e-4 <all.st", "learning_rate 0.0001 (was 0.001): "), ("<fewer.st", "data: training data: "),
            ("--seed 5 --weight-decay 0 <all.st", "weight_decay 0.0 (was 0.1), seed 5 (was 123), base: "),
        ] {
            let result = try shell("\(command) --resume \(options)", in: folder.url)
            expectFailure(result, 78, "finetune", words)
            #expect(result.output.isEmpty)
        }
        #expect(try shell("diff -r -x .\\* saved new.checkpoints", in: folder.url).status == 0)
    }

    @Test("resuming a finished run changes nothing and gives 0 [E65]")
    func finishedRun() throws {
        _ = try shell("\(command) --epochs 2 --checkpoint-every 3 <all.st >o", in: folder.url)
        let before = try folder.snapshot()
        let loud = command.replacingOccurrences(of: "finetune -q", with: "finetune")
        let result = try shell("\(loud) --epochs 2 --resume <all.st", in: folder.url)
        #expect(result.status == 0 && result.output.isEmpty)
        #expect(result.errors == "finetune: new is what this run ended in: nothing to do\n")
        #expect(try folder.snapshot() == before)
        let other = try shell("\(loud) --epochs 1 --resume --force <all.st", in: folder.url)
        #expect(
            other.status == 0
                && other.errors.contains("no checkpoint to resume from: training starts from the beginning"))
    }

    @Test("a second run is refused while the first one saves itself [E66]")
    func secondRun() throws {
        let result = try shell(
            """
            \(command) --epochs 9999999 --checkpoint-every 20 <all.st >o & run=$!
            while [ ! -e new.checkpoints/step-000020.safetensors ]; do sleep 0.01; done
            \(command) --resume <all.st; code=$?
            kill $run; wait $run 2>/dev/null; exit $code
            """, in: folder.url)
        expectFailure(result, 75, "finetune", "locked by process")
    }

    @Test(
        "a checkpoint that can't be written ends the run with 74, and the one before resumes [E67] [E68]",
        .enabled(if: exists("strace"), "needs strace"))
    func unwritableCheckpoint() throws {
        let hash = try run.undisturbed("--epochs 3")
        for fault in ["fsync:error=EIO:when=3", "write,pwrite64:error=ENOSPC:when=60", "rename:error=EIO:when=2"] {
            let failed = try shell(
                """
                strace -f -o /dev/null -e inject=\(fault) \(command) --epochs 3 --checkpoint-every 4 <all.st >o
                """, in: folder.url)
            #expect(failed.status == 74 && failed.errorLines.count == 1, "\(fault): \(failed.status) \(failed.errors)")
            #expect(try !folder.names().contains { $0.hasPrefix(".") || $0 == "new" })
            let resumed = try shell("\(command) --epochs 3 --checkpoint-every 4 --resume <all.st", in: folder.url)
            try run.expectCleanEnd(hash, resumed)
            _ = try shell("rm -r new", in: folder.url)
        }
    }

    @Test("a checkpoint directory that can't be written gives 73 before input is read [A19]")
    func unwritableDirectory() throws {
        let result = try shell("touch new.checkpoints; \(command) --checkpoint-every 2 <all.st", in: folder.url)
        expectFailure(result, 73, "finetune", "isn't a directory")
        expectFailure(
            try shell("\(command) --checkpoint-every 0 <all.st", in: folder.url), 64, "finetune",
            "positive whole number")
    }

    @Test("a run with checkpoints that would write the model over its base gives 64")
    func outputIsBase() throws {
        let before = try folder.snapshot()
        let result = try shell(
            "ln -s model link; finetune --base model --validation all.st --out link --resume <all.st", in: folder.url)
        expectFailure(result, 64, "finetune", "is also the base")
        #expect(try shell("rm link", in: folder.url).status == 0 && folder.snapshot() == before)
    }
}
