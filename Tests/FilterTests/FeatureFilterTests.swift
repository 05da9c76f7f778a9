// finetune --features as a process: a second run starts at once, and nothing that happens to the files changes a model.

import Foundation
import TestSupport
import Testing

struct FeatureFilterTests {
    private let folder: Folder
    private static let options = "-q --base random:config.json --tokenizer tok --validation all.st --epochs 2 --lr 1e-2"
    private let command = "finetune \(options) --out new --force"
    init() throws { folder = try TinyModel.shared().workspace() }

    private let frozen = "sed -n 's/.*\"frozen\",\"features\":\"\\([^\"]*\\)\",\"place\":\"\\([^\"]*\\)\".*/\\1 \\2/p'"

    @Test("the model is the same with features in memory, computed into files, and found in them")
    func sameModel() throws {
        let result = try shell(
            """
            run() { "$@" <all.st | \(frozen); sha256sum <new/model.safetensors >>sums; }
            run \(command); run \(command) --features f; run \(command) --features f --threads 1
            run \(command) --features f --threads 2; ls f | wc -l; sort -u sums | wc -l
            """, in: folder.url)
        #expect(
            result.lines == [
                "computed memory", "computed directory", "reused directory", "reused directory", "1", "1",
            ], "\(result.errors)\(result.text)")
    }

    @Test("a note reports what was found, unless --quiet")
    func foundNote() throws {
        let loud = command.replacingOccurrences(of: " -q ", with: " ")
        for words in ["computed and kept", "found"] {
            let result = try shell("\(loud) --features f <all.st >o", in: folder.url)
            #expect(result.status == 0 && result.errorLines.count == 1, "\(result.errors)")
            #expect(result.errors.hasPrefix("finetune: features of ") && result.errors.hasSuffix(" \(words)\n"))
        }
        #expect(try shell("\(command) --features f <all.st >o", in: folder.url).errors.isEmpty)
    }

    @Test("damaged feature files are one line each and are computed again [E63]")
    func damagedFeatures() throws {
        let result = try shell(
            """
            \(command.replacingOccurrences(of: " -q ", with: " ")) --features f <all.st >o 2>e || exit 1
            for file in f/*; do head -c 700 $file >x; mv x $file; done
            finetune \(Self.options.dropFirst(3)) --out again --features f <all.st >o
            sha256sum new/model.safetensors again/model.safetensors | cut -c-64 | sort -u | wc -l
            """, in: folder.url)
        #expect(result.lines == ["1"] && result.status == 0)
        #expect(result.errorLines.count == 2, "\(result.errors)")
        #expect(result.errors.contains("computed again and replaced"))
    }

    @Test("a feature directory that can't be written gives 73 before input is read [A19]")
    func unwritableFeatures() throws {
        for place in ["/proc/none", "all.st", "all.st/x"] {
            let result = try shell("\(command) --features \(place) <all.st", in: folder.url)
            expectFailure(result, 73, "finetune", "can't be created")
            #expect(result.output.isEmpty)
        }
    }

    @Test(
        "a run killed while it computes features leaves whole files [A9]",
        .enabled(if: exists("strace"), "needs strace"))
    func killedWhileComputing() throws {
        _ = try shell("\(command) <all.st >o; mv new expected", in: folder.url)
        for call in 1...6 {
            let result = try shell(
                """
                rm -rf f; strace -f -o /dev/null -e inject=fsync,rename:signal=KILL:when=\(call) \
                  \(command) --features f <all.st >o
                \(command) --features f <all.st | \(frozen); cmp new/model.safetensors expected/model.safetensors; rm -r new
                """, in: folder.url)
            #expect(result.lines.count == 1 && result.lines[0].hasSuffix("directory"), "\(result.errors)\(result.text)")
        }
    }

    @Test("two runs at once share a feature directory")
    func sharedDirectory() throws {
        let result = try shell(
            """
            for i in 1 2 3; do
              finetune \(Self.options) --out one --force --features f <all.st >o1 & finetune \(Self.options) --out two --force --features f <all.st >o2
              wait $! || exit 1; sha256sum <one/model.safetensors; sha256sum <two/model.safetensors; ls -A f | grep -c .; rm -rf f
            done | sort -u
            """, in: folder.url)
        #expect(
            result.lines.count == 2 && result.lines[0] == "1" && result.errors.isEmpty, "\(result.text)\(result.errors)"
        )
    }

    @Test("features too large for memory are kept in a temporary file, and the model is the same")
    func temporaryFeatures() throws {
        // 100 MB of features in 260 MB of address space, of which the program itself takes about half.
        let words = ["free", "prize", "lunch", "dinner", "urgent", "milk", "call", "home", "reward", "late"]
        let records = (0..<2400).map { row in
            let text = (0..<60).map { words[(row * 7 + $0 * $0 * (row % 13 + 1)) % 10] }.joined(separator: " ")
            return "{\"label\":\"\(row % 2 == 0 ? "ham" : "spam")\",\"text\":\"\(text) \(row)\"}\n"
        }
        try folder.write("long.ndjson", records.joined())
        try folder.write(
            "long.json", #"{"model_type":"gpt2","vocab_size":300,"n_positions":256,"n_embd":64,"n_layer":2,"n_head":2}"#
        )
        let result = try shell(
            """
            tokenize-pad -q --tokenizer tok --length 256 --labels ham,spam long.ndjson >long.st; mkdir tmp
            tokenize-pad -q --tokenizer tok --length 256 --labels ham,spam all.ndjson >short.st
            run() { TMPDIR=tmp finetune -q --base random:long.json --tokenizer tok --validation short.st --out new --force \
              --epochs 1 --batch 16 --threads $1 <long.st | \(frozen); sha256sum <new/model.safetensors; }
            run 2; ulimit -v 260000; run 1; ls -A tmp | wc -l
            """, in: folder.url)
        try #require(result.lines.count == 5 && result.errors.isEmpty, "\(result.errors)\(result.text)")
        #expect(result.lines[0] == "computed memory" && result.lines[2] == "computed temporary-file")
        #expect(result.lines[1] == result.lines[3] && result.lines[4] == "0", "\(result.text)")
    }
}
