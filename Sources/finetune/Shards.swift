// What finetune reads.

import FilterSupport
import GPT2Kit
import Records
import Tokenization

/// Reads whole streams of shards.
enum Shards {
    /// - Parameter path: nil for stdin.
    static func read(_ path: String?, _ notes: Notes) throws -> LabelledTexts {
        let source = try ByteSource(path: path)
        let texts = try ShardReader.readAll(source)
        if texts.isFormerFormat { notes.formerShards(source.name) }
        return LabelledTexts(source: source.name, texts: texts)
    }
}
