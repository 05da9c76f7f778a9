// A tokenizer, shards and a trained model of two narrow blocks, made once by the filters themselves and shared by all
// tests that need a model.

import Foundation
import Synchronization
import TestSupport

/// What the filters made of sixty short messages.
final class TinyModel: Sendable {
    private static let made = Result { try TinyModel() }
    static func shared() throws -> TinyModel { try made.get() }

    let url: URL
    static let finetune =
        "finetune -q --base random:config.json --tokenizer tok --trainable all --validation all.st --epochs 2 --lr 1e-2"

    /// Sixty labelled records.
    static let records: String = {
        let spam = ["win a free prize now", "claim your cash reward today", "urgent free ringtone", "a holiday call"]
        let ham = ["see you at lunch tomorrow", "are you coming home late", "thanks for dinner", "buy some milk"]
        return (0..<60).map {
            let (label, texts) = $0 % 2 == 0 ? ("spam", spam) : ("ham", ham)
            return "{\"id\":\"\($0)\",\"label\":\"\(label)\",\"text\":\"\(texts[$0 / 2 % 4]) \($0 / 8)\"}\n"
        }.joined()
    }()

    private init() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tiny-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        url = folder
        Leftovers.path.withLock { $0 = folder.path }
        atexit { Leftovers.path.withLock { try? FileManager.default.removeItem(atPath: $0) } }
        try Data(Self.records.utf8).write(to: url.appendingPathComponent("all.ndjson"))
        let config = """
            {"model_type":"gpt2","vocab_size":300,"n_positions":32,"n_embd":16,"n_layer":2,"n_head":2}
            """
        try Data(config.utf8).write(to: url.appendingPathComponent("config.json"))
        let made = try shell(
            """
            set -e
            train-tokenizer --vocab-size 300 --out tok all.ndjson
            tokenize-pad --tokenizer tok all.ndjson > all.st
            \(Self.finetune) --out model < all.st > metrics.ndjson
            score --model model --input ndjson all.ndjson > scored.ndjson
            """, in: url)
        guard made.status == 0 else { throw Failure(errors: made.errors) }
    }

    struct Failure: Error { let errors: String }

    /// A folder in which the model's files can be used by name, and changed without changing them for others.
    func workspace() throws -> Folder {
        let folder = try Folder()
        for name in try FileManager.default.contentsOfDirectory(atPath: url.path) {
            try FileManager.default.copyItem(
                at: url.appendingPathComponent(name), to: folder.url.appendingPathComponent(name))
        }
        return folder
    }
}

private enum Leftovers {
    static let path = Mutex("")
}

extension Folder {
    /// Names and contents of everything in it: equal before and after where nothing was touched.
    func snapshot() throws -> String {
        try shell("find . -type f | sort | xargs -d '\\n' sha256sum; find . -type d | sort", in: url).text
    }
}

/// Whether a program that only some machines have is there.
func exists(_ program: String) -> Bool {
    (try? shell("command -v \(program)"))?.status == 0
}
