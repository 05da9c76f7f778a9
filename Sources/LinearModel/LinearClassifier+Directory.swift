// A linear classifier's model directory: config.json, model.safetensors and a card.

import Hashing
import Records
import Safetensors

extension LinearClassifier {
    private static let format = "gpt2kit.linear/1"

    /// Whether `directory` holds a linear classifier.
    public static func isThere(in directory: String) -> Bool {
        guard let bytes = try? ByteSource(path: directory + "/config.json").readAll(maximum: 1 << 20),
            let json = try? JSONValue(parsing: bytes)
        else { return false }
        return json["format"] == .string(format)
    }

    /// Fails where `directory` holds a model, of this project or another, that a new one would replace.
    public static func requireNone(in directory: String) throws(ModelExists) {
        try ModelExists.requireNone(in: directory)
    }

    /// Writes the model directory. All of its files appear, or none.
    ///
    /// - Parameter card: the model card.
    /// - Throws: `StreamError` where it can't be written.
    func write(directory: String, training: JSONValue, card: String) throws {
        let output = try AtomicDirectory(path: directory)
        var file = SafetensorsWriter(metadata: ["format": Self.format])
        let features = vocabulary.hashes.count
        file.add(
            "features", type: .int32, shape: [features], values: vocabulary.hashes.map { Int32(bitPattern: $0) })
        file.add("rarity", floats: rarity, shape: [features])
        file.add("weights", floats: weights, shape: [features + 1, weights.count / (features + 1)])
        let sink = try output.file("model.safetensors")
        let hash = SHA256()
        try file.write {
            hash.update($0)
            try sink.write($0)
        }
        var json = JSONWriter()
        json.value(
            .object([
                JSONMember(key: "format", value: .string(Self.format)),
                JSONMember(key: "model_type", value: .string("linear")),
                JSONMember(
                    key: "id2label",
                    value: .object(labels.enumerated().map { JSONMember(key: "\($0)", value: .string($1)) })),
                JSONMember(key: "temperature", value: .number(temperature)),
                JSONMember(key: "weights_sha256", value: .string(hash.hexadecimal)),
                JSONMember(key: "training", value: training),
            ]))
        json.newline()
        try output.file("config.json").write(json.bytes)
        try output.file("README.md").write(card)
        try output.commit()
    }

    /// Why a directory can't be read.
    public enum ReadError: DiagnosableError, Equatable {
        /// A member of config.json is missing or can't be.
        case badConfiguration(String, file: String)
        /// The weights aren't those that config.json names, or don't fit it.
        case badWeights(String, file: String)

        public var diagnosis: Diagnosis {
            switch self {
            case .badConfiguration(let name, let file):
                Diagnosis(
                    source: file, problem: "\(name) is missing or can't be", remedy: "train the baseline again",
                    status: .configuration)
            case .badWeights(let problem, let file):
                Diagnosis(source: file, problem: problem, remedy: "train the baseline again", status: .badData)
            }
        }
    }

    /// Reads a model directory.
    ///
    /// - Throws: ``ReadError``, `StreamError`, `SafetensorsError`.
    public init(directory: String) throws {
        let path = directory + "/config.json"
        let json = try JSONValue(parsing: ByteSource(path: path).readAll(maximum: 1 << 24), source: path)
        guard let labels = json["id2label"]?.indexedStrings, labels.count > 1, labels.firstRepeated == nil else {
            throw ReadError.badConfiguration("id2label", file: path)
        }
        guard case .number(let text)? = json["temperature"], let temperature = Double(text), temperature > 0,
            temperature.isFinite
        else { throw ReadError.badConfiguration("temperature", file: path) }
        let file = try SafetensorsFile(path: directory + "/model.safetensors")
        let hash = SHA256()
        hash.update(file.fileBytes)
        guard json["weights_sha256"] == .string(hash.hexadecimal) else {
            throw ReadError.badWeights("it isn't the file that config.json names", file: file.source)
        }
        let shape = try file.description(of: "features").shape
        guard shape.count == 1, let count = shape.first else {
            throw ReadError.badWeights("features have a wrong shape", file: file.source)
        }
        let hashes = try file.integers("features", as: Int32.self, shape: [count]).map { UInt32(bitPattern: $0) }
        guard hashes.allSatisfy({ $0 < 2 << UInt32(Vocabulary.bits) }), zip(hashes, hashes.dropFirst()).allSatisfy(<)
        else { throw ReadError.badWeights("features are out of order or of range", file: file.source) }
        let rarity = try file.floats("rarity", shape: [count])
        let weights = try file.floats("weights", shape: [count + 1, Self.machines(labels.count)])
        guard rarity.allSatisfy(\.isFinite), weights.allSatisfy(\.isFinite) else {
            throw ReadError.badWeights("the weights hold numbers that are infinite or NaN", file: file.source)
        }
        self.init(
            labels: labels, vocabulary: Vocabulary(hashes: hashes), rarity: rarity, weights: weights,
            temperature: temperature)
    }
}
