// Output directories under fire: killed at every system call that changes a directory, they hold the old files or the
// new ones, never some of each.

import Foundation
import TestSupport
import Testing

struct OutputDirectoryTests {
    private let folder: Folder
    init() throws { folder = try TinyModel.shared().workspace() }

    /// What the directory `tok` holds.
    private func state() throws -> String {
        try shell("cd tok && sha256sum vocab.json merges.txt keep", in: folder.url).text
    }

    @Test(
        "killed or out of space at any call, the directory is the old one or the new one [A8] [A10]",
        .enabled(if: exists("strace"), "needs strace"))
    func killedAtEveryCall() throws {
        try folder.write("tok/keep", "kept")
        let old = try state()
        let train = "train-tokenizer --vocab-size 280 --out tok all.ndjson"
        _ = try shell("cp -r tok saved; \(train)", in: folder.url)
        let new = try state()
        #expect(new != old && new.contains("keep"))
        var (sawOld, sawNew) = (false, false)
        for fault in ["signal=KILL", "error=ENOSPC"] {
            for call in 1...24 {
                _ = try shell("rm -rf tok; cp -r saved tok", in: folder.url)
                let result = try shell(
                    """
                    strace -f -o /dev/null \
                      -e inject=mkdir,linkat,fsync,rename,renameat2,unlink,rmdir:\(fault):when=\(call) \(train)
                    """, in: folder.url)
                let found = try state()
                #expect([old, new].contains(found), "\(fault) \(call): \(found)")
                #expect([0, 74, 137].contains(result.status), "\(fault) \(call): \(result.status) \(result.errors)")
                sawOld = sawOld || found == old
                sawNew = sawNew || found == new
                _ = try shell("rm -rf .*.partial", in: folder.url)
            }
        }
        #expect(sawOld && sawNew)
    }

    @Test("other files in the directory stay, with their mode, also through a symbolic link")
    func otherFilesStay() throws {
        let result = try shell(
            """
            chmod 750 tok; echo kept > tok/keep; ln -s keep tok/link; ln -s tok alias
            train-tokenizer --vocab-size 280 --out alias all.ndjson; cat tok/keep tok/link; stat -c %a tok
            ls -A tok; test -L alias; ls -A
            """, in: folder.url)
        #expect(result.lines.starts(with: ["kept", "kept", "750", "keep", "link", "merges.txt", "vocab.json"]))
        #expect(!result.text.contains("partial") && result.status == 0)
    }

    @Test("a tokenizer.json of other tokens doesn't stay beside a new tokenizer")
    func staleTokenizer() throws {
        let result = try shell(
            "cp model/tokenizer.json tok; train-tokenizer --vocab-size 280 --out tok all.ndjson; ls tok", in: folder.url
        )
        #expect(result.lines == ["merges.txt", "vocab.json"], "\(result.text)\(result.errors)")
    }

    @Test("the current directory, and one that holds others, can be written too")
    func currentDirectory() throws {
        let standing = try shell(
            "cd tok; train-tokenizer --vocab-size 280 --out . ../all.ndjson; ls -A; ls -A ../tok", in: folder.url)
        #expect(standing.lines == ["merges.txt", "vocab.json", "merges.txt", "vocab.json"])
        let holding = try shell(
            "mkdir -p tok/a/b; train-tokenizer --vocab-size 270 --out tok all.ndjson; ls -A tok; ls tok/a",
            in: folder.url)
        #expect(holding.lines == ["a", "merges.txt", "vocab.json", "b"])
        #expect(try !folder.names().contains { $0.hasSuffix("partial") })
    }

    @Test("a file size limit leaves no temporary files and no locks [A8]")
    func fileSizeLimit() throws {
        let before = try folder.snapshot()
        for command in [
            "finetune -q --base random:config.json --tokenizer tok --validation all.st --epochs 1 --out new <all.st",
            "train-tokenizer --vocab-size 300 --out new all.ndjson", "split --out new all.ndjson",
        ] {
            let tool = command.prefix { $0 != " " }
            let result = try shell("ulimit -f 1; \(command) >/dev/null", in: folder.url)
            expectFailure(result, 74, String(tool), "can't be written (File too large)")
        }
        #expect(try folder.snapshot() == before)
    }

    @Test("a lock follows no links and overwrites nothing", arguments: ["ln -s", "ln", "cp"])
    func lockFollowsNoLinks(way: String) throws {
        try folder.write("victim", "precious")
        _ = try shell("\(way) victim .new.lock", in: folder.url)
        for command in ["\(TinyModel.finetune) --out new <all.st", "split --out new all.ndjson"] {
            let tool = command.prefix { $0 != " " }
            expectFailure(try shell(command, in: folder.url), 73, String(tool), ".new.lock: can't be used as a lock")
        }
        #expect(try shell("cat victim .new.lock", in: folder.url).text == "preciousprecious")
        #expect(try !folder.names().contains("new"))
    }

