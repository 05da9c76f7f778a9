// Models of other programs against what PyTorch, TensorFlow and PEFT made of them (Fixtures/make_conversion.py).

import Conversion
import Foundation
import GPT2Kit
import Records
import Safetensors
import TestSupport
import Testing

struct ConvertedModelTests {
    private let folder: Folder
    private let workers = Workers(count: 2)
    private let path = fixture("conversion")
    init() throws { folder = try Folder() }

    private func choices(_ change: (inout ConversionChoices) -> Void = { _ in }) -> ConversionChoices {
        var choices = ConversionChoices()
        choices.tokenizer = "\(path)/base"
        change(&choices)
        return choices
    }

    /// Writes the model, and compares every tensor with the expected one.
    private func expectTensors(
        _ name: String, _ choices: ConversionChoices, file: String? = nil, within tolerance: Float = 0
    ) throws {
        let model = try ConvertedModel("\(path)/\(file ?? name)", choices, workers: workers)
        try model.write(directory: "\(folder.path)/\(name)", precision: .float32)
        let written = try SafetensorsFile(path: "\(folder.path)/\(name)/model.safetensors")
        let expected = try SafetensorsFile(path: "\(path)/\(name).expected.safetensors")
        #expect(written.names.sorted() == expected.names.sorted())
        for tensor in expected.header.tensors {
            let (got, wanted) = (
                try written.floats(tensor.name, shape: tensor.shape),
                try expected.floats(tensor.name, shape: tensor.shape)
            )
            let worst = zip(got, wanted).map { abs($0 - $1) }.max() ?? 0
            #expect(worst <= tolerance, "\(name): \(tensor.name) differs by \(worst)")
        }
    }

    @Test("the book's language model has every number of its state dict, and a head of its own")
    func bookLanguageModel() throws {
        try expectTensors("book", choices { $0.heads = 2 }, file: "book.safetensors")
        let config = try JSONValue(parsing: Array(folder.read("book/config.json")))
        #expect(config["tie_word_embeddings"] == .bool(false) && config["n_head"]?.int == 2)
    }

    @Test("the book's classifier has every number, its labels, and reads the last position of padded texts")
    func bookClassifier() throws {
        let said = choices {
            ($0.heads, $0.labels, $0.length) = (2, ["a", "b", "c"], 9)
        }
        try expectTensors("book-classifier", said, file: "book-classifier.safetensors")
        let model = try Classifier(directory: "\(folder.path)/book-classifier", workers: workers)
        #expect(model.labels == ["a", "b", "c"] && model.pooling == .lastPosition && model.paddedLength == 9)
    }

