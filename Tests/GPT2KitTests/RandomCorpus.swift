// A tiny language model of single bytes, and rows for it.

import Foundation
import GPT2Kit
import Records
import TestSupport
import Tokenization

/// A folder with a byte tokenizer, a config.json and token shards.
final class RandomCorpus: Sendable {
    let folder: Folder
    let tokenizer: Tokenizer
    var base: Classifier.Base { .randomConfig(path: folder.path + "/config.json") }

    init(positions: Int = 24, merges: [String] = []) throws {
        folder = try Folder()
        try writeByteTokenizer(folder.path, merges: merges)
        tokenizer = try Tokenizer(directory: folder.path)
        try folder.write(
            "config.json",
            """
            {"model_type":"gpt2","vocab_size":257,"n_positions":\(positions),"n_embd":16,"n_layer":2,"n_head":2}
            """)
    }

    /// Rows of 1 … 24 tokens, of which many are alike.
    func rows(_ count: Int, seed: UInt64) throws -> TokenCorpus {
        var generator = SeededGenerator(seed: seed)
        return try corpus(
            (0..<count).map { _ in
                (0..<1 + generator.nextInteger(below: 24)).map { _ in Int32(97 + generator.nextInteger(below: 6)) }
            })
    }

    func corpus(_ rows: [[Int32]]) throws -> TokenCorpus {
        let name = "shards-\(UUID().uuidString)"
        let description = TokenSetDescription(
            paddedLength: 24, padToken: tokenizer.endOfText, labelNames: [], tokenizerSHA256: tokenizer.sha256)
        let bytes = try written { sink in
            var writer = ShardWriter(sink, description: description, rowsPerShard: 8)
            for (line, row) in rows.enumerated() { try writer.append(row, label: -1, line: Int64(line + 1)) }
            try writer.finish()
        }
        try folder.write(name, Data(bytes))
        return try TokenCorpus(path: "\(folder.path)/\(name)", tokenizer: tokenizer)
    }

    func model(_ base: Classifier.Base? = nil, threads: Int = 2) throws -> PretrainedModel {
        try PretrainedModel(
            base: base ?? self.base, tokenizerDirectory: nil, seed: 1, workers: Workers(count: threads))
    }

    func data(seed: UInt64 = 1, base: Classifier.Base? = nil) throws -> PretrainingData {
        try PretrainingData(base: model(base), training: rows(37, seed: seed), validation: rows(9, seed: seed + 1))
    }
}

/// Settings of a few quick steps, with an evaluation after every third.
func shortPretraining(_ change: (inout PretrainingSettings) -> Void = { _ in }) -> PretrainingSettings {
    var settings = PretrainingSettings()
    settings.epochs = 3
    settings.rows = 8
    settings.validateEvery = 3
    change(&settings)
    return settings
}
