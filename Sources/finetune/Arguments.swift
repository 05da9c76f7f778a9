// Words of the command line that stand for values of GPT2Kit.

import ArgumentParser
import GPT2Kit

extension Pooling: ExpressibleByArgument {}
extension TrainingSettings.Shuffle: ExpressibleByArgument {}

extension TrainableSet: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
    public var defaultValueDescription: String { description }
}

@Sendable func positiveNumber(_ text: String) throws -> Double {
    guard let value = Double(text), value > 0, value.isFinite else {
        throw ValidationError("'\(text)' is not a number above 0")
    }
    return value
}

@Sendable func nonNegativeNumber(_ text: String) throws -> Double {
    guard let value = Double(text), value >= 0, value.isFinite else {
        throw ValidationError("'\(text)' is not a number from 0 on")
    }
    return value
}

@Sendable func nonNegativeInteger(_ text: String) throws -> Int {
    guard let value = Int(text), value >= 0 else { throw ValidationError("'\(text)' is not a whole number from 0 on") }
    return value
}

/// What `--precision` takes.
enum PrecisionChoice: String, CaseIterable, ExpressibleByArgument {
    case f32, bf16, auto

    var precision: Precision { Precision(rawValue: rawValue) ?? .automatic }
}
