// A decision as JSON: the file decision.json of a model directory.

import Records

extension Decision {
    /// The name of the file.
    public static let fileName = "decision.json"
    private static let format = "gpt2kit.decision/1"

    /// The file's text.
    ///
    /// - Parameters:
    ///   - weightsSHA256: of the model that it belongs to; nil where that has none.
    ///   - notes: what else is told of how it was made.
    public func json(weightsSHA256: String?, notes: [JSONMember]) -> [UInt8] {
        func byLabel(_ values: [Double]) -> JSONValue {
            .object(zip(labels, values).map { JSONMember(key: $0, value: .number($1)) })
        }
        var members = [
            JSONMember(key: "format", value: .string(Self.format)),
            JSONMember(key: "weights_sha256", value: weightsSHA256.map { .string($0) } ?? .null),
            JSONMember(key: "temperature", value: .number(temperature)),
            JSONMember(key: "ratios", value: byLabel(ratios)),
        ]
        if let threshold {
            members.append(
                JSONMember(
                    key: "threshold",
                    value: .object([
                        JSONMember(key: "label", value: .string(labels[threshold.label])),
                        JSONMember(key: "probability", value: .number(threshold.probability)),
                    ])))
        }
        if let setThresholds, let coverage {
            members.append(
                JSONMember(
                    key: "sets",
                    value: .object([
                        JSONMember(key: "coverage", value: .number(coverage)),
                        JSONMember(key: "probabilities", value: byLabel(setThresholds)),
                    ])))
        }
        members.append(JSONMember(key: "fitted", value: .object(notes)))
        var writer = JSONWriter()
        writer.value(.object(members))
        writer.newline()
        return writer.bytes
    }

    /// Why a decision can't be read.
    public enum ReadError: Error, Equatable {
        /// A member is missing, or can't be what it is.
        case bad(String)
        /// It is in another format.
        case format
        /// It is of another model: other weights, or other labels.
        case otherModel
    }

    /// Reads the file's text.
    ///
    /// - Parameters:
    ///   - labels: the model's, in its order, which becomes that of the decision.
    ///   - weightsSHA256: of the model; nil where it has none.
    public init(json: JSONValue, labels: [String], weightsSHA256: String?) throws(ReadError) {
        guard json["format"] == .string(Self.format) else { throw .format }
        if let own = json["weights_sha256"]?.string, let weightsSHA256, own != weightsSHA256 { throw .otherModel }
        func number(_ value: JSONValue?, _ name: String, _ range: ClosedRange<Double>) throws(ReadError) -> Double {
            guard case .number(let text)? = value, let number = Double(text), range.contains(number) else {
                throw .bad(name)
            }
            return number
        }
        func byLabel(_ value: JSONValue?, _ name: String, _ range: ClosedRange<Double>) throws(ReadError) -> [Double] {
            guard let members = value?.object else { throw .bad(name) }
            guard members.count == labels.count else { throw .otherModel }
            var result: [Double] = []
            for label in labels {
                guard let member = members.first(where: { $0.key.utf8.elementsEqual(label.utf8) }) else {
                    throw .otherModel
                }
                result.append(try number(member.value, name, range))
            }
            return result
        }
        self.init(labels: labels)
        temperature = try number(json["temperature"], "temperature", 1e-6...1e6)
        ratios = try byLabel(json["ratios"], "ratios", 0...1e12)
        if let threshold = json["threshold"] {
            guard let name = threshold["label"]?.string,
                let label = labels.index(ofLabel: name)
            else { throw .otherModel }
            self.threshold = (label, try number(threshold["probability"], "threshold", 0...2))
        }
        if let sets = json["sets"] {
            coverage = try number(sets["coverage"], "sets.coverage", 0...1)
            setThresholds = try byLabel(sets["probabilities"], "sets.probabilities", 0...1)
        }
    }
}
