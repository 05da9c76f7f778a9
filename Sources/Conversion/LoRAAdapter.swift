// A low-rank adapter (Hu et al. 2021) as PEFT writes it: `adapter_config.json`, and `adapter_model.safetensors` with two thin
// matrices for each layer, lora_A [r,inputs] and lora_B [outputs,r], and with layers that were trained as a whole.

import GPT2Kit
import Platform
import Records
import Safetensors

/// An adapter, to be added to the model that it was trained on.
struct LoRAAdapter {
    /// The model that it says it was trained on.
    let baseName: String?
    /// Whether the model sorts texts into classes.
    let isClassifier: Bool
    private let tensors: ForeignTensors
    private let alpha: Double
    private let dividesByRoot: Bool

    /// Whether `directory` is of this kind.
    static func recognizes(_ directory: String) -> Bool {
        Directory.entryNames(of: directory)?.contains("adapter_config.json") ?? false
    }

    init(directory: String) throws {
        let path = "\(directory)/adapter_config.json"
        let json = try readJSON(path)
        let weights = "\(directory)/adapter_model.safetensors"
        guard access(weights, F_OK) == 0 else {
            let pickle = "\(directory)/adapter_model.bin"
            throw access(pickle, F_OK) == 0
                ? ConversionError.pickle(path: pickle)
                : .malformed("there is no adapter_model.safetensors", at: nil, file: directory)
        }
        tensors = ForeignTensors(WeightFiles(try SafetensorsFile(path: weights)))
        baseName = json["base_model_name_or_path"]?.string
        isClassifier = json["task_type"]?.string == "SEQ_CLS"
        guard let alpha = json["lora_alpha"]?.double, alpha.isFinite else {
            throw ConversionError.missingField("lora_alpha", file: path)
        }
        self.alpha = alpha
        dividesByRoot = json["use_rslora"] == .bool(true)
        try Self.refuseOthers(json, path)
    }

    /// Refuses what changes more than a product of two matrices.
    private static func refuseOthers(_ json: JSONValue, _ path: String) throws(ConversionError) {
        func refuse(_ what: String) -> ConversionError {
            .unsupported(
                what, remedy: "merge it with PEFT (merge_and_unload) and convert the merged model", file: path)
        }
        if let type = json["peft_type"]?.string, type != "LORA" { throw refuse("an adapter of type \(type)") }
        for key in ["use_dora", "lora_bias", "use_qalora"] where json[key] == .bool(true) { throw refuse(key) }
        for key in ["alpha_pattern", "layer_replication", "trainable_token_indices", "target_parameters"] {
            switch json[key] {
            case nil, .null: break
            case .object(let members) where members.isEmpty: break
            case .array(let values) where values.isEmpty: break
            default: throw refuse(key)
            }
        }
        // These change the base's weights before training.
        if let start = json["init_lora_weights"]?.string, !["gaussian", "eva", "orthogonal"].contains(start) {
            throw refuse("an adapter that began with \(start)")
        }
    }

    /// The number of classes of the head that the adapter brings; nil where it brings none.
    func classes() throws -> Int? {
        guard let name = tensors.weights.names.first(where: { Self.parameter(of: $0) == "score.weight" }) else {
            return nil
        }
        return try tensors.matrixShape(name).rows
    }

    /// `base` with everything that the adapter has learned.
    func added(to base: GPT2Parameters, config: GPT2Config, _ workers: Workers) throws -> GPT2Parameters {
        var changed: [String: Tensor] = [:]
        let known = Dictionary(uniqueKeysWithValues: base.named.map { ($0.name, $0.tensor) })
        func set(_ parameter: String, _ tensor: Tensor) throws(ConversionError) {
            guard changed.updateValue(tensor, forKey: parameter) == nil else {
                throw .malformed("\(parameter) is changed under two names", at: nil, file: tensors.source)
            }
        }
        for name in tensors.weights.names {
            if name.hasSuffix(Self.first) {
                let parameter = Self.parameter(of: String(name.dropLast(Self.first.count))) + ".weight"
                guard let weight = known[parameter] else { continue }
                let sum = try sum(weight, name, isHead: parameter == "score.weight")
                guard sum.isFinite(workers) else { throw ConversionError.notFinite(name, file: tensors.source) }
                try set(parameter, sum)
            } else if !name.hasSuffix(Self.second), let old = known[Self.parameter(of: name)] {
                try set(Self.parameter(of: name), tensors.tensor(name, old.shape))
            }
        }
        try tensors.finish { _ in false }
        return try GPT2Parameters(config, classes: base.classes) { name, shape in
            if let tensor = changed[name] ?? known[name] { tensor } else { try Tensor(shape: shape) }
        }
    }

    private static let first = ".lora_A.weight", second = ".lora_B.weight"

    /// The parameter's name without what PEFT wraps around it.
    private static func parameter(of name: String) -> String {
        var name = name[...]
        for prefix in ["base_model.model.", "transformer."] where name.hasPrefix(prefix) {
            name = name.dropFirst(prefix.count)
        }
        return name.split(separator: ".").filter {
            !["base_layer", "modules_to_save", "default", "original_module"].contains($0)
        }
        .joined(separator: ".")
    }

    /// W + α/r·(B·A)ᵀ for a weight [inputs,outputs]; without the transposition for that of the head [outputs,inputs].
    private func sum(_ weight: Tensor, _ name: String, isHead: Bool) throws -> Tensor {
        guard weight.shape.count == 2 else {
            throw ConversionError.malformed(
                "\(name) is of a parameter that is no matrix", at: nil, file: tensors.source)
        }
        let (inputs, outputs) = isHead ? (weight.shape[1], weight.shape[0]) : (weight.shape[0], weight.shape[1])
        let rank = try tensors.matrixShape(name).rows
        guard (1...max(inputs, outputs)).contains(rank) else {
            throw ConversionError.malformed("\(name) has rank \(rank)", at: nil, file: tensors.source)
        }
        let A = try tensors.tensor(name, [rank, inputs])
        let B = try tensors.transposed(
            name.dropLast(Self.first.count) + Self.second, rows: outputs, columns: rank)
        let scale = Float(alpha / (dividesByRoot ? Double(rank).squareRoot() : Double(rank)))
        let result = try weight.copied()
        let (left, right) = isHead ? (B, A) : (A, B)
        let columns = weight.shape[1]
        for k in 0..<rank {
            for row in 0..<weight.shape[0] {
                let factor = scale * left.pointer[k * weight.shape[0] + row]
                let (target, source) = (result.mutablePointer + row * columns, right.pointer + k * columns)
                for column in 0..<columns { target[column] += factor * source[column] }
            }
        }
        return result
    }
}
