// finetune --checkpoint-every and --resume as processes: stopped, killed or out of luck at any moment, a run goes on to the
// model that it would have ended in.

import Foundation
import Testing

@Suite struct CheckpointFilterTests {
    private let folder: Folder
    private let command = """
        finetune -q --base random:config.json --tokenizer tok --trainable all --validation all.st --lr 1e-3 --dropout 0.1 \
          --keep best --eval-every 3 --out new
        """
    init() throws { folder = try TinyModel.shared().workspace() }

    /// The hash of the model of a run that nobody disturbs.
    private func undisturbed(_ options: String) throws -> String {
        let result = try shell(
            "\(command) \(options) <all.st >o && sha256sum <new/model.safetensors; rm -r new", in: folder.url)
        #expect(result.errors.isEmpty)
        return try #require(result.lines.first)
    }

    private func expectCleanEnd(
        _ hash: String, _ result: FilterResult, sourceLocation: SourceLocation = #_sourceLocation
    )
        throws
    {
        #expect(result.status == 0, "\(result.errors)", sourceLocation: sourceLocation)
        let found = try shell("sha256sum <new/model.safetensors", in: folder.url).lines.first
        #expect(found == hash, "\(result.errors)", sourceLocation: sourceLocation)
        let names = try folder.names()
        #expect(
            !names.contains { $0.hasPrefix(".") || $0.hasSuffix(".checkpoints") }, "\(names)",
            sourceLocation: sourceLocation)
    }

    @Test func `A9 TERM and INT finish the step, save, and give 143 and 130; the run goes on`() throws {
        let hash = try undisturbed("--epochs 150")
        for (signal, status) in [("TERM", 143), ("INT", 130)] {
            let stopped = try shell(
                """
                (while [ ! -e new.checkpoints/step-000040.safetensors ]; do sleep 0.01; done
                kill -\(signal) $(cat pid)) &
                sh -c 'echo $$ >pid; exec \(command) --epochs 150 --checkpoint-every 20 <all.st >o'
                """, in: folder.url)
            #expect(stopped.status == Int32(status), "\(stopped.errors)")
            #expect(try folder.names("new.checkpoints").count == 2)
            #expect(try !folder.names().contains { $0.hasPrefix(".") || $0 == "new" })
            let last = try shell("tail -1 o; ls new.checkpoints | tail -1", in: folder.url).lines
            let step = try #require(last.last?.dropFirst(5).prefix(6)).drop { $0 == "0" }
            #expect(last.first == "{\"event\":\"checkpoint\",\"step\":\(step)}")
            let resumed = try shell("\(command) --epochs 150 --resume <all.st", in: folder.url)
            #expect(resumed.lines.first?.hasPrefix("{\"event\":\"resume\",\"step\":\(step),\"base\"") == true)
            try expectCleanEnd(hash, resumed)
            _ = try shell("rm -r new", in: folder.url)
        }
    }

    @Test func `A9 a signal that comes twice at once saves; one in the last evaluation ends it, and all is saved`()
        throws
    {
        let hash = try undisturbed("--epochs 150")
        let twice = try shell(
            """
            (while [ ! -e new.checkpoints/step-000040.safetensors ]; do sleep 0.01; done
            kill $(cat pid); sleep 0.001; kill $(cat pid)) &
            sh -c 'echo $$ >pid; exec \(command) --epochs 150 --checkpoint-every 20 <all.st >o'
            """, in: folder.url)
        #expect(twice.status == 143 && twice.lines.isEmpty)
        #expect(try shell("tail -1 o", in: folder.url).text.hasPrefix(#"{"event":"checkpoint""#))
        let resumed = try shell("\(command) --epochs 150 --resume <all.st", in: folder.url)
        try expectCleanEnd(hash, resumed)
        _ = try shell("rm -r new", in: folder.url)

        // The reader sends it when it hears of the last step's checkpoint. It comes in the evaluation, or after it.
        let last = try shell(
            """
            sh -c 'echo $$ >pid; exec \(command) --epochs 150 --checkpoint-every 999999 --test all.st <all.st' \
              | while read -r line; do case $line in *checkpoint*) kill $(cat pid);; esac; done
            ls -d new new.checkpoints 2>/dev/null
            """, in: folder.url)
        #expect(!last.lines.isEmpty, "neither model nor checkpoints")
        try expectCleanEnd(
            hash, try shell("\(command) --epochs 150 --resume --test all.st <all.st", in: folder.url))
    }

    /// A run that gets a signal again and again, so many times at most, each time after another checkpoint and a random
    /// while, and goes on. Prints how it ended where that is neither by the signal nor well, then how often it went on.
    private func interrupted(by signal: String, status: Int, times: Int) throws -> FilterResult {
        try shell(
            """
            newest() { ls new.checkpoints 2>/dev/null | tail -1; }
            \(command) --epochs 200 --checkpoint-every 7 <all.st >o & run=$!; i=0
            while i=$((i + 1)); [ $i -le \(times) ]; do
              last=$(newest)
              while kill -0 $run 2>/dev/null && [ "$(newest)" = "$last" ]; do sleep 0.005; done
              sleep 0.0$((10 + i * 37 % 41)); kill -\(signal) $run 2>/dev/null || break
              wait $run; code=$?; [ $code = 0 ] || [ $code = \(status) ] || echo "code $code"
              \(command) --epochs 200 --checkpoint-every 7 --resume <all.st >>o & run=$!
            done
            wait $run; code=$?; grep -c '"event":"resume"' o; exit $code
            """, in: folder.url)
    }

    private func expectGoesOn(_ result: FilterResult, _ hash: String, atLeast resumes: Int) throws {
        #expect(result.status == 0 && result.lines.count == 1, "\(result.text)\(result.errors)")
        #expect(result.lines.last.flatMap { Int($0) } ?? 0 >= resumes, "\(result.text)")
        #expect(try shell("sha256sum <new/model.safetensors", in: folder.url).lines.first == hash)
    }

    @Test func `A9 stopped at random moments, again and again, a run saves itself every time`() throws {
        let hash = try undisturbed("--epochs 200")
        try expectGoesOn(interrupted(by: "TERM", status: 143, times: 40), hash, atLeast: 10)
    }

    @Test func `A9 a signal in an evaluation doesn't wait for its end, and the run goes on with it`() throws {
        let slow = "\(command) --eval-every 2 --eval-batches 0 --patience 40 --validation many.st --epochs 6"
            .replacing("--validation all.st --lr", with: "--lr").replacing("--eval-every 3 ", with: "")
        let hash = try #require(
            shell(
                """
                for i in $(seq 60); do cat all.ndjson; done | tokenize-pad -q --tokenizer tok --length all.st >many.st
                \(slow) <all.st >whole && sha256sum <new/model.safetensors; rm -r new
                """, in: folder.url
            ).lines.first)
        var pending = 0
        for step in [4, 10, 20] {
            let result = try shell(
                """
                { sh -c 'echo $$ >pid; exec \(slow) --checkpoint-every 999 <all.st'; echo $? >code; } \
                  | while read -r line; do
                    case $line in *'"event":"step","step":\(step),'*) kill $(cat pid) ;; esac; echo "$line"
                  done >o
                cat code
                cat new.checkpoints/step* | grep -c '"review":"pending"'; cat o >all; \(slow) --resume <all.st >>all
                grep -v -e start -e resume -e checkpoint -e seconds whole >a
                grep -v -e start -e resume -e checkpoint -e seconds all | cmp - a && sha256sum <new/model.safetensors; rm -r new
                """, in: folder.url)
            #expect(result.lines.count == 3 && result.lines.first == "143", "\(result.text)\(result.errors)")
            #expect(result.lines.last == hash, "\(result.text)\(result.errors)")
            pending += result.lines.count > 1 ? Int(result.lines[1]) ?? 0 : 0
        }
        #expect(pending > 0, "no signal came in an evaluation")
    }

    @Test func `A9 a reader that stalls doesn't keep a run from saving itself`() throws {
        guard FileManager.default.fileExists(atPath: "/proc/self/stat") else { return }
        let result = try shell(
            """
            mkfifo pipe; (exec 3<pipe; exec sleep 20) & reader=$!
            sh -c 'echo $$ >pid; exec \(command) --epochs 100000 --checkpoint-every 999999 <all.st >pipe' & run=$!
            # Until it waits for the pipe.
            while before=$(cut -d' ' -f14 /proc/$(cat pid)/stat 2>/dev/null); sleep 0.3
              [ -z "$before" ] || [ "$before" != "$(cut -d' ' -f14 /proc/$(cat pid)/stat)" ]; do :; done
            kill $(cat pid); wait $run; echo $?; kill $reader && echo stalled; ls new.checkpoints | wc -l
            """, in: folder.url)
        #expect(result.lines == ["143", "stalled", "1"], "\(result.text)\(result.errors)")
    }

    @Test(.enabled(if: exists("strace"), "needs strace"))
    func `E60, E62 killed at every system call that makes a checkpoint last, a run goes on`() throws {
        let hash = try undisturbed("--epochs 2")
        var resumed: Set<String> = []
        for call in 1...16 {
            _ = try shell(
                """
                strace -f -o /dev/null -e inject=fsync,rename,unlink:signal=KILL:when=\(call) \
                  \(command) --epochs 2 --checkpoint-every 3 <all.st >o
                """, in: folder.url)
            let result = try shell("\(command) --epochs 2 --checkpoint-every 3 --resume <all.st", in: folder.url)
            resumed.insert(result.lines.first { $0.contains("\"step\"") }.map { String($0.prefix(27)) } ?? "")
            let found = try shell("sha256sum <new/model.safetensors; rm -rf new", in: folder.url).lines.first
            #expect(result.status == 0 && found == hash, "call \(call): \(result.errors)")
            #expect(try !folder.names().contains { $0.hasSuffix(".checkpoints") || $0.hasSuffix(".partial") })
        }
        // What a run leaves that is killed while it writes the model goes with the next run; that of one that lives stays.
        let left = try shell(
            """
            mkdir .new.999999999-0.partial .new.$$-0.partial .other.999999999-0.partial; touch .new.999999999-0.partial/a
            \(command) --epochs 1 <all.st >o; ls -Ad .*.partial | wc -l; ls -Ad .new.999999999* 2>/dev/null; rm -r .*.partial new
            """, in: folder.url)
        #expect(left.lines == ["2"], "\(left.text)\(left.errors)")
        #expect(resumed.count >= 4, "\(resumed)")
    }

    @Test func `E61 killed at random moments, again and again, a run goes on`() throws {
        let hash = try undisturbed("--epochs 200")
        try expectGoesOn(interrupted(by: "KILL", status: 137, times: 20), hash, atLeast: 10)
    }

    @Test(.enabled(if: exists("strace"), "needs strace"))
    func `E63 a damaged newest checkpoint is told in one line; without any whole one it is an error`() throws {
        let hash = try undisturbed("--epochs 4")
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
            try expectCleanEnd(hash, result)
        }
        let result = try shell(
            """
            cp -r saved new.checkpoints; for f in new.checkpoints/step*; do : >$f; done
            \(command) --epochs 4 --resume <all.st
            """, in: folder.url)
        expectFailure(result, 65, "finetune", "too few for safetensors")
        #expect(result.output.isEmpty)
    }

    @Test(.enabled(if: exists("strace"), "needs strace"))
    func `E64 going on with other data or settings gives 78 and the differences`() throws {
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

    @Test func `E65 going on with a run that has ended changes nothing and gives 0`() throws {
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
                && other.errors.contains("no checkpoint to go on from: training starts from the beginning"))
    }

    @Test func `E66 a second run is refused as long as the first one saves itself`() throws {
        let result = try shell(
            """
            \(command) --epochs 9999999 --checkpoint-every 20 <all.st >o & run=$!
            while [ ! -e new.checkpoints/step-000020.safetensors ]; do sleep 0.01; done
            \(command) --resume <all.st; code=$?
            kill $run; wait $run 2>/dev/null; exit $code
            """, in: folder.url)
        expectFailure(result, 75, "finetune", "locked by process")
    }

    @Test(.enabled(if: exists("strace"), "needs strace"))
    func `E67, E68 a checkpoint that can't be written ends the run with 74; the one before it goes on`() throws {
        let hash = try undisturbed("--epochs 3")
        for fault in ["fsync:error=EIO:when=3", "write,pwrite64:error=ENOSPC:when=60", "rename:error=EIO:when=2"] {
            let failed = try shell(
                """
                strace -f -o /dev/null -e inject=\(fault) \(command) --epochs 3 --checkpoint-every 4 <all.st >o
                """, in: folder.url)
            #expect(failed.status == 74 && failed.errorLines.count == 1, "\(fault): \(failed.status) \(failed.errors)")
            #expect(try !folder.names().contains { $0.hasPrefix(".") || $0 == "new" })
            let resumed = try shell("\(command) --epochs 3 --checkpoint-every 4 --resume <all.st", in: folder.url)
            try expectCleanEnd(hash, resumed)
            _ = try shell("rm -r new", in: folder.url)
        }
    }

    @Test func `A19 checkpoints that can't be written give 73 before anything is read`() throws {
        let result = try shell("touch new.checkpoints; \(command) --checkpoint-every 2 <all.st", in: folder.url)
        expectFailure(result, 73, "finetune", "isn't a directory")
        expectFailure(
            try shell("\(command) --checkpoint-every 0 <all.st", in: folder.url), 64, "finetune",
            "positive whole number")
    }

    @Test func `a run with checkpoints doesn't write the model over its base: 64`() throws {
        let before = try folder.snapshot()
        let result = try shell(
            "ln -s model link; finetune --base model --validation all.st --out link --resume <all.st", in: folder.url)
        expectFailure(result, 64, "finetune", "is also the base")
        #expect(try shell("rm link", in: folder.url).status == 0 && folder.snapshot() == before)
    }
}