    @Test(
        "the next run removes the leftovers of a killed run", arguments: ["split", "train-tokenizer --vocab-size 300"])
    func leftoversBeside(tool: String) throws {
        let result = try shell(
            """
            dead=$(sh -c 'echo $$'); mkdir .new.$dead-0.partial .new.$$-0.partial; echo $dead > .new.lock
            echo half > .new.$dead-0.partial/train.ndjson
            mkdir victim; echo precious > victim/file; ln -s victim .new.$dead-1.partial; \(tool) --out new all.ndjson || exit
            test -e victim/file && test ! -e .new.$dead-0.partial && test -d .new.$$-0.partial && test ! -e .new.lock && test -d new
            """, in: folder.url)
        #expect(result.status == 0, "\(result.errors)")
    }

    @Test("the next run removes a killed run's leftovers inside a directory, too")
    func leftoversInside() throws {
        let result = try shell(
            """
            dead=$(sh -c 'echo $$'); mkdir -p new/.$dead-0.partial; echo half > new/.$dead-0.partial/train.ndjson
            split --out new all.ndjson; ls -A new
            """, in: folder.url)
        #expect(result.lines == ["test.ndjson", "train.ndjson", "validation.ndjson"], "\(result.errors)")
    }

    @Test("of several runs that write one directory, some do and the others are told the reason")
    func concurrentWriters() throws {
        for round in 1...15 {
            let result = try shell(
                """
                for seed in 1 2 3 4; do (split --seed $seed --out r\(round)/parts all.ndjson; echo $?) & done; wait
                cat r\(round)/parts/* | sort -u | wc -l | tr -d " "; ls -A r\(round)
                """, in: folder.url)
            let codes = result.lines.prefix(4)
            #expect(codes.allSatisfy { ["0", "75"].contains($0) } && codes.contains("0"), "\(result.errors)")
            #expect(result.errorLines.allSatisfy { $0.contains("parts: locked by ") })
            #expect(result.lines.dropFirst(4) == ["60", "parts"], "\(result.text)")
        }
    }

    @Test(
        "an output whose directory can't be synchronised is in place, and the error says so",
        .enabled(if: exists("strace"), "needs strace"))
    func failedSync() throws {
        let calls = "strace -f -o /dev/null -e inject=fsync:error=EIO:when="
        // Two files and their directory come before the one that has its name.
        let result = try shell("\(calls)4 train-tokenizer --vocab-size 280 --out new all.ndjson", in: folder.url)
        expectFailure(result, 74, "train-tokenizer", "new: is written, but may not survive a power failure")
        #expect(try folder.names("new") == ["merges.txt", "vocab.json"])
        let before = try shell("\(calls)3 train-tokenizer --vocab-size 280 --out none all.ndjson", in: folder.url)
        expectFailure(before, 74, "train-tokenizer", "none: can't be written")
        #expect(try !folder.names().contains("none"))
    }

    @Test("train-tokenizer refuses bad records and outputs and leaves nothing")
    func trainTokenizerErrors() throws {
        let before = try folder.snapshot()
        for (command, status, words) in [
            ("(cat all.ndjson; echo '{') | train-tokenizer --vocab-size 300 --out tok", 65, "stdin:61: "),
            ("train-tokenizer --vocab-size 256 --out tok all.ndjson", 64, "at least 257"),
            ("train-tokenizer --vocab-size 300 --out all.ndjson all.ndjson", 73, "isn't a directory"),
            ("train-tokenizer --vocab-size 300 --out /proc/none/x all.ndjson", 73, "can't be created"),
        ] as [(String, Int32, String)] {
            expectFailure(try shell(command, in: folder.url), status, "train-tokenizer", words)
        }
        #expect(try folder.snapshot() == before)
    }

    @Test("a name that isn't UTF-8 is refused, and one that begins with a combining mark is a name")
    func oddNames() throws {
        let folder = try Folder()
        let result = try shell(
            """
            i=0; while [ $i -lt 20 ]; do echo "{\\"text\\":\\"t$i\\",\\"label\\":\\"a\\"}"; i=$((i + 1)); done >r
            bad=$(printf 'o\\377'); split r --out "$bad"; echo $?; split "$bad"; echo $?; ls
            mkdir p; mark=$(printf 'p/\\314\\201x'); split -q r --out "$mark" && ls "$mark"; split r --part test >"$mark.nd"; balance "$mark.nd" | wc -l
            """, in: folder.url)
        #expect(
            result.lines == ["64", "64", "r", "test.ndjson", "train.ndjson", "validation.ndjson", "4"],
            "\(result.text)\(result.errors)")
    }
}
