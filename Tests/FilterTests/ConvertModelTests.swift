// convert-model, as a process.

import Foundation
import Records
import TestSupport
import Testing

struct ConvertModelTests {
    private let folder: Folder
    private let path = fixture("conversion")
    init() throws {
        folder = try Folder()
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder.path)/in", withDestinationPath: path)
    }

    @Test("a converted classifier scores, and a converted language model is a base and generates")
    func uses() throws {
        let script = """
            set -e
            convert-model in/book-classifier.safetensors --tokenizer in/base --heads 2 --labels ham,spam,eggs --length 9 --out book
            convert-model in/adapter --base in/base --labels ham,spam,eggs --out merged
            for model in book merged; do printf 'hello\\nyou\\n' | score --model $model --quiet; done
            convert-model in/openai --out language
            echo hello | generate --model language --tokens 3 >/dev/null
            printf '{"text":"a","label":"x"}\\n{"text":"b","label":"y"}\\n' | tokenize-pad --tokenizer language --quiet >st
            finetune --base language --validation st --out tuned --epochs 1 --quiet <st >/dev/null
            """
        let result = try shell(script, in: folder.url)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.lines.count == 4)
        #expect(result.lines.allSatisfy { $0.contains("\"ham\"") && $0.contains("\"eggs\"") })
    }

    @Test("a converted classifier knows the texts that it was trained on, and how often their labels came")
    func trainingTexts() throws {
        let result = try shell(
            """
            set -e
            for i in 1 2 3 4; do printf '{"text":"a %s","label":"x"}\\n{"text":"b %s","label":"y"}\\n' $i $i; done > texts.ndjson
            tokenize-pad --tokenizer in/base --quiet texts.ndjson > st
            finetune --base in/base --validation st --out tuned --epochs 1 --quiet < st > /dev/null
            convert-model tuned --weights bf16 --out smaller
            cmp tuned/training-texts.hashes smaller/training-texts.hashes
            jq -c '.gpt2kit | [.label_shares, .training.epochs]' smaller/config.json
            score --model smaller --input ndjson --quiet texts.ndjson > scores.ndjson
            calibrate smaller scores.ndjson
            """, in: folder.url)
        #expect(result.lines == ["[{\"x\":0.5,\"y\":0.5},1]"])
        expectFailure(result, 65, "calibrate", "trained")
    }

    @Test("the file for llama.cpp has its keys, its tokens, and its tensors from a multiple of 32 bytes on")
    func gguf() throws {
        let result = try shell(
            """
            convert-model in/book.safetensors --tokenizer in/base --heads 2 --to gguf --out a.gguf && \
              convert-model in/openai --to gguf --weights bf16 --out b.gguf
            """, in: folder.url)
        #expect(result.status == 0, "\(result.errors)")
        let (a, b) = (try folder.read("a.gguf"), try folder.read("b.gguf"))
        #expect(a.prefix(8) == Data("GGUF".utf8) + Data([3, 0, 0, 0]) && a.count % 32 == 0)
        for name in ["general.architecture", "gpt2.block_count", "tokenizer.ggml.merges", "blk.1.attn_qkv.weight"] {
            #expect(a.range(of: Data(name.utf8)) != nil && b.range(of: Data(name.utf8)) != nil, "\(name)")
        }
        // Only the book's model has a head of its own.
        let ownHead = Data([13, 0, 0, 0, 0, 0, 0, 0]) + Data("output.weight".utf8)
        #expect(a.range(of: ownHead) != nil && b.range(of: ownHead) == nil)
        expectFailure(
            try shell(
                """
                convert-model in/book-classifier.safetensors --tokenizer in/base --heads 2 --length 9 --to gguf --out c.gguf
                """, in: folder.url), 78, "convert-model", "classification head")
        #expect(try !folder.names().contains("c.gguf"))
    }

    @Test("what the files don't tell is asked for, with the option that says it")
    func choices() throws {
        for (command, status, words) in [
            ("in/book.safetensors --out m", 64, "with --heads"),
            ("in/book.safetensors --heads 2 --out m", 64, "with --tokenizer"),
            ("in/book-classifier.safetensors --heads 2 --tokenizer in/base --out m", 64, "with --length"),
            (
                "in/book-classifier.safetensors --heads 2 --tokenizer in/base --length 9 --labels a,b --out m", 64,
                "3 outputs, but there are 2 labels"
            ),
            ("in/adapter --out m", 64, "with --base"),
            ("in/book.safetensors --heads 3 --tokenizer in/base --out m", 78, "multiple of n_head"),
            ("nothing --out m", 66, "nothing"), ("in --out m", 66, "model.safetensors"),
            ("in/base --out in/base", 73, "--force"),
            (
                "in/openai --tokenizer /none --heads 7 --labels p,q --pool mean --length 5 --base /none --out m", 64,
                "OpenAI's, which has no use for --base, --tokenizer, --heads, --labels, --pool, --length: leave them"
            ),
            ("in/base --heads 2 --out m", 64, "no use for --heads: leave it out"),
            ("in/book-classifier.safetensors --labels a,,c --out m", 64, "--labels has an empty label"),
        ] {
            expectFailure(try shell("convert-model \(command)", in: folder.url), Int32(status), "convert-model", words)
            #expect(try !folder.names().contains("m"))
        }
    }

    @Test("labels are split at every comma, also where a combining mark follows it")
    func combiningLabels() throws {
        let result = try shell(
            """
            convert-model in/book-classifier.safetensors --tokenizer in/base --heads 2 --length 9 \
              --labels "$(printf 'a,\\314\\201b,c')" --out m && jq '.id2label | length' m/config.json
            """, in: folder.url)
        #expect(result.lines == ["3"], "\(result.errors)")
    }

    @Test("a GGUF file that is there is replaced with --force only")
    func replacedFile() throws {
        try folder.write("a.gguf", "precious")
        let command = "convert-model in/openai --to gguf --out a.gguf"
        expectFailure(
            try shell(command, in: folder.url), 73, "convert-model",
            "a.gguf: a file already exists here: name another one, or replace it with --force")
        #expect(try folder.read("a.gguf") == Data("precious".utf8))
        let replaced = try shell("\(command) --force", in: folder.url)
        #expect(replaced.status == 0, "\(replaced.errors)")
        #expect(try folder.read("a.gguf").prefix(4) == Data("GGUF".utf8))
        #expect(try folder.names() == ["a.gguf", "in"])
    }

    @Test("an output that another run is writing is refused, in either format", arguments: ["huggingface", "gguf"])
    func lockedOutput(_ format: String) throws {
        let command = "convert-model in/openai --to \(format) --out new"
        let lock = try OutputLock(path: "\(folder.path)/new")
        try withExtendedLifetime(lock) {
            expectFailure(
                try shell(command, in: folder.url), 75, "convert-model", "new: locked by process \(getpid())")
        }
        #expect(try !folder.names().contains("new"))
    }

    @Test("the next run removes the leftovers of a killed run, in either format", arguments: ["huggingface", "gguf"])
    func leftovers(_ format: String) throws {
        let make = format == "gguf" ? "touch" : "mkdir"
        let result = try shell(
            """
            dead=$(sh -c 'echo $$'); \(make) .new.$dead-0.partial .new.$$-0.partial; echo $dead > .new.lock
            convert-model in/openai --to \(format) --out new || exit
            test ! -e .new.$dead-0.partial && test -e .new.$$-0.partial && test ! -e .new.lock && test -e new
            """, in: folder.url)
        #expect(result.status == 0, "\(result.errors)")
    }

    @Test("a pickle isn't read, and the line that converts it is told")
    func pickle() throws {
        try folder.write("model.pth", "not read")
        try folder.write(
            "adapter/adapter_config.json".replacingOccurrences(of: "adapter/", with: ""), "{\"lora_alpha\": 1}")
        try folder.write("adapter_model.bin", "not read")
        let result = try shell("convert-model model.pth --out m", in: folder.url)
        #expect(
            result.status == 65 && result.errors.contains("weights_only=True") && result.errors.contains("model.pth"))
        #expect(
            try shell("convert-model . --base in/base --out m", in: folder.url).errors.contains("adapter_model.bin"))
    }
}
