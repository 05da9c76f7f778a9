// Model directories: what is written is what is read back, and what Hugging Face's class expects.

import Foundation
import GPT2Kit
import Records
import Safetensors
import TestSupport
import Testing

struct ExportTests {
    private let place: Folder
    private let workers = Workers(count: 2)

    init() throws {
        place = try Folder()
        try writeByteTokenizer(place.path)
    }

    private static let texts = ["", "a", "win a prize now", "see you at eight, or at nine, or never at all"].map {
        Array($0.utf8)
    }

    private func expectClose(_ a: [Score], _ b: [Score], _ tolerance: Double) {
        #expect(a.count == b.count)
        for (a, b) in zip(a, b) {
            #expect(a.label == b.label)
            for (p, q) in zip(a.probabilities, b.probabilities) { #expect(abs(p - q) <= tolerance, "\(p) and \(q)") }
        }
    }

    @Test("a directory that was written gives the same scores", arguments: Pooling.allCases, [true, false])
    func roundTrip(_ pooling: Pooling, _ isCausal: Bool) throws {
        let causal = try randomClassifier(place.path, labels: ["a", "b", "c"], pooling: pooling, paddedLength: 30)
        let classifier = isCausal ? causal : causal.with(isCausal: false)
        let directory = place.path + "/model"
        try classifier.write(directory: directory)
        let read = try Classifier(directory: directory, workers: workers)
        #expect(read.labels == classifier.labels && read.pooling == pooling && read.paddedLength == 30)
        #expect(read.config.isCausal == isCausal)
        #expect(read.config == classifier.config && read.tokenizerSHA256 == classifier.tokenizerSHA256)
        #expect(read.parameters.headBias.array == [0, 0, 0])
        let (old, new) = (try Scorer(classifier, workers: workers), try Scorer(read, workers: workers))
        expectClose(try old.score(Self.texts), try new.score(Self.texts), 1e-5)
        #expect(old.truncated == 1 && new.truncated == 1)
    }

    @Test(
        "with dependent head rows probabilities stay, and a bias is kept only where rows are equal",
        arguments: [(1, true), (-1, false), (-0.99999, false), (-2, false)] as [(Float, Bool)])
    func dependentRows(_ ratio: Float, _ keepsBias: Bool) throws {
        let classifier = try randomClassifier(place.path)
        let p = classifier.parameters
        for i in 0..<16 { p.headWeight.mutablePointer[16 + i] = ratio * p.headWeight.pointer[i] }
        let tensors = try classifier.foldingHeadBias()
        #expect(tensors.contains { $0.name == "score.bias" } == keepsBias)
        let bias = try #require(tensors.first { $0.name == "transformer.ln_f.bias" }?.tensor)
        for i in 0..<16 { #expect(abs(bias.pointer[i] - p.finalNormBias.pointer[i]) < 10) }
        let directory = place.path + "/model"
        try classifier.write(directory: directory)
        let read = try Classifier(directory: directory, workers: workers)
        #expect(bits(read.parameters.headBias.array) == (keepsBias ? bits(p.headBias.array) : [0, 0]))
        expectClose(
            try Scorer(classifier, workers: workers).score(Self.texts),
            try Scorer(read, workers: workers).score(Self.texts), 1e-6)
        let card = try ByteSource(path: directory + "/README.md").readAll(maximum: 1 << 16)
        #expect(String(decoding: card, as: UTF8.self).contains("score.bias") == keepsBias)
    }

    @Test("folding the head's bias into ln_f leaves the logits")
    func foldedBias() throws {
        let classifier = try randomClassifier(place.path, labels: ["a", "b", "c"])
        let tensors = Dictionary(uniqueKeysWithValues: try classifier.foldingHeadBias().map { ($0.name, $0.tensor) })
        #expect(tensors["score.bias"] == nil && tensors["score.weight"] != nil)
        let bias = try #require(tensors["transformer.ln_f.bias"])
        let p = classifier.parameters
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<20 {
            let x = normals(16, &generator, deviation: 2)
            for k in 0..<3 {
                let row = (0..<16).map { Double(p.headWeight.pointer[k * 16 + $0]) }
                let plain = (0..<16).reduce(Double(p.headBias.pointer[k])) {
                    $0 + row[$1] * (Double(x[$1]) + Double(p.finalNormBias.pointer[$1]))
                }
                let folded = (0..<16).reduce(0.0) { $0 + row[$1] * (Double(x[$1]) + Double(bias.pointer[$1])) }
                #expect(abs(plain - folded) <= 1e-5)
            }
        }
    }

    @Test("the solution of least norm is the one worked out by hand, and dependent rows have none")
    func leastNorm() throws {
        // [1 0 1; 0 2 0]·δ = [2, 4]: δ = [1, 2, 1].
        let W = try Tensor([1, 0, 1, 0, 2, 0], shape: [2, 3])
        let delta = try #require(leastNormSolution(W, try Tensor([2, 4])))
        for (got, expected) in zip(delta, [1.0, 2, 1]) { #expect(abs(got - expected) < 1e-12) }
        // A first pivot of 0 isn't the end: [0 1; 1 0] with rows of very different size.
        let swapped = try #require(
            leastNormSolution(try Tensor([1, 1, 1e3, 0], shape: [2, 2]), try Tensor([3, 1e3])))
        for (got, expected) in zip(swapped, [1.0, 2]) { #expect(abs(got - expected) < 1e-9) }
        #expect(leastNormSolution(try Tensor([1, 2, -2, -4], shape: [2, 2]), try Tensor([1, 2])) == nil)
        #expect(leastNormSolution(try Tensor([0, 0], shape: [1, 2]), try Tensor([1])) == nil)
        #expect(leastNormSolution(try Tensor([1, 0, 0, 1, 1, 1], shape: [3, 2]), try Tensor([1, 1, 1])) == nil)
        #expect(leastNormSolution(try Tensor([2], shape: [1, 1]), try Tensor([1])) == [0.5])
    }

    @Test("config.json has the fields that transformers reads and scoring needs")
    func configuration() throws {
        let classifier = try randomClassifier(place.path, labels: ["ham", "sp\"am"], pooling: .mean)
        try classifier.write(directory: place.path + "/model")
        let bytes = try ByteSource(path: place.path + "/model/config.json").readAll(maximum: 1 << 20)
        let json = try JSONValue(parsing: bytes)
        #expect(json["architectures"] == .array([.string("GPT2ForSequenceClassification")]))
        for (key, value) in [
            ("vocab_size", 257), ("n_positions", 32), ("n_embd", 16), ("n_layer", 2), ("n_head", 2), ("n_inner", 64),
            ("pad_token_id", 256), ("eos_token_id", 256), ("num_labels", 2),
        ] { #expect(json[key]?.int == value, "\(key)") }
        #expect(json["model_type"]?.string == "gpt2" && json["activation_function"]?.string == "gelu_new")
        #expect(json["layer_norm_epsilon"]?.double == 1e-5)
        #expect(json["id2label"]?["1"]?.string == "sp\"am" && json["label2id"]?["sp\"am"]?.int == 1)
        #expect(json["gpt2kit"]?["pooling"]?.string == "mean" && json["gpt2kit"]?["max_length"]?.int == 32)
        #expect(json["gpt2kit"]?["tokenizer_sha256"]?.string == classifier.tokenizerSHA256)
        let weights = try SafetensorsFile(path: place.path + "/model/model.safetensors")
        let expected = classifier.parameters.named.map(\.name).filter { $0 != "score.bias" }
            .map { $0.hasPrefix("score.") ? $0 : "transformer." + $0 }
        #expect(Set(weights.names) == Set(expected))
    }
}
