// finetune --out where a model is: it is replaced on purpose only.

import Foundation
import TestSupport
import Testing

struct ReplacedModelTests {
    private let folder: Folder
    init() throws { folder = try TinyModel.shared().workspace() }

    @Test("a model isn't replaced without --force, and no input is read", arguments: ["model", "./model/", "link"])
    func notReplaced(out: String) throws {
        _ = try shell("ln -s model link", in: folder.url)
        let before = try folder.snapshot()
        let result = try shell(
            "\(TinyModel.finetune) --out \(out); code=$?; cat; exit $code", input: Data("rest\n".utf8), in: folder.url)
        expectFailure(result, 73, "finetune", "\(out): a model already exists here: ")
        #expect(result.errors.contains("--force") && result.text == "rest\n")
        #expect(try folder.snapshot() == before)
    }

    @Test("--force replaces a model, and the directory's other files stay")
    func forced() throws {
        let result = try shell(
            """
            cp -r model new; echo kept >new/notes
            \(TinyModel.finetune) --epochs 1 --out new --force <all.st >o; cat new/notes
            cmp -s new/model.safetensors model/model.safetensors || echo other
            """, in: folder.url)
        #expect(result.lines == ["kept", "other"] && result.errors.isEmpty, "\(result.errors)")
    }

    @Test("a directory without a model is written without --force")
    func noModelThere() throws {
        let result = try shell(
            "mkdir new; echo kept >new/notes; \(TinyModel.finetune) --out new <all.st >o; ls new", in: folder.url)
        #expect(result.status == 0 && result.lines.contains("model.safetensors") && result.lines.contains("notes"))
    }

    @Test("--resume doesn't replace another run's model")
    func resumeReplacesNothing() throws {
        let before = try folder.snapshot()
        let other = try shell("\(TinyModel.finetune) --epochs 1 --out model --resume <all.st", in: folder.url)
        expectFailure(other, 73, "finetune", "model: a model already exists here: ")
        #expect(try other.output.isEmpty && folder.snapshot() == before)
    }

    @Test(
        "a run that replaces a model on purpose is resumed without saying so again",
        .enabled(if: exists("strace"), "needs strace"))
    func resumeReplacing() throws {
        let run = "\(TinyModel.finetune) --epochs 3 --out model"
        let resumed = try shell(
            """
            strace -f -o /dev/null -e inject=rename:signal=KILL:when=2 \(run) --force --checkpoint-every 2 <all.st >o
            \(run) --resume <all.st | grep -c '"resume"'; \(run) --resume <all.st
            """, in: folder.url)
        #expect(resumed.lines == ["1"] && resumed.status == 0, "\(resumed.errors)")
    }
}
