// Reads token shards for fine-tuning.

import FilterSupport
import GPT2Kit
import Records
import Tokenization

/// Whole streams of shards.
public enum Shards {
    /// The texts of a stream, with a note where it is of a former version.
    ///
    /// - Parameter path: nil for stdin.
    /// - Throws: what reading the shards throws.
    public static func read(_ path: String?, _ notes: Notes) throws -> LabelledTexts {
        let source = try ByteSource(path: path)
        let texts = try ShardReader.readAll(source)
        if texts.isFormerFormat { notes.formerShards(source.name) }
        return LabelledTexts(source: source.name, texts: texts)
    }
}
