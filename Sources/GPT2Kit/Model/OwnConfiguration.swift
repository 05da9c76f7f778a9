// What this project adds to config.json: the object `gpt2kit`. Everything in it affects scores, so a value of another
// type is an error and never ignored. docs/formats.md describes it.

import Hashing
import Records

/// The object `gpt2kit` of a config.json; all nil where config.json has none, as in models of other programs.
struct OwnConfiguration {
    private(set) var pooling: Pooling?
    private(set) var isCausal: Bool?
    /// T, from 1 to the model's positions.
    private(set) var paddedLength: Int?
    private(set) var tokenizerSHA256: String?
    /// The checksum of the file model.safetensors.
    private(set) var weightsSHA256: String?
    /// The shares of the labels in training.
    private(set) var labelShares: [Label: Double]?

    /// - Parameter json: the whole config.json, of a model with `positions` positions.
    /// - Throws: ``ModelError/wrongValue(_:needed:file:)``.
    init(_ json: JSONValue, positions: Int, file: String) throws(ModelError) {
        guard let own = json["gpt2kit"] else { return }
        guard own.object != nil else { throw .wrongValue("gpt2kit", needed: "an object", file: file) }
        func value<Value>(
            _ key: String, _ needed: String, _ read: (JSONValue) -> Value?
        ) throws(ModelError) -> Value? {
            guard let json = own[key] else { return nil }
            guard let value = read(json) else { throw .wrongValue("gpt2kit.\(key)", needed: needed, file: file) }
            return value
        }
        pooling = try value("pooling", "one of \(Pooling.allCases.map(\.rawValue).joined(separator: ", "))") {
            $0.string.flatMap(Pooling.init(rawValue:))
        }
        isCausal = try value("causal_mask", "true or false") { $0.bool }
        paddedLength = try value("max_length", "a whole number from 1 to \(positions)") {
            $0.int.flatMap { (1...positions).contains($0) ? $0 : nil }
        }
        tokenizerSHA256 = try value("tokenizer_sha256", "64 hexadecimal digits") { sha256($0) }
        weightsSHA256 = try value("weights_sha256", "64 hexadecimal digits") { sha256($0) }
        labelShares = try value("label_shares", "an object of shares") { json in
            guard let members = json.object else { return nil }
            var shares: [Label: Double] = [:]
            for member in members {
                guard case .number(let text) = member.value, let share = Double(text), (0...1).contains(share) else {
                    return nil
                }
                shares[Label(member.key)] = share
            }
            return shares
        }
        _ = try value("run_sha256", "64 hexadecimal digits") { sha256($0) }
    }
}

/// The string if it is a SHA-256 in lower-case hexadecimal.
private func sha256(_ json: JSONValue) -> String? {
    json.string.flatMap { SHA256.isHexadecimal($0) ? $0 : nil }
}