    @Test("OpenAI's checkpoint has every number that TensorFlow wrote, and its tokenizer")
    func openAI() throws {
        try expectTensors("openai", ConversionChoices())
        #expect(
            try folder.read("openai/vocab.json") == Data(contentsOf: URL(filePath: "\(path)/openai/encoder.json")))
    }

    @Test(
        "an adapter of PEFT is added to its base, with the head that it brings",
        arguments: ["adapter", "adapter-language"])
    func adapter(_ name: String) throws {
        try expectTensors(name, choices { $0.base = "\(path)/base" }, within: 1e-6)
    }

    @Test("weights in bf16 are the rounded ones, at half the size")
    func halves() throws {
        let model = try ConvertedModel("\(path)/openai", ConversionChoices(), workers: workers)
        try model.write(directory: "\(folder.path)/half", precision: .bfloat16)
        let half = try SafetensorsFile(path: "\(folder.path)/half/model.safetensors")
        let whole = try SafetensorsFile(path: "\(path)/openai.expected.safetensors")
        let name = "transformer.wte.weight"
        #expect(try half.description(of: name).type == .bfloat16)
        for (a, b) in zip(try half.floats(name, shape: [257, 8]), try whole.floats(name, shape: [257, 8])) {
            #expect(abs(a - b) <= abs(b) / 256)
        }
    }

    /// Every number of the language model in `directory`, by the names of its tensors.
    private func numbers(_ directory: String) throws -> [String: [Float]] {
        let converted = try ConvertedModel(directory, ConversionChoices(), workers: workers)
        guard case .language(let model, nil) = converted else { return [:] }
        return Dictionary(uniqueKeysWithValues: model.parameters.named.map { ($0.name, Array($0.tensor.values)) })
    }

    @Test("a damaged checkpoint is refused, whichever byte changes, or loads with the same numbers")
    func damagedCheckpoint() throws {
        let source = URL(filePath: "\(path)/openai")
        for name in try FileManager.default.contentsOfDirectory(atPath: source.path) {
            try folder.write(name, Data(contentsOf: source.appending(path: name)))
        }
        let undamaged = try numbers(folder.path)
        #expect(!undamaged.isEmpty)
        for (name, step) in [("model.ckpt.index", 7), ("model.ckpt.data-00000-of-00001", 997)] {
            let bytes = try folder.read(name)
            var loaded = 0
            for place in stride(from: 0, to: bytes.count, by: step) {
                var changed = bytes
                changed[place] ^= 0x41
                try folder.write(name, changed)
                switch Result(catching: { try numbers(folder.path) }) {
                case .failure(let error): #expect(error is any DiagnosableError, "\(error)")
                case .success(let found):
                    loaded += 1
                    #expect(found == undamaged, "\(name), \(place)")
                }
            }
            // Of the index, nothing depends on the filler behind the footer's own bytes.
            #expect((loaded > 0) == name.hasSuffix("index"), "\(name): \(loaded) loaded")
            for count in [0, 10, bytes.count / 2, bytes.count - 1] {
                try folder.write(name, bytes.prefix(count))
                #expect(throws: (any Error).self) {
                    try ConvertedModel(folder.path, ConversionChoices(), workers: workers)
                }
            }
            try folder.write(name, bytes)
        }
    }

    @Test(
        "what makes no difference to a model is refused",
        arguments: [
            ("openai", [.base, .tokenizer, .heads, .labels, .pooling, .length]),
            ("book.safetensors", [.base, .labels, .pooling, .length]), ("book-classifier.safetensors", [.base]),
            ("adapter", [.heads]), ("adapter-language", [.heads, .labels, .pooling, .length]),
            ("base", [.base, .heads, .labels, .pooling, .length]),
            ("book-classifier", [.base, .tokenizer, .heads, .labels]),
        ] as [(String, [ConversionChoices.Choice])])
    func unusedChoices(_ name: String, _ unused: [ConversionChoices.Choice]) throws {
        let all = choices {
            ($0.base, $0.heads, $0.labels) = ("\(path)/base", 2, ["a", "b", "c"])
            $0.pooling = .mean
            $0.length = 9
        }
        let isWritten = name == "book-classifier"
        let file = "\(isWritten ? folder.path : path)/\(name)"
        if isWritten {
            let said = choices { ($0.heads, $0.labels, $0.length) = (2, ["a", "b", "c"], 9) }
            try ConvertedModel("\(path)/\(name).safetensors", said, workers: workers)
                .write(directory: file, precision: .float32)
        }
        #expect {
            try ConvertedModel(file, all, workers: workers)
        } throws: { error in
            guard case .unusedChoices(let found, _, let place)? = error as? ConversionError else { return false }
            return found == unused && place == file
        }
    }

    @Test(
        "an adapter that is more than two thin matrices is refused",
        arguments: [
            ("\"use_dora\": false", "\"use_dora\": true", "use_dora"),
            ("\"peft_type\": \"LORA\"", "\"peft_type\": \"IA3\"", "IA3"),
            ("\"init_lora_weights\": true", "\"init_lora_weights\": \"pissa\"", "pissa"),
            ("\"alpha_pattern\": {}", "\"alpha_pattern\": {\"c_fc\": 3}", "alpha_pattern"),
        ])
    func otherAdapters(_ old: String, _ new: String, _ words: String) throws {
        let config = try String(contentsOfFile: "\(path)/adapter/adapter_config.json", encoding: .utf8)
        #expect(config.contains(old))
        try folder.write("adapter_config.json", config.replacingOccurrences(of: old, with: new))
        try folder.write(
            "adapter_model.safetensors", Data(contentsOf: URL(filePath: "\(path)/adapter/adapter_model.safetensors")))
        #expect {
            try ConvertedModel(folder.path, choices { $0.base = "\(path)/base" }, workers: workers)
        } throws: { ($0 as? ConversionError)?.diagnosis.problem.contains(words) ?? false }
    }

    @Test("a tensor that GPT-2 doesn't have is told, and so is one that is missing")
    func otherTensors() throws {
        let book = try SafetensorsFile(path: "\(path)/book.safetensors")
        for (isLeftOut, extra, problem) in [
            ("trf_blocks.1.ff.layers.2.bias", nil, "trf_blocks.1.ff.layers.2.bias is missing"),
            (nil, "trf_blocks.0.att.W_query.lora.A", "W_query.lora.A is none of GPT-2's"),
        ] {
            var writer = SafetensorsWriter()
            for tensor in book.header.tensors where tensor.name != isLeftOut {
                writer.add(tensor.name, floats: try book.floats(tensor.name, shape: tensor.shape), shape: tensor.shape)
            }
            if let extra { writer.add(extra, floats: [1], shape: [1]) }
            try writer.write(path: "\(folder.path)/other.safetensors")
            #expect {
                try ConvertedModel("\(folder.path)/other.safetensors", choices { $0.heads = 2 }, workers: workers)
            } throws: { ($0 as? ConversionError)?.diagnosis.problem.contains(problem) ?? false }
        }
    }
}
