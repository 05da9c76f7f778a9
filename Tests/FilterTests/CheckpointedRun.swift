// A run of finetune with checkpoints on a tiny model, and how it has to end.

import TestSupport
import Testing

struct CheckpointedRun {
    let folder: Folder
    let command = """
        finetune -q --base random:config.json --tokenizer tok --trainable all --validation all.st --lr 1e-3 --dropout 0.1 \
          --keep best --eval-every 3 --out new
        """
    init() throws { folder = try TinyModel.shared().workspace() }

    /// The hash of the model of a run that nobody disturbs.
    func undisturbed(_ options: String) throws -> String {
        let result = try shell(
            "\(command) \(options) <all.st >o && sha256sum <new/model.safetensors; rm -r new", in: folder.url)
        #expect(result.errors.isEmpty)
        return try #require(result.lines.first)
    }

    func expectCleanEnd(
        _ hash: String, _ result: FilterResult, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(result.status == 0, "\(result.errors)", sourceLocation: sourceLocation)
        let found = try shell("sha256sum <new/model.safetensors", in: folder.url).lines.first
        #expect(found == hash, "\(result.errors)", sourceLocation: sourceLocation)
        let names = try folder.names()
        #expect(
            !names.contains { $0.hasPrefix(".") || $0.hasSuffix(".checkpoints") }, "\(names)",
            sourceLocation: sourceLocation)
    }
}
