// GPT-2 as OpenAI published it: a TensorFlow checkpoint (`model.ckpt.index`, `model.ckpt.data-00000-of-00001`), `hparams.json`,
// and the tokenizer as `encoder.json` and `vocab.bpe`.

import GPT2Kit
import Records
import Safetensors
import Tokenization

/// The tensors of such a checkpoint, under Hugging Face's names.
struct OpenAICheckpoint {
    let config: GPT2Config
    private let table: CheckpointTable
    private let shards: [MappedFile]
    private let prefix: String

    /// Whether `directory` is of this kind.
    static func recognizes(_ directory: String) -> Bool {
        Directory.entryNames(of: directory)?.contains("hparams.json") ?? false
    }

    init(directory: String) throws {
        let names = Directory.entryNames(of: directory) ?? []
        guard let index = names.sorted().last(where: { $0.hasSuffix(".ckpt.index") }) else {
            throw ConversionError.malformed("there is no model.ckpt.index", at: nil, file: directory)
        }
        prefix = "\(directory)/\(index.dropLast(".index".count))"
        config = try Self.config("\(directory)/hparams.json")
        let file = try MappedFile(path: "\(directory)/\(index)")
        table = try CheckpointTable(file)
        let count = table.shards
        guard (1...1000).contains(count) else {
            throw ConversionError.malformed("a checkpoint of \(count) data files", at: nil, file: file.name)
        }
        func digits(_ number: Int) -> String {
            let text = "\(number)"
            return String(repeating: "0", count: max(0, 5 - text.utf8.count)) + text
        }
        var shards: [MappedFile] = []
        for shard in 0..<count {
            shards.append(try MappedFile(path: "\(prefix).data-\(digits(shard))-of-\(digits(count))"))
        }
        self.shards = shards
    }

    private static func config(_ path: String) throws -> GPT2Config {
        let json = try readJSON(path)
        func size(_ key: String) throws(ConversionError) -> Int {
            guard let value = json[key]?.int else { throw .missingField(key, file: path) }
            return value
        }
        return try GPT2Config(
            vocabularySize: size("n_vocab"), positions: size("n_ctx"), width: size("n_embd"), blocks: size("n_layer"),
            heads: size("n_head"))
    }

    /// All parameters of the language model.
    ///
    /// - Parameter workers: check them.
    func parameters(_ workers: Workers) throws -> GPT2Parameters {
        var unused = Set(table.entries.keys)
        let parameters = try GPT2Parameters(config, classes: 0) { name, shape in
            if name.hasPrefix("score.") { return try Tensor(shape: shape) }
            let (theirs, isLinear) = Self.name(name)
            unused.remove(theirs)
            return try tensor(theirs, shape, isLinear: isLinear, workers)
        }
        if let name = unused.min() { throw ConversionError.unknownTensor(name, file: "\(prefix).index") }
        return parameters
    }

    /// TensorFlow's name of a parameter, and whether its shape there begins with a 1.
    private static func name(_ name: String) -> (String, isLinear: Bool) {
        let parts = name.split(separator: ".")
        if parts[0] != "h" {
            return name.hasPrefix("ln_f.")
                ? ("model/ln_f/\(parts[1] == "weight" ? "g" : "b")", false) : ("model/\(parts[0])", false)
        }
        let layer = parts[2..<parts.count - 1]
        let isLinear = layer.count == 2
        let last = parts.last == "bias" ? "b" : isLinear ? "w" : "g"
        return (
            "model/h\(parts[1])/\(layer.joined(separator: "/"))/\(last)", isLinear && last == "w"
        )
    }

    private func tensor(_ name: String, _ shape: [Int], isLinear: Bool, _ workers: Workers) throws -> Tensor {
        guard let entry = table.entries[name] else {
            throw ConversionError.missingTensor(name, file: "\(prefix).index")
        }
        let expected = isLinear ? [1] + shape : shape
        guard entry.shape == expected else {
            throw ConversionError.wrongShape(name, expected: expected, got: entry.shape, file: "\(prefix).index")
        }
        guard entry.type == 1, shards.indices.contains(entry.shard) else {
            throw ConversionError.malformed("tensor \(name) isn't float32", at: nil, file: "\(prefix).index")
        }
        let file = shards[entry.shard]
        let tensor = try Tensor(shape: shape)
        guard entry.size == 4 * tensor.count, entry.offset <= file.bytes.count,
            entry.size <= file.bytes.count - entry.offset
        else { throw ConversionError.malformed("tensor \(name) is cut off", at: nil, file: file.name) }
        let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[entry.offset..<entry.offset + entry.size])
        if let checksum = entry.checksum {
            var crc = CRC32(.castagnoli)
            crc.update(bytes)
            guard crc.isMasked(as: checksum) else {
                throw ConversionError.malformed(
                    "tensor \(name) has another checksum than the index says", at: entry.offset, file: file.name)
            }
        }
        UnsafeMutableRawBufferPointer(tensor.mutableValues).copyMemory(from: bytes)
        guard tensor.isFinite(workers) else { throw ConversionError.notFinite(name, file: file.name) }
        return tensor
    }
}
