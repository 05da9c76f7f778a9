// finetune with checkpoints as a process: stopped or killed at any moment, it resumes to the model of an undisturbed run.

import Foundation
import TestSupport
import Testing

struct StoppedRunTests {
    private let run: CheckpointedRun
    private let folder: Folder
    private let command: String

    init() throws {
        run = try CheckpointedRun()
        (folder, command) = (run.folder, run.command)
    }

    @Test("TERM and INT finish the step, save, give 143 and 130, and the run resumes [A9]")
    func signalSavesRun() throws {
        let hash = try run.undisturbed("--epochs 150")
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
            try run.expectCleanEnd(hash, resumed)
            _ = try shell("rm -r new", in: folder.url)
        }
    }

    @Test("a repeated signal saves the run, and one in the last evaluation ends it with all saved [A9]")
    func repeatedSignal() throws {
        let hash = try run.undisturbed("--epochs 150")
        let twice = try shell(
            """
            (while [ ! -e new.checkpoints/step-000040.safetensors ]; do sleep 0.01; done
            kill $(cat pid); sleep 0.001; kill $(cat pid)) &
            sh -c 'echo $$ >pid; exec \(command) --epochs 150 --checkpoint-every 20 <all.st >o'
            """, in: folder.url)
        #expect(twice.status == 143 && twice.lines.isEmpty)
        #expect(try shell("tail -1 o", in: folder.url).text.hasPrefix(#"{"event":"checkpoint""#))
        let resumed = try shell("\(command) --epochs 150 --resume <all.st", in: folder.url)
        try run.expectCleanEnd(hash, resumed)
        _ = try shell("rm -r new", in: folder.url)

        // The reader sends it when it hears of the last step's checkpoint. It comes in the evaluation, or after it.
        let last = try shell(
            """
            sh -c 'echo $$ >pid; exec \(command) --epochs 150 --checkpoint-every 999999 --test all.st <all.st' \
              | while read -r line; do case $line in *checkpoint*) kill $(cat pid);; esac; done
            ls -d new new.checkpoints 2>/dev/null
            """, in: folder.url)
        #expect(!last.lines.isEmpty, "neither model nor checkpoints")
        try run.expectCleanEnd(
            hash, try shell("\(command) --epochs 150 --resume --test all.st <all.st", in: folder.url))
    }

    /// A run that gets a signal again and again, so many times at most, each time after another checkpoint and a random
    /// while, and resumes. Prints how it ended where that is neither by the signal nor well, then how often it resumed.
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

    private func expectResumes(_ result: FilterResult, _ hash: String, atLeast resumes: Int) throws {
        #expect(result.status == 0 && result.lines.count == 1, "\(result.text)\(result.errors)")
        #expect(result.lines.last.flatMap { Int($0) } ?? 0 >= resumes, "\(result.text)")
        #expect(try shell("sha256sum <new/model.safetensors", in: folder.url).lines.first == hash)
    }

    @Test("a run stopped at random moments, again and again, saves itself every time [A9]")
    func stoppedAtRandom() throws {
        let hash = try run.undisturbed("--epochs 200")
        try expectResumes(interrupted(by: "TERM", status: 143, times: 40), hash, atLeast: 10)
    }

    @Test("a signal during an evaluation doesn't wait for its end, and the run resumes with it [A9]")
    func signalDuringEvaluation() throws {
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

    @Test(
        "a reader that stalls doesn't keep a run from saving itself [A9]",
        .enabled(if: FileManager.default.fileExists(atPath: "/proc/self/stat"), "needs /proc"))
    func stalledReader() throws {
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

    @Test(
        "a run killed at any system call that makes a checkpoint durable resumes [E60] [E62]",
        .enabled(if: exists("strace"), "needs strace"))
    func killedAtEverySystemCall() throws {
        let hash = try run.undisturbed("--epochs 2")
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

    @Test("a run killed at random moments, again and again, resumes [E61]")
    func killedAtRandom() throws {
        let hash = try run.undisturbed("--epochs 200")
        try expectResumes(interrupted(by: "KILL", status: 137, times: 20), hash, atLeast: 10)
    }
}
