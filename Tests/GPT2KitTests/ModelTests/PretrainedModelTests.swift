// Language models in directories: what is written is read, and what doesn't belong together is refused.

import Foundation
import GPT2Kit
import Records
import TestSupport
import Testing
import Tokenization

struct PretrainedModelTests {
    private let corpus: RandomCorpus
    private var output: String { corpus.folder.path + "/out" }
    init() throws { corpus = try RandomCorpus() }

    private func trained() throws -> TrainedLanguageModel {
        try Pretrainer(settings: shortPretraining(), workers: Workers(count: 2)).train(corpus.data()) { _ in }
    }

    @Test("a written model is a base with the same weights, of pretraining and of classifiers")
    func writtenModel() throws {
        let trained = try trained()
        try trained.write(directory: output)
        let again = try corpus.model(.directory(output))
        #expect(
            again.parameters.named.map { bits($0.tensor.array) }
                == trained.model.parameters.named.map { bits($0.tensor.array) })
        let workers = Workers(count: 1)
        let classifier = try Classifier(
            base: .directory(output), labels: ["a", "b"], tokenizerDirectory: nil, seed: 1, workers: workers)
        for (one, other) in zip(classifier.parameters.named, again.parameters.named)
        where !one.name.hasPrefix("score.") { #expect(bits(one.tensor.array) == bits(other.tensor.array)) }

        try trained.write(directory: output + "-half", precision: .bfloat16)
        let half = try corpus.model(.directory(output + "-half"))
        for (one, other) in zip(half.parameters.named, again.parameters.named) {
            #expect(
                zip(one.tensor.array, other.tensor.array).allSatisfy { abs($0 - $1) <= abs($1) / 256 }, "\(one.name)")
        }
        let sizes = try [output, output + "-half"].map {
            try Data(contentsOf: URL(filePath: $0 + "/model.safetensors")).count
        }
        #expect(Double(sizes[1]) < 0.6 * Double(sizes[0]))
    }

    @Test("a model has the tokenizer that it was trained with, whatever happens to that one's directory meanwhile")
    func removedTokenizer() throws {
        let trained = try trained()
        let directory = trained.model.tokenizerDirectory
        let expected = trained.model.tokenizer.sha256
        for name in ["vocab.json", "merges.txt"] { try FileManager.default.removeItem(atPath: "\(directory)/\(name)") }
        try trained.write(directory: output)
        #expect(try Tokenizer(directory: output).sha256 == expected)
    }

    @Test("a tokenizer that isn't the base's is refused [P2]")
    func otherTokenizer() throws {
        try trained().write(directory: output)
        func expectRefused(_ words: String, _ file: String, ofClassifiers: Bool = true, _ replace: (String) -> String)
            throws
        {
            let path = output + "/" + file
            let text = try String(contentsOfFile: path, encoding: .utf8)
            try replace(text).write(toFile: path, atomically: true, encoding: .utf8)
            defer { try? text.write(toFile: path, atomically: true, encoding: .utf8) }
            #expect {
                try corpus.model(.directory(output))
            } throws: {
                "\($0)".contains(words)
            }
            if !ofClassifiers { return }
            #expect {
                _ = try Classifier(
                    base: .directory(output), labels: ["a", "b"], tokenizerDirectory: nil, seed: 1,
                    workers: Workers(count: 1))
            } throws: {
                "\($0)".contains(words)
            }
        }
        try expectRefused("isn't the one that the model was trained with", "vocab.json") {
            $0.replacing("\"a\":", with: "\"zz\":").replacing("\"b\":", with: "\"a\":").replacing(
                "\"zz\":", with: "\"b\":")
        }
        try expectRefused("is token 256 of the tokenizer, and 5 of the model", "config.json") {
            $0.replacing("\"eos_token_id\":256", with: "\"eos_token_id\":5")
        }
        try expectRefused("tie_word_embeddings false is not supported", "config.json", ofClassifiers: false) {
            $0.replacing("\"tie_word_embeddings\":true", with: "\"tie_word_embeddings\":false")
        }
        try expectRefused("checksum", "config.json") {
            $0.replacing(
                "\"weights_sha256\":\"", with: "\"weights_sha256\":\"\(String(repeating: "0", count: 64))\",\"x\":\"")
        }
        let config = corpus.folder.path + "/config.json"
        let text = try String(contentsOfFile: config, encoding: .utf8)
        try text.replacing("257", with: "258").write(toFile: config, atomically: true, encoding: .utf8)
        #expect(throws: ModelError.self) { try corpus.model() }
    }

    @Test("rows without a prediction, or longer than the model's texts, are refused")
    func unusableRows() throws {
        let base = try corpus.model()
        let good = try corpus.rows(5, seed: 1)
        #expect(throws: TrainingError.self) {
            try PretrainingData(base: base, training: corpus.corpus([[1], [2]]), validation: good)
        }
        let short = try RandomCorpus(positions: 23).model()
        #expect {
            try PretrainingData(base: short, training: good, validation: good)
        } throws: {
            "\($0)".contains("padded to 24 tokens but the model has 23 positions")
        }
    }

    @Test("a model beyond the machine's memory is refused before anything is read [P7]")
    func tooLarge() throws {
        try corpus.folder.write(
            "huge.json", #"{"vocab_size":257,"n_positions":24,"n_embd":1048576,"n_layer":16777216,"n_head":2}"#)
        let pretrainer = Pretrainer(settings: shortPretraining(), workers: Workers(count: 1))
        #expect(throws: OutOfMemory.self) {
            try pretrainer.requirePossible(for: .randomConfig(path: corpus.folder.path + "/huge.json"))
        }
        try pretrainer.requirePossible(for: corpus.base)
        #expect(throws: TrainingError.self) {
            try Pretrainer(settings: shortPretraining { $0.precision = .int8 }, workers: Workers(count: 1))
                .requirePossible(for: corpus.base)
        }
    }
}
