// finetune as a process (group E): its output is whole or not there, whatever happens.

import Foundation
import TestSupport
import Testing

struct FinetuneTests {
    private let folder: Folder
    private let command = "\(TinyModel.finetune) --out new --force"
    init() throws { folder = try TinyModel.shared().workspace() }

    private func expectNothingNew(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let names = try folder.names()
        #expect(
            !names.contains("new") && !names.contains { $0.hasPrefix(".") }, "\(names)", sourceLocation: sourceLocation)
    }

    @Test("TERM and INT during a run give 143 and 130 and leave nothing [A9]")
    func interruptedRun() throws {
        for (signal, status) in [("TERM", 143), ("INT", 130)] {
            let result = try shell(
                "timeout -s \(signal) --preserve-status 1 \(command) --epochs 9999999 <all.st >o", in: folder.url)
            #expect(result.status == Int32(status), "\(result.errors)")
            try expectNothingNew()
        }
    }

    @Test("an output that can't be written gives 73 before any training [A19]")
    func unwritableOutput() throws {
        _ = try shell("ln -s nowhere dangling", in: folder.url)
        for out in ["/proc/none/x", "all.st", "all.st/x", "dangling", "''"] {
            let result = try shell("\(TinyModel.finetune) --out \(out) <all.st", in: folder.url)
            expectFailure(result, 73, "finetune", "can't be created")
            #expect(result.output.isEmpty)
        }
    }

    @Test("a shard stream whose writer died is an error, and there is no model [E59]")
    func deadWriter() throws {
        let result = try shell(
            "(tokenize-pad --tokenizer tok all.ndjson | head -c 2000) | \(command)", in: folder.url)
        expectFailure(result, 65, "finetune", "before their end mark")
        try expectNothingNew()
    }

    @Test("a second run into the same directory is refused at once [E66]")
    func lockedDirectory() throws {
        let result = try shell(
            """
            mkfifo pipe; \(command) <pipe >o & exec 3>pipe
            while [ ! -s .new.lock ]; do sleep 0.05; done
            \(command) <all.st; code=$?
            cat all.st >&3; exec 3>&-; wait $! || exit 1
            exit $code
            """, in: folder.url)
        expectFailure(result, 75, "finetune", "locked by process")
        #expect(try folder.names("new").contains("model.safetensors"))
        #expect(try !folder.names().contains { $0.hasPrefix(".") })
    }

    @Test("the lock of a killed run doesn't hold [E66]")
    func staleLock() throws {
        let result = try shell(
            """
            mkfifo pipe; \(command) <pipe >o & exec 3>pipe
            while [ ! -s .new.lock ]; do sleep 0.05; done
            kill -9 $!; wait $!
            \(command) <all.st >o
            """, in: folder.url)
        #expect(result.status == 0, "\(result.errors)")
        #expect(try !folder.names().contains { $0.hasPrefix(".") })
    }

    @Test(
        "a loss that isn't finite gives 65, and the metrics stay JSON [E69]",
        arguments: ["--lr 1e9", "--weight-decay 1e308"])
    func infiniteLoss(option: String) throws {
        let result = try shell("\(command) \(option) <all.st", in: folder.url)
        expectFailure(result, 65, "finetune", "loss not finite at step")
        #expect(result.lines.allSatisfy { (try? JSONSerialization.jsonObject(with: Data($0.utf8))) != nil })
        try expectNothingNew()
    }

    @Test(
        "without stdout finetune completes, publishes the model and gives 74 [E70]",
        arguments: [">/dev/full", ">&-", "| :"])
    func failedProgress(output: String) throws {
        let result = try shell("(sleep 0.3; \(command) <all.st; echo $? >code) \(output)", in: folder.url)
        #expect(String(decoding: try folder.read("code"), as: UTF8.self) == "74\n")
        #expect(result.errorLines.count == 1 && result.errors.contains("the model in new isn't"), "\(result.errors)")
        #expect(try shell("cmp new/model.safetensors model/model.safetensors", in: folder.url).status == 0)
    }

    @Test("a model too large for any machine gives 71, and no input is read [E71]")
    func hugeModel() throws {
        try folder.write(
            "huge.json", #"{"vocab_size":300,"n_positions":32,"n_embd":1048576,"n_layer":16777216,"n_head":2}"#)
        let result = try shell(
            "finetune --base random:huge.json --tokenizer tok --validation all.st --out new; code=$?; cat; exit $code",
            input: Data("rest\n".utf8), in: folder.url)
        expectFailure(result, 71, "finetune", "MiB are needed")
        #expect(result.text == "rest\n")
        try expectNothingNew()
    }

    @Test("threads and repetition make no difference to the model [E72]")
    func sameModelOnAnyThreads() throws {
        let result = try shell(
            "for t in 1 2 2; do \(command) --threads $t <all.st >o; sha256sum <new/model.safetensors; done | sort -u",
            in: folder.url)
        #expect(result.lines.count == 1 && result.errors.isEmpty, "\(result.text)\(result.errors)")
    }

    @Test("score continues with the old model when its model is replaced [E73]")
    func replacedWhileScoring() throws {
        let result = try shell(
            """
            mkfifo pipe; score --model model --line-buffered <pipe >scores & exec 3>pipe; echo win a prize >&3
            while [ ! -s scores ]; do sleep 0.05; done
            \(TinyModel.finetune) --epochs 1 --lr 1e-3 --out model --force <all.st >o; echo win a prize >&3; exec 3>&-; wait
            sed 's/"line":.//' scores | sort -u; echo win a prize | score --model model | sed 's/"line":.//'
            """, in: folder.url)
        #expect(result.lines.count == 2 && Set(result.lines).count == 2, "\(result.text)\(result.errors)")
    }

    @Test("options whose product overflows don't stop training")
    func overflowingProduct() throws {
        let largest = "9223372036854775807"
        let result = try shell("\(command) --batch \(largest) --eval-batches \(largest) <all.st >o", in: folder.url)
        #expect(result.status == 0, "\(result.errors)")
        let endless = try shell("timeout 1 \(command) --epochs \(largest) <all.st | head -1", in: folder.url)
        #expect(endless.text.contains("\"steps\":\(largest)"), "\(endless.errors)")
    }

    @Test("files that don't belong together are named, and give 78")
    func mismatchedFiles() throws {
        let other = "train-tokenizer --vocab-size 270 --out other all.ndjson;"
        expectFailure(
            try shell("\(other) \(command) --tokenizer other <all.st", in: folder.url), 78, "finetune",
            "another tokenizer than other holds")
        let labels = "tokenize-pad --tokenizer tok --labels ham,spam,eggs all.ndjson |"
        expectFailure(
            try shell("\(labels) \(command)", in: folder.url), 78, "finetune",
            "those of the training shard are eggs, ham")
        expectFailure(
            try shell("\(labels) \(command) --base model", in: folder.url), 78, "finetune", "the head has 2 classes")
        try expectNothingNew()
    }

    @Test("input that can't be trained on is an error with a remedy")
    func untrainableInput() throws {
        expectFailure(try shell("\(command) <all.ndjson", in: folder.url), 65, "finetune", "tokenize-pad first")
        expectFailure(
            try shell("\(command) --validation none <all.st", in: folder.url), 66, "finetune", "none: no such file")
        expectFailure(
            try shell("echo '{\"text\":\"a\"}' | tokenize-pad --tokenizer tok | \(command)", in: folder.url), 65,
            "finetune", "line 1 has no label")
        let ham = "grep ham all.ndjson | tokenize-pad --tokenizer tok >ham.st;"
        expectFailure(
            try shell("\(ham) \(command) --validation ham.st <ham.st", in: folder.url), 65, "finetune", "same label")
        expectFailure(
            try shell("finetune --base random:gpt2 --validation all.st --out new <all.st", in: folder.url), 64,
            "finetune", "has no tokenizer")
        expectFailure(
            try shell("\(command) --base random:gpt9 <all.st", in: folder.url), 64, "finetune", "no base is called")
        try expectNothingNew()
    }
}
